"""The consumer whose requests the demo counts: it caches its secret for five minutes, and hides no failure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.openrouter import Simulator
from sandbox.scenario.consumer import Consumer

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator("sk-or-v1-fake-management", clock=START.timestamp)


def consumer(simulator: Simulator, secret: dict[str, str], **more: Any) -> Consumer:
    fields = {"usd": 0.01, "every": timedelta(seconds=10), **more}
    return Consumer(simulator, lambda: secret["api_key"], START, **fields)


def test_it_asks_every_ten_seconds_and_counts_what_it_spent(simulator: Simulator) -> None:
    key, plaintext = simulator.create_key("agent")
    asking = consumer(simulator, {"api_key": plaintext})
    asking.until(START + timedelta(minutes=10))
    asking.until(START + timedelta(minutes=20))
    assert (asking.total.requests, asking.total.failed) == (120, 0)
    assert asking.total.usd == pytest.approx(key.meter.usage)
    assert asking.keys == {key.hash: START}


def test_its_processes_take_up_a_new_key_within_five_minutes_and_not_all_at_once(simulator: Simulator) -> None:
    old, first = simulator.create_key("agent")
    new, second = simulator.create_key("agent#2")
    secret = {"api_key": first}
    asking = consumer(simulator, secret)
    asking.until(START + timedelta(minutes=1))
    secret["api_key"] = second
    asking.until(START + timedelta(minutes=6, seconds=10))
    assert new.meter.usage > 0
    before = old.meter.usage
    assert before > 0.06, "some went on with the old key"
    asking.until(START + timedelta(minutes=20))
    assert old.meter.usage == before


def test_a_refused_request_is_a_failure_and_no_reason_to_read_the_secret_again(simulator: Simulator) -> None:
    old, first = simulator.create_key("agent")
    _, second = simulator.create_key("agent#2")
    secret = {"api_key": first}
    asking = consumer(simulator, secret, replicas=1)
    old.disabled = True
    secret["api_key"] = second
    asking.until(START + timedelta(minutes=10))
    assert (asking.total.requests, asking.total.failed) == (60, 30)
    assert {(one.status, one.key_hash) for one in asking.failures} == {(401, old.hash)}


def test_what_it_did_is_told_by_the_day(simulator: Simulator) -> None:
    _, plaintext = simulator.create_key("agent")
    asking = consumer(simulator, {"api_key": plaintext}, every=timedelta(hours=1), replicas=1)
    asking.until(START + timedelta(days=3))
    assert asking.between(START + timedelta(days=1), START + timedelta(days=2)).requests == 24
    assert asking.between(START, START + timedelta(days=3)).requests == 72
