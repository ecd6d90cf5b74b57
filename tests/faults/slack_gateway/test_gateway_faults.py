"""Every outside call of the gateway fails in every way: the person sees an error, or what they did is queued."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from slack_gateway import handler
from tests.faults.clients import client
from tests.faults.harness import Fault, Killed, Wire, accidents, case
from tests.unit.slack_gateway.signing import COMMAND, NOW, SECRET, request

REGION = "us-east-1"
SLACK = {"signing_secret": SECRET}


class World:
    """The gateway's secret and queue in moto, every call on a wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.now = NOW
        client("secretsmanager").create_secret(Name="governor/slack-signing", SecretString=json.dumps(SLACK))
        client("sqs").create_queue(QueueName="requests")

    def sign_with(self, secret: str) -> None:
        """The secret is replaced."""
        text = json.dumps({**SLACK, "signing_secret": secret})
        client("secretsmanager").put_secret_value(SecretId="governor/slack-signing", SecretString=text)

    def post(self, event: dict[str, Any]) -> int:
        """What Slack hears; 502 where the process died."""
        try:
            return int(handler.lambda_handler(event, None)["statusCode"])
        except Killed:
            handler.build.cache_clear()
            return 502

    @property
    def queued(self) -> list[dict[str, Any]]:
        messages = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues["requests"]._messages
        return [json.loads(message.body) for message in messages]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    wire, current = Wire(), list[World]()

    def make() -> World:
        wire.begin()
        for backends in (secretsmanager_backends, sqs_backends):
            for backend in backends[DEFAULT_ACCOUNT_ID].values():
                backend.reset()
        handler.build.cache_clear()
        current.append(World(wire))
        return current[-1]

    monkeypatch.setenv("SLACK_SIGNING_SECRET", "governor/slack-signing")
    url = f"https://sqs.{REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/requests"
    monkeypatch.setenv("REQUEST_QUEUE_URL", url)
    monkeypatch.setenv("HOME_QUEUE_URL", url)
    with (
        mock_aws(),
        mock.patch("slack_gateway.handler.time", SimpleNamespace(time=lambda: current[-1].now)),
        mock.patch("slack_sdk.signature.Clock.now", side_effect=lambda: current[-1].now),
        wire.connected(httpx.MockTransport(lambda asked: httpx.Response(500, request=asked))),
    ):
        yield make
    handler.build.cache_clear()


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_an_error_is_seen_or_it_is_queued_and_slacks_retry_is_the_same(
    fault: Fault, fresh: Callable[[], World], counted: list[str]
) -> None:
    first = fresh()
    for accident in accidents(first.wire.calls_of(lambda: first.post(request())), (fault,)):
        with case(counted, accident):
            world = fresh()
            world.wire.begin(accident)
            status = world.post(request())
            assert status in (200, 500, 502)
            if status == 200:
                assert world.queued, "nothing may be lost silently"
            world.wire.begin()
            world.now += 2
            assert world.post(request(at=world.now)) == 200
            assert len({one["id"] for one in world.queued}) == 1
            assert len(world.queued) <= 3


def test_forged_truncated_and_late_requests_cost_no_more_than_one_read_of_the_secret(
    fresh: Callable[[], World], counted: list[str]
) -> None:
    world = fresh()
    world.wire.begin()
    bad = [
        request(secret="forged"),
        {**request(), "body": COMMAND[:-1]},
        {**request(), "body": ""},
        request(at=NOW - 301),
        {**request(), "body": "x" * 600_000},
        {},
    ]
    for number, event in enumerate(bad * 20):
        with case(counted, number):
            assert 400 <= world.post(event) < 500
    assert world.wire.calls == ["secrets-manager.GetSecretValue"]
    assert world.queued == []


def test_a_replaced_signing_secret_works_without_a_deploy_and_the_old_one_ends(fresh: Callable[[], World]) -> None:
    world = fresh()
    assert world.post(request()) == 200
    world.sign_with("second")
    world.now += 61
    assert world.post(request(at=world.now, secret="second")) == 200
    assert world.post(request(at=world.now)) == 401


def test_a_replay_within_the_window_has_the_id_it_had(fresh: Callable[[], World]) -> None:
    world = fresh()
    stolen = request()
    for seconds in (0, 100, 300):
        world.now = NOW + seconds
        assert world.post(stolen) == 200
    world.now = NOW + 301
    assert world.post(stolen) == 401
    assert len({one["id"] for one in world.queued}) == 1
