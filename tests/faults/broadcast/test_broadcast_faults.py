"""Every outside call of the gateway and of the tally goes wrong in every way: costs are summed once, tips come again.

OpenRouter delivers a request again when it hears an error; Lambda hands a batch over again, with its first state.
"""

import base64
import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from broadcast_gateway import handler as gateway
from broadcast_tally import handler as tally
from governor.broadcast.messages import LastPushed, Line, Pushed, Watch, digest_of
from governor.broadcast.meter_tips import MeterTips
from tests.faults.clients import client
from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, context, invoke
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
        self.kinesis = client("kinesis")
        self.answer: dict[str, Any] = {}
        self.iterator = ""

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
        found = self.kinesis.get_records(ShardIterator=start["ShardIterator"])
        self.iterator = found["NextShardIterator"]
        return [one["Data"] for one in found["Records"]]

    def fresh(self) -> list[bytes]:
        """The records that were put since this was asked last, as a shard's reader gets them."""
        self.wire.begin()
        if not self.iterator:
            self.records()
        found = self.kinesis.get_records(ShardIterator=self.iterator)
        self.iterator = found["NextShardIterator"]
        return [one["Data"] for one in found["Records"]]

    def batch(self, state: dict[str, Any], *data: bytes, final: bool = False) -> Callable[[], object]:
        records = [{"kinesis": {"data": base64.b64encode(one).decode()}} for one in data]
        event = {"Records": records, "window": {}, "state": state, "isFinalInvokeForWindow": final}

        def run() -> None:
            self.answer = tally.lambda_handler(event, context())

        return run

    def noted(self) -> dict[str, int]:
        """Which workspaces pushed last, as the check of Broadcast reads it."""
        self.wire.begin()
        try:
            content = client("s3").get_object(Bucket="readings-fake", Key="pushed/workspaces.json")["Body"].read()
        except ClientError:
            return {}
        return dict(LastPushed.decode(content).minutes)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    wire = Wire()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT))
        stack.enter_context(mock_aws())
        stack.enter_context(wire.connected(mock.Mock()))
        stack.enter_context(mock.patch("broadcast_tally.handler.time.time", return_value=float(NOW)))
        stack.enter_context(mock.patch("governor.broadcast.header_token.HeaderToken.PAUSE_SECONDS", 0))
        wire.begin()
        secret = json.dumps({"token": TOKEN})
        client("secretsmanager").create_secret(Name="governor/broadcast", SecretString=secret)
        client("kinesis").create_stream(StreamName="pushed", ShardCount=1)
        s3 = client("s3")
        s3.create_bucket(Bucket="readings-fake")
        watch = Watch(NOW // 60, {digest_of(NAME): Line(2.0, 0, ("a" * 16,))}, ("ws-1",))
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


def test_two_accidents_anywhere_between_openrouter_and_the_meter_lose_nothing_and_count_nothing_twice(
    pipe: Pipe, counted: list[str]
) -> None:
    """Pairs: one in the gateway and one in the tally, and one in each of two attempts of the same function."""
    gateways = list(accidents(pipe.wire.calls_of(pipe.deliver(0, 0.1))))
    crossing = Pushed.of("gen-crossing", NAME, 2.5, NOW).encode()
    fresh()
    tallies = list(accidents(pipe.wire.calls_of(pipe.batch({}, crossing, final=True))))
    assert {one.name for one in tallies} == {"s3.GetObject", "s3.PutObject", "lambda.Invoke"}
    across = [([one], [other]) for one, other in itertools.product(gateways, tallies)]
    within = [(list(pair), list[Accident]()) for pair in itertools.product(gateways, gateways)]
    within += [(list[Accident](), list(pair)) for pair in itertools.product(tallies, tallies)]
    pipe.fresh()
    for number, (at_gateway, at_tally) in enumerate([*across, *within], start=1):
        with case(counted, f"{[*map(str, at_gateway)]} in the gateway, {[*map(str, at_tally)]} in the tally"):
            pipe.tips.clear()
            _until_done(pipe, pipe.deliver(number, 2.5), at_gateway)
            data = pipe.fresh()
            assert {Pushed.decode(one) for one in data} == {Pushed.of(f"gen-{number}", NAME, 2.5, NOW)}
            _until_done(pipe, pipe.batch({}, *data), at_tally)
            assert pipe.answer["state"]["counts"]["counted"] == 1
            assert list(pipe.answer["state"]["sums"].values()) == [pytest.approx(2.5)]
            assert 1 <= len(pipe.tips) <= 3, "each attempt may have asked, and none is lost"
            assert {tip.keys for tip in pipe.tips} == {(digest_of(NAME),)}


def _until_done(pipe: Pipe, run: Callable[[], object], planned: Sequence[Accident]) -> None:
    """Attempts in new containers, as OpenRouter or Lambda makes them: each of `planned` befalls one of the first."""
    for accident in planned:
        fresh()
        if invoke(pipe.wire, run, accident) == Ended.DONE:
            return
    fresh()
    assert invoke(pipe.wire, run) == Ended.DONE


def test_what_befalls_the_note_of_who_pushed_fails_no_batch_and_the_next_minute_notes_it(
    pipe: Pipe, counted: list[str]
) -> None:
    one = Pushed.of("gen-a", NAME, 0.1, NOW).encode()
    calls = pipe.wire.calls_of(pipe.batch({}, one, final=True))
    assert calls[-2:] == ["s3.GetObject", "s3.PutObject"]
    assert pipe.noted() == {"ws-1": NOW // 60}
    for accident in accidents(calls):
        with case(counted, accident):
            fresh()
            ended = invoke(pipe.wire, pipe.batch({}, one, final=True), accident)
            noting = accident.at >= len(calls) - 2
            assert not noting or accident.fault.kills or ended == Ended.DONE
            fresh()
            assert invoke(pipe.wire, pipe.batch({}, one, final=True)) == Ended.DONE
            assert pipe.noted() == {"ws-1": NOW // 60}


def test_forged_notifications_reach_no_stream_in_a_thousand_tries(pipe: Pipe, counted: list[str]) -> None:
    secret = "fake-notifications-" + "n" * 32
    pipe.wire.begin()
    client("secretsmanager").put_secret_value(
        SecretId="governor/broadcast", SecretString=json.dumps({"token": TOKEN, "notifications": secret})
    )
    fresh()
    drawn = random.Random(16)
    for number in range(1_000):
        with case(counted, f"forgery {number}"):
            forged = TOKEN if number == 0 else _forged(secret, drawn)
            path = f"/notifications/{forged}"
            given = event({"workspace": {"id": "ws-1"}}, token=secret if number % 2 else None, rawPath=path)
            assert gateway.lambda_handler(given, None)["statusCode"] == 401
    assert pipe.records() == []


def _forged(secret: str, drawn: random.Random) -> str:
    """Nearly the secret: a character changed, left out or added, cut short, or doubled."""
    at = drawn.randrange(len(secret))
    return drawn.choice(
        [
            secret[:at] + "x" + secret[at + 1 :], secret[:at] + secret[at + 1 :], secret[:at] + "y" + secret[at:],
            secret[:at], secret * 2, secret + "/", "", secret.upper(),
        ]
    )  # fmt: skip


def test_thousands_of_deliveries_doubled_reordered_cut_anywhere_and_replayed_later_sum_to_what_was_spent(
    pipe: Pipe, counted: list[str]
) -> None:
    """A batch boundary may fall anywhere, a batch may come again, and a recorded delivery be sent again at any time."""
    for seed in range(60):
        drawn = random.Random(seed)
        with case(counted, f"seed {seed}"):
            pipe.tips.clear()
            costs = [drawn.choice([0.0, 0.001, 0.01]) for _ in range(50)]
            genuine = [Pushed.of(f"gen-{number}", NAME, usd, NOW) for number, usd in enumerate(costs)]
            old = [Pushed.of(f"old-{number}", NAME, 900.0, NOW - 301 - number) for number in range(10)]
            sent = [one.encode() for one in [*genuine, *drawn.choices(genuine, k=50), *old]]
            drawn.shuffle(sent)
            state: dict[str, Any] = {}
            while sent:
                size = drawn.randint(1, len(sent))
                batch, sent = sent[:size], sent[size:]
                for _ in range(drawn.choice([1, 1, 2])):  # Lambda hands a batch over again with the state of before
                    assert invoke(pipe.wire, pipe.batch(state, *batch)) == Ended.DONE
                state = json.loads(json.dumps(pipe.answer["state"]))
            assert state["counts"] == {"counted": 50, "repeated": 50, "late": 10}
            assert sum(state["sums"].values()) == pytest.approx(sum(costs))
            assert pipe.tips == [], "what was spent crosses no line, however often it is told"
