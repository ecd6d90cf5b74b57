"""Who is due, and who waits."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from governor.keys.causes import CauseRow, Causes
from governor.keys.lineage import Asked, Lineage, LineageKey, Lineages, Rotation
from governor.ledger import MemoryLedger
from governor.policy import Policy
from key_planning.decide import jitter, plan, rule
from key_planning.service import KeyPlanning
from key_planning.settings import Due, received

NOW = datetime(2026, 3, 11, 6, 30, tzinfo=UTC)
NAME = "prod-agent"
SAMPLES = Path(__file__).resolve().parents[3] / "events" / "key_planning"


WORKLOAD: dict[str, Any] = {
    "name": NAME, "workspace": "w", "owner": {"slack": "U0OWNER"}, "secret": "openrouter/agent",
    "rotation": {"every": "60d"},
}  # fmt: skip


def policy(**more: Any) -> Policy:
    return Policy.model_validate({"version": 1, "workloads": [WORKLOAD], **more})


def lineage(age: timedelta, **more: Any) -> Lineage:
    return Lineage(NAME, (LineageKey("a" * 64, NAME, "current", NOW - age, **more),))


def planned(one: Lineage, causes: Causes | None = None, rules: Policy | None = None) -> str:
    rules = rules or policy()
    workload = rules.workload(NAME)
    assert workload
    return plan(workload, one, causes or Causes(), rules, NOW).rule


def test_a_key_is_due_when_it_is_old_or_expires_soon_and_not_before() -> None:
    assert planned(lineage(timedelta(days=60))) == "due"
    assert planned(lineage(timedelta(days=53))) == "not_due"
    assert planned(lineage(timedelta(days=1), expires_at=NOW + timedelta(days=13))) == "expiry"
    assert planned(Lineage(NAME)) == "provision"


def test_a_key_that_lives_longer_than_the_organization_allows_is_due_at_once() -> None:
    rules = policy(account={"max_key_lifetime": "90d"}, workloads=[{**WORKLOAD, "key": {"expires_in": "90d"}}])
    day = timedelta(days=1)
    assert planned(lineage(day), rules=rules) == "lifetime"
    assert planned(lineage(day, expires_at=NOW + timedelta(days=120)), rules=rules) == "lifetime"
    assert planned(lineage(day, expires_at=NOW + timedelta(days=89)), rules=rules) == "not_due"
    assert planned(lineage(day, expires_at=NOW + timedelta(days=120))) == "not_due"


@pytest.mark.parametrize("key", [{}, {"expires_in": "91d"}])
def test_a_policy_whose_new_keys_would_be_refused_is_no_policy(key: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"key\.expires_in must be set and at most"):
        policy(account={"max_key_lifetime": "90d"}, workloads=[{**WORKLOAD, "key": key}])


def test_nothing_is_planned_for_a_held_frozen_or_busy_lineage() -> None:
    old = lineage(timedelta(days=90))
    held = Causes({"runaway": CauseRow(NAME, "runaway", "disabled", "t", ("a" * 64,), NOW)})
    assert planned(old, held) == "held"
    freeze = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "reason": "launch"}
    assert planned(old, rules=policy(rotations={"freezes": [freeze]})) == "frozen"
    busy = Lineage(NAME, old.keys, Rotation("t", "due", NOW))
    assert planned(busy) == "in_hand"
    draining = Lineage(NAME, (*old.keys, LineageKey("b" * 64, NAME, "overlap", NOW)))
    assert planned(draining) == "overlap"


def test_the_spread_is_a_tenth_of_the_interval_and_stable() -> None:
    every = timedelta(days=60)
    spread = [jitter(f"workload-{number}", every) for number in range(200)]
    assert spread == [jitter(f"workload-{number}", every) for number in range(200)]
    assert timedelta() <= min(spread)
    assert max(spread) < every * 0.1
    assert max(spread) - min(spread) > every * 0.08


def test_a_turn_is_waited_for_and_a_leak_waits_for_none() -> None:
    others = [Lineage(f"other-{number}", (), Rotation("t", "due", NOW)) for number in range(5)]
    assert rule(Due(NAME, "due", "plan"), policy(), others, NOW).rule == "at_once"
    assert rule(Due(NAME, "exposed", "event"), policy(), others, NOW).rule == "rotate"
    assert rule(Due("nobody", "asked", "event"), policy(), [], NOW).rule == "unknown"


def test_the_same_request_again_is_the_same_rotation_and_another_is_dropped() -> None:
    asked = [Lineage(NAME, (), asked=Asked("due", "plan 2026-03-11", NOW))]
    assert rule(Due(NAME, "due", "plan 2026-03-11"), policy(), asked, NOW).rule == "rotate"
    assert rule(Due(NAME, "asked", "event"), policy(), asked, NOW).rule == "another"


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_is_understood(sample: Path) -> None:
    assert received(json.loads(sample.read_text()))


class _Log(list[str]):
    def warning(self, said: str, **_more: Any) -> None:
        self.append(said)


def test_a_poison_message_goes_back_alone_and_the_others_are_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that could not be read failed all five of its batch, until each was a dead letter."""
    good = json.dumps({"workload": NAME, "why": "due", "by": "plan"})
    bodies = ["not JSON", good, "[" * 200_000, "{}", good]
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
    log, asked = _Log(), list[Due]()
    lineages = Lineages(MemoryLedger())
    planning = KeyPlanning(cast(Any, type("Ports", (), {"log": log, "lineages": lineages})()))

    def ask(_self: KeyPlanning, due: Due, _lineages: dict[str, Lineage]) -> bool:
        asked.append(due)
        return True

    monkeypatch.setattr(KeyPlanning, "_ask", ask)
    report = planning.act(received({"Records": records}))
    assert (report.later, len(asked), len(log)) == (("0", "2", "3"), 2, 3)


class _Queue:
    def __init__(self) -> None:
        self.back: list[tuple[str, int]] = []

    def back_after(self, receipt: str, seconds: int) -> bool:
        self.back.append((receipt, seconds))
        return True


@pytest.mark.parametrize(("received_before", "back"), [(1, [("r", 20)]), (90, [("r", 20)]), (91, [])])
def test_a_message_whose_turn_has_not_come_is_back_soon_and_after_half_an_hour_in_the_queues_own_time(
    received_before: int, back: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, lineages = _Queue(), Lineages(MemoryLedger())
    planning = KeyPlanning(cast(Any, type("Ports", (), {"log": _Log(), "lineages": lineages, "queue": queue})()))
    monkeypatch.setattr(KeyPlanning, "_ask", lambda *_: False)
    body = json.dumps({"workload": NAME, "why": "due", "by": "plan"})
    attributes = {"ApproximateReceiveCount": f"{received_before}"}
    record = {"messageId": "1", "body": body, "receiptHandle": "r", "attributes": attributes}
    assert planning.act(received({"Records": [record]})).later == ("1",)
    assert queue.back == back
