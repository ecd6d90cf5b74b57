"""Limits held to an allowance: moved seldom, never against a person, and the cap's again when it is taken out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.events import Event
from governor.keys.allowance import GRANTED, MOST, Need, Needs
from governor.keys.causes import CauseRow
from governor.keys.lineage import Lineage
from governor.policy import Policy
from key_retirement.settings import Tick, received
from management_api import ApiKey, KeyPatch, OutcomeUnknown
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import COUNTERS, WORKLOAD, World

CAP: dict[str, Any] = {"limit_usd": 100.0, "limit_reset": "monthly", "allowance": {}}
NEED = 10.0
AN_HOUR = timedelta(hours=1)


class Held:
    """A workload under an allowance, its one key looked at once. `need`: what the meter says at each run."""

    def __init__(self, **key: Any) -> None:
        self.world = World(key=CAP | key)
        self.need: Need | None = Need(NEED, due=True)
        self.retirement = Retirement(self.world)
        self.retirement.says = self.says
        self.patches: list[str] = []
        self.world.rotate()
        self.world.account.before = self._note
        self.tick()

    def says(self) -> Needs | None:
        minute = int(self.world.now.timestamp() // 60)
        return Needs(minute, {WORKLOAD: self.need} if self.need else {})

    def silent(self) -> None:
        """The meter has said nothing for an hour."""
        stale = Needs(int((self.world.now - AN_HOUR).timestamp() // 60), {WORKLOAD: Need(NEED, due=True)})
        self.retirement.says = lambda: stale

    def tick(self) -> None:
        """The first run of the next hour, which looks at every lineage."""
        self.retirement.tick()

    def soon(self) -> None:
        """A run ten minutes later, not the hour's first."""
        self.world.now = self.world.now.replace(minute=20) + timedelta(minutes=10)
        self.retirement.act(Tick(self.world.now))

    def spend(self, usd: float) -> None:
        hash = self.key.hash
        spent = {name: getattr(self.key, name) + usd for name in COUNTERS if name.startswith("usage")}
        self.world.account.held[hash] = replace(self.key, **spent)

    def takes_out(self) -> None:
        """The policy gives no allowance any more."""
        policy = self.world.policy.model_dump(mode="json", by_alias=True)
        policy["workloads"][0]["key"]["allowance"] = None
        self.world.policy = Policy.model_validate(policy)

    def removes(self, rename: str = "") -> None:
        """The policy has no such workload any more, or has it under another name."""
        policy = self.world.policy.model_dump(mode="json", by_alias=True)
        policy["workloads"][0]["name"] = rename or "another-workload"
        self.world.policy = Policy.model_validate(policy)

    @property
    def key(self) -> ApiKey:
        current = self.world.lineage.current
        assert current
        return self.world.account.held[current.hash]

    @property
    def limit(self) -> float | None:
        return self.key.limit

    def told(self) -> list[Event]:
        return self.retirement.told("Key Drifted")

    def _note(self, call: str) -> None:
        if call == "update":
            self.patches.append(call)


def test_the_limit_is_the_allowance_and_the_row_says_so() -> None:
    held = Held()
    assert held.limit == GRANTED * NEED
    assert held.world.lineage.allowance == NEED
    assert held.told() == []


def test_a_key_that_needs_none_is_not_patched_and_its_row_not_written() -> None:
    held = Held()
    held.patches.clear()
    for usd in (0.0, 0.5, 0.5, 0.9):
        held.spend(usd)
        held.tick()
    version = held.world.lineage.version
    held.tick()
    assert held.patches == []
    assert held.world.lineage.version == version


def test_it_is_renewed_at_the_next_run_when_the_meter_says_that_it_is_due() -> None:
    held = Held()
    held.spend(11.0)
    held.soon()
    assert held.limit == 11.0 + GRANTED * NEED
    held.need = Need(NEED)
    held.spend(11.0)
    held.soon()
    assert held.limit == 11.0 + GRANTED * NEED


def test_it_is_not_renewed_while_the_meter_suspects_the_workload() -> None:
    held = Held()
    held.need = Need(NEED, renew=False)
    held.spend(11.9)
    held.tick()
    assert held.limit == GRANTED * NEED


def test_a_meter_that_does_not_look_raises_nothing_and_takes_nothing_away() -> None:
    held = Held()
    held.spend(11.9)
    held.silent()
    held.tick()
    assert held.limit == GRANTED * NEED


def test_needs_that_cannot_be_read_stop_no_run_and_move_no_limit() -> None:
    held = Held()

    def fails() -> Needs | None:
        raise RuntimeError("S3 is down")

    held.retirement.says = fails
    held.spend(11.9)
    held.tick()
    assert held.limit == GRANTED * NEED


def test_a_workload_without_a_habit_keeps_the_cap() -> None:
    world = World(key=CAP)
    world.rotate()
    retirement = Retirement(world)
    retirement.says = lambda: Needs(int(world.now.timestamp() // 60))
    retirement.tick()
    assert world.made.limit == 100.0
    assert world.lineage.allowance is None


@pytest.mark.parametrize("forgotten", [False, True])
def test_taken_out_the_cap_is_the_limit_again_within_a_run(forgotten: bool) -> None:
    """Out of the policy, or with a habit that the meter has lost: then nothing says what the workload needs."""
    held = Held()
    if forgotten:
        held.need = None
    else:
        held.takes_out()
    held.soon()
    assert held.limit == 100.0
    assert held.world.lineage.allowance is None
    assert held.told() == []
    held.tick()
    assert held.told() == []


def person_sets(held: Held, usd: float | None) -> None:
    held.world.account.held[held.key.hash] = replace(held.key, limit=usd)


@pytest.mark.parametrize("usd", [100.0, 500.0, 3.0, None])
def test_a_limit_that_a_person_sets_is_told_once_and_stays_even_if_it_is_the_cap(usd: float | None) -> None:
    held = Held()
    held.soon()
    person_sets(held, usd)
    for _ in range(3):
        held.tick()
    assert held.limit == usd
    (event,) = held.told()
    assert event.evidence["field"] == "limit"
    assert "$12.00 monthly" in event.reason
    assert "changed by hand" in event.reason


def test_a_limit_that_a_person_set_is_set_back_where_the_policy_says_repair() -> None:
    held = Held(drift="repair")
    held.soon()
    person_sets(held, 100.0)
    held.tick()
    held.tick()
    assert held.limit == GRANTED * NEED
    assert len(held.told()) == 1


def test_a_person_gives_the_limit_back_by_setting_what_it_was() -> None:
    held = Held()
    held.soon()
    person_sets(held, 100.0)
    held.tick()
    person_sets(held, 12.0)
    held.spend(11.0)
    held.tick()
    assert held.limit == 11.0 + GRANTED * NEED


def test_taken_out_a_limit_that_a_person_set_stays() -> None:
    held = Held()
    held.soon()
    person_sets(held, 500.0)
    held.tick()
    held.takes_out()
    held.tick()
    assert held.limit == 500.0


def test_a_workload_taken_out_of_the_policy_gets_the_cap_as_its_limit_again() -> None:
    held = Held()
    held.removes()
    held.soon()
    assert held.limit == 100.0
    assert held.world.lineage.allowance is None
    held.patches.clear()
    version = held.world.lineage.version
    held.soon()
    assert held.patches == []
    assert held.world.lineage.version == version


def test_two_keys_of_a_workload_taken_out_of_the_policy_share_the_cap() -> None:
    held = Held()
    held.spend(4.0)
    held.world.ask("00000000-0000-4000-8000-000000000002")
    held.world.rotate("00000000-0000-4000-8000-000000000002")
    held.tick()
    assert held.world.lineage.allowance == NEED
    held.removes()
    held.soon()
    limits = [key.limit for key in held.world.account.held.values() if not key.disabled]
    assert len(limits) == 2
    assert sum(limit or 0.0 for limit in limits) == pytest.approx(100.0)
    assert held.limit != GRANTED * NEED


@pytest.mark.parametrize("usd", [77.0, 100.0, 3.0, None])
def test_a_limit_that_a_person_set_stays_when_the_workload_is_taken_out_of_the_policy(usd: float | None) -> None:
    held = Held()
    held.soon()
    person_sets(held, usd)
    held.removes()
    held.soon()
    assert held.limit == usd
    assert held.world.lineage.allowance is None


def test_a_key_that_another_lineage_has_taken_over_is_left_to_it() -> None:
    held = Held()
    other = Lineage("renamed-agent", held.world.lineage.keys)
    held.world.lineages.write(other)
    held.removes("renamed-agent")
    held.patches.clear()
    held.soon()
    assert held.limit == GRANTED * NEED
    assert held.world.lineage.allowance is None


def test_a_key_that_is_gone_and_an_openrouter_that_fails_keep_nothing_from_the_other_lineages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = Held()
    held.removes()

    def fails(hash: str, patch: KeyPatch) -> ApiKey:
        raise OutcomeUnknown("timed out")

    with monkeypatch.context() as patched:
        patched.setattr(held.world.account, "update", fails)
        with pytest.raises(OutcomeUnknown):
            held.soon()
    assert [lineage.allowance for lineage in held.world.lineages.all()] == [NEED]
    held.soon()
    assert held.limit == 100.0
    assert [lineage.allowance for lineage in held.world.lineages.all()] == [None]


def test_a_list_that_still_shows_the_limit_before_is_no_persons_doing() -> None:
    held = Held()
    held.spend(11.0)
    before = held.limit
    held.soon()
    now = held.limit
    person_sets(held, before)
    held.world.now += timedelta(minutes=5)
    held.retirement.act(Tick(held.world.now, WORKLOAD))
    assert held.limit == before
    assert held.told() == []
    person_sets(held, now)
    held.tick()
    assert held.told() == []


def test_a_patch_whose_answer_was_lost_is_made_good(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    held.spend(11.0)
    lost: Callable[[str, KeyPatch], ApiKey] = held.world.account.update

    def update(hash: str, patch: KeyPatch) -> ApiKey:
        raise OutcomeUnknown("timed out")

    monkeypatch.setattr(held.world.account, "update", update)
    held.tick()
    monkeypatch.setattr(held.world.account, "update", lost)
    held.tick()
    assert held.limit == 11.0 + GRANTED * NEED
    assert held.told() == []


def test_a_rotation_gives_the_new_key_an_allowance_and_keeps_the_cap_and_the_old_keys_own() -> None:
    held = Held()
    old = held.key
    held.spend(4.0)
    held.world.ask("00000000-0000-4000-8000-000000000002")
    held.world.rotate("00000000-0000-4000-8000-000000000002")
    assert held.key.hash != old.hash
    assert held.limit == GRANTED * NEED
    assert held.world.account.held[old.hash].limit == GRANTED * NEED
    held.tick()
    held.tick()
    assert held.limit == GRANTED * NEED
    live = [key for key in held.world.account.held.values() if not key.disabled]
    assert sum(max(key.limit or 0.0, key.usage_monthly) for key in live) <= 100.0


@pytest.mark.parametrize("lifted", [False, True])
def test_a_restored_key_works_at_once_though_the_meter_has_not_looked_again(lifted: bool) -> None:
    held = Held()
    held.spend(12.0)
    held.need = Need(NEED, renew=False)
    at = held.world.now
    status: Any = "lifted" if lifted else "disabled"
    row = CauseRow(WORKLOAD, "runaway", status, "t", (held.key.hash,), at, lifted_at=at if lifted else None)
    held.world.causes.ledger.commit(row.put())
    held.retirement.act(Tick(held.world.now + timedelta(minutes=1), WORKLOAD))
    assert held.limit == (12.0 + GRANTED * NEED if lifted else 12.0)


def test_a_restored_key_is_looked_at_at_once() -> None:
    envelope = {
        "detail-type": "Key Restored", "id": "e", "time": "2026-03-11T02:00:00Z",
        "detail": {"subject": WORKLOAD, "id": "r", "occurred_at": "2026-03-11T02:00:00Z", "evidence": {}},
    }  # fmt: skip
    asked = received(envelope)
    assert isinstance(asked, Tick)
    assert asked.workload == WORKLOAD


def test_the_first_run_of_a_period_takes_back_what_the_reset_gave() -> None:
    held = Held(limit_reset="daily")
    held.spend(40.0)
    held.tick()
    assert held.limit == 40.0 + GRANTED * NEED
    zero: dict[str, Any] = {name: 0.0 for name in COUNTERS if name.endswith("_daily")}
    held.world.now += timedelta(days=1)
    held.world.account.held[held.key.hash] = replace(held.key, **zero)
    held.soon()
    limit = held.limit
    assert limit is not None
    assert limit <= MOST * NEED
