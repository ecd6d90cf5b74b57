"""Every outside call of the gateway and of the tally goes wrong in every way: costs are summed once, tips come again.

OpenRouter delivers a request again when it hears an error; Lambda hands a batch over again, with its first state.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

import boto3
import pytest
from moto import mock_aws

from broadcast_gateway import handler as gateway
from broadcast_tally import handler as tally
from governor.broadcast import Line, Pushed, Watch, digest_of
from governor.meter_tips import MeterTips
from tests.faults.harness import Ended, Fault, Wire, accidents, case, context, invoke
from tests.unit.broadcast_gateway.otlp import NOW, TOKEN, event, request

NAME = "prod-search-agent"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "BROADCAST_SECRET": "governor/broadcast",
    "STREAM_NAME": "pushed",
    "READING_BUCKET": "readings-fake",
    "SPEND_METER": "governor-spend-meter",
}


class Pipe:
    """The two functions over AWS in memory. `tips`: what the meter was asked for."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.tips = wire, list[Any]()
        self.kinesis = boto3.client("kinesis")
        self.answer: dict[str, Any] = {}

    def deliver(self, number: int, usd: float) -> Callable[[], object]:
        def run() -> None:
            self.answer = gateway.lambda_handler(event(request(f"gen-{number}", usd, NAME, NOW)), None)
            if self.answer["statusCode"] >= 500:
                raise ConnectionError("OpenRouter hears an error")

        return run

    def records(self) -> list[bytes]:
        self.wire.begin()
        (shard,) = self.kinesis.describe_stream(StreamName="pushed")["StreamDescription"]["Shards"]
        start = self.kinesis.get_shard_iterator(
            StreamName="pushed", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        return [one["Data"] for one in self.kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]]

    def batch(self, state: dict[str, Any], *data: bytes) -> Callable[[], object]:
        records = [{"kinesis": {"data": base64.b64encode(one).decode()}} for one in data]

        def run() -> None:
            self.answer = tally.lambda_handler({"Records": records, "window": {}, "state": state}, context())

        return run


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    wire = Wire()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        stack.enter_context(mock_aws())
        stack.enter_context(wire.connected(mock.Mock()))
        stack.enter_context(mock.patch("broadcast_tally.handler.time.time", return_value=float(NOW)))
        stack.enter_context(mock.patch("governor.header_token.HeaderToken.PAUSE_SECONDS", 0))
        wire.begin()
        secret = json.dumps({"token": TOKEN})
        boto3.client("secretsmanager").create_secret(Name="governor/broadcast", SecretString=secret)
        boto3.client("kinesis").create_stream(StreamName="pushed", ShardCount=1)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="readings-fake")
        watch = Watch(NOW // 60, {digest_of(NAME): Line(2.0, 0, ("a" * 16,))})
        s3.put_object(Bucket="readings-fake", Key="watch/lines.json", Body=watch.encode())
        pipe = Pipe(wire)
        take = MeterTips.tip

        def tip(sender: Any, one: Any) -> None:
            with mock.patch.object(sender, "_client") as client:
                client.invoke = lambda **given: wire.cross("lambda.Invoke", lambda: pipe.tips.append(one), _unreachable)
                take(sender, one)

        stack.enter_context(mock.patch.object(MeterTips, "tip", tip))
        fresh()
        yield pipe
        fresh()


def _unreachable(fault: Fault) -> None:
    raise ConnectionError(str(fault))


def fresh() -> None:
    """New containers."""
    gateway.build.cache_clear()
    tally.build.cache_clear()


def test_any_call_of_the_gateway_may_fail_and_a_delivery_that_comes_again_is_counted_once(
    pipe: Pipe, counted: list[str]
) -> None:
    calls = pipe.wire.calls_of(pipe.deliver(0, 0.1))
    assert [name for name in calls if name.startswith("kinesis")] == ["kinesis.PutRecord"]
    for number, accident in enumerate(accidents(calls), start=1):
        with case(counted, accident):
            fresh()
            if invoke(pipe.wire, pipe.deliver(number, 0.001), accident) != Ended.DONE:
                fresh()
                assert invoke(pipe.wire, pipe.deliver(number, 0.001)) == Ended.DONE
            data = pipe.records()
            ours = [one for one in data if Pushed.decode(one) == Pushed.of(f"gen-{number}", NAME, 0.001, NOW)]
            assert 1 <= len(ours) <= 5, "at least once; boto3's retry and OpenRouter's may each add one"
            fresh()
            assert invoke(pipe.wire, pipe.batch({}, *ours)) == Ended.DONE
            assert pipe.answer["state"]["counts"]["counted"] == 1


def test_any_call_of_the_tally_may_fail_and_the_batch_that_comes_again_asks_and_counts_as_the_first(
    pipe: Pipe, counted: list[str]
) -> None:
    before = Pushed.of("gen-a", NAME, 1.9, NOW).encode()
    crossing = Pushed.of("gen-b", NAME, 0.2, NOW).encode()
    assert invoke(pipe.wire, pipe.batch({}, before)) == Ended.DONE
    state = pipe.answer["state"]
    fresh()
    calls = pipe.wire.calls_of(pipe.batch(state, crossing))
    assert calls == ["s3.GetObject", "lambda.Invoke"]
    for accident in accidents(calls):
        with case(counted, accident):
            fresh()
            pipe.tips.clear()
            if invoke(pipe.wire, pipe.batch(state, crossing), accident) != Ended.DONE:
                fresh()
                assert invoke(pipe.wire, pipe.batch(state, crossing)) == Ended.DONE
            assert 1 <= len(pipe.tips) <= 2
            assert {tip.keys for tip in pipe.tips} == {(digest_of(NAME),)}
            assert pipe.answer["state"]["counts"] == {"counted": 2}
            assert sum(pipe.answer["state"]["sums"].values()) == pytest.approx(2.1)


def test_forged_deliveries_reach_no_stream_in_a_thousand_tries(pipe: Pipe, counted: list[str]) -> None:
    body = request("gen-forged", 900.0, NAME, NOW)
    for number in range(1_000):
        with case(counted, f"forgery {number}"):
            token = TOKEN[: number % len(TOKEN)] + "y" * (number % 7 + 1) if number % 3 else TOKEN + " " * (number + 1)
            token = token.replace(TOKEN, TOKEN[::-1], 1) if token == TOKEN else token
            assert gateway.lambda_handler(event(body, token=token), None)["statusCode"] == 401
    assert pipe.records() == []


def test_replayed_deliveries_are_summed_once_however_often_and_in_whatever_order_they_come(
    pipe: Pipe, counted: list[str]
) -> None:
    for number in range(200):
        with case(counted, f"delivery {number % 20}, turn {number // 20}"):
            assert invoke(pipe.wire, pipe.deliver((number * 7) % 20, 0.05)) == Ended.DONE
    data = pipe.records()
    assert len(data) == 200
    assert invoke(pipe.wire, pipe.batch({}, *data)) == Ended.DONE
    assert pipe.answer["state"]["counts"] == {"counted": 20, "repeated": 180}
    assert pipe.tips == [], "ten times the same costs cross no line"
