"""What a workload's habit may need, when its allowance is renewed, and what happens once it has run out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.keys.allowance import MOST, Need, Needs, granted
from governor.keys.lineage import Limit
from governor.ledger import ABSENT, Put
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.limits import Level
from spend_meter.needs import LEAST, TIMES, need_usd
from spend_meter.runaway import QUIET, Facts, State, judge, settle
from tests.unit.governor.test_caps import key as api_key
from tests.unit.spend_meter.test_runaway import DAWN, Story, accustomed

NAME = "prod-agent"
CAP = 200.0


def test_a_need_is_three_times_what_so_many_hours_ever_brought() -> None:
    history = accustomed(1.0)  # $60 in one hour of each day
    assert need_usd(history, 60) == pytest.approx(TIMES * 60, rel=0.01)
    assert need_usd(history, 360) == pytest.approx(TIMES * 60, rel=0.01)
    assert need_usd(history, 720) == pytest.approx(TIMES * 60, rel=0.01)


def test_between_two_windows_it_is_the_lesser_of_many_short_ones_and_a_longer_one() -> None:
    history = accustomed(1.0, at=range(600, 960))  # $60 an hour, for six hours
    assert need_usd(history, 120) == pytest.approx(TIMES * 120, rel=0.01)
    assert need_usd(history, 360) == pytest.approx(TIMES * 360, rel=0.01)


def test_few_days_of_spend_need_more_and_a_small_habit_is_not_worth_refusals() -> None:
    history = History.empty(DAWN - 28 * DAY)
    for day in range(28):
        for minute in range(600, 660) if day % 4 == 0 else ():
            history.record(DAWN - (28 - day) * DAY + minute, 1.0)
            history.teach()
    history.advance(DAWN)
    assert history.days_of_spend == 7
    assert need_usd(history, 360) == pytest.approx(2 * TIMES * 60, rel=0.01)
    assert need_usd(accustomed(0.001), 360) == LEAST


@pytest.mark.parametrize(("days", "known"), [(13, False), (14, True)])
def test_a_subject_that_the_detector_does_not_know_has_no_allowance(days: int, known: bool) -> None:
    assert (need_usd(accustomed(1.0, days=days), 360) is not None) == known


def burst(usd: float, run_out: bool, state: State = QUIET) -> tuple[History, Any]:
    """A subject of $60 a day that spends so much within the last minute."""
    history = accustomed(1.0)
    history.record(DAWN + 1, usd)
    return history, judge(history, Facts(DAWN + 1, previous=state, run_out=run_out))


def test_spend_that_is_no_habit_and_has_used_up_the_allowance_is_confirmed_at_once() -> None:
    """There is no second run: OpenRouter refuses the key, which spends nothing more."""
    _, verdict = burst(80.0, run_out=False)
    assert verdict.level is Level.QUIET
    _, verdict = burst(80.0, run_out=True)
    assert (verdict.level, verdict.announce) == (Level.CONFIRM, True)
    assert verdict.rule == "allowance"
    assert "has used up its allowance, so that OpenRouter refuses its requests" in verdict.reason
    assert State.from_bytes(verdict.next_state.to_bytes()).rule == "allowance"


def test_spend_within_its_habits_that_has_used_up_the_allowance_is_no_incident() -> None:
    _, verdict = burst(40.0, run_out=True)
    assert (verdict.level, verdict.announce) == (Level.QUIET, False)


def test_a_suspicion_that_was_told_lately_is_the_habit_of_today() -> None:
    told = State(told_minute=DAWN - 60, told_rate=100_000.0)
    _, verdict = burst(250.0, run_out=True, state=told)
    assert verdict.level is Level.QUIET


def test_what_is_suspected_is_confirmed_when_the_allowance_runs_out() -> None:
    story = Story(accustomed(1.0))
    story.live(1, 60.0)
    story.live(1, 10.0)
    assert story.state.level is Level.SUSPECT
    minute = story.history.minute + 1
    story.history.record(minute, 1.0)
    verdict = judge(story.history, Facts(minute, previous=story.state, run_out=True))
    assert (verdict.level, verdict.announce) == (Level.CONFIRM, True)


@pytest.mark.parametrize("refused", [True, False])
def test_a_confirmed_runaway_that_is_refused_is_not_over_because_it_spends_nothing(refused: bool) -> None:
    history, verdict = burst(250.0, run_out=True)
    state, announced = verdict.next_state, 0
    for minute in range(DAWN + 2, DAWN + 90):
        history.advance(minute)
        verdict = judge(history, Facts(minute, previous=state, run_out=refused))
        settle(history, verdict)
        state, announced = verdict.next_state, announced + verdict.announce
    assert (state.level is Level.CONFIRM) == refused
    assert announced == 0


def workload(**more: Any) -> dict[str, Any]:
    return {
        "name": NAME,
        "workspace": "platform",
        "owner": {"slack": "U0AGENT"},
        "secret": "openrouter/agent",
        "key": {"limit_usd": CAP, "limit_reset": "monthly", "allowance": {}},
        **more,
    }


class Enforced:
    """A workload under an allowance, at an OpenRouter that refuses what is over a key's limit."""

    def __init__(self, world: Any, **more: Any) -> None:
        self.world = world
        self.cap = CAP
        world.with_policy(workloads=[workload(**more)])
        self.key: str = world.account.add(NAME, limit=CAP, limit_remaining=CAP, limit_reset="monthly")
        self._row()
        world.tick()
        world.accustom(self.key, usd_a_day=60.0)
        self.look()

    def look(self) -> Needs:
        """A run of the meter, and what it says."""
        self.world.tick()
        stored = self.world.needs.stored
        assert stored
        return Needs.decode(stored.content)

    def burn(self, usd_a_minute: float) -> float:
        """A minute of it, as far as OpenRouter lets it; what it cost."""
        key = self.world.account.keys[self.key]
        usd = min(usd_a_minute, max(key["limit"] - key["usage_monthly"], 0.0)) if not key["disabled"] else 0.0
        self.world.account.spend(self.key, usd)
        return float(usd)

    def tend(self, needs: Needs) -> bool:
        """What `key_retirement` does by the meter's word; whether that is a PATCH."""
        key = self.world.account.keys[self.key]
        need = needs.by_workload[NAME]
        live = replace(api_key(self.key), limit=key["limit"], usage_monthly=key["usage_monthly"], limit_reset="monthly")
        limit = granted(live, Limit(self.cap, "monthly"), need).limit_usd
        if limit == key["limit"]:
            return False
        key["limit"] = limit
        self.world.ledger.commit(Put("lineage", NAME, self._keys(limit), self._version))
        self._version += 1
        return True

    def capped(self, usd: float, limit: float) -> None:
        """The policy's cap is this, and the limit is one that Governor has set."""
        self.cap = usd
        key = {"limit_usd": usd, "limit_reset": "monthly", "allowance": {}}
        self.world.with_policy(workloads=[workload(key=key)])
        self.world.account.keys[self.key]["limit"] = limit
        self.world.ledger.commit(Put("lineage", NAME, self._keys(limit), self._version))
        self._version += 1
        self.world.restart()

    def _row(self) -> None:
        self.world.ledger.commit(Put("lineage", NAME, self._keys(CAP), ABSENT))
        self._version = ABSENT + 1

    def _keys(self, limit: float | None) -> dict[str, Any]:
        return {"keys": [{"hash": self.key, "state": "current", "given": [[limit, "monthly"]]}]}


@pytest.fixture
def enforced(world: Any) -> Enforced:
    return Enforced(world)


def test_the_meter_says_what_is_needed_and_whether_a_limit_may_have_to_move(enforced: Enforced) -> None:
    need = enforced.look().by_workload[NAME]
    assert need.usd == pytest.approx(TIMES * 60, rel=0.01)
    assert need == Need(need.usd, renew=True, due=False)
    enforced.burn(30.0)
    key = enforced.world.account.keys[enforced.key]
    key["limit"] = 100.0
    enforced.world.ledger.commit(Put("lineage", NAME, enforced._keys(100.0), enforced._version))
    for _ in range(5):
        need = enforced.look().by_workload[NAME]
    assert need.due


def test_nothing_is_due_of_a_limit_that_a_person_set(enforced: Enforced) -> None:
    enforced.world.account.keys[enforced.key]["limit"] = 31.0
    for _ in range(6):
        assert not enforced.look().by_workload[NAME].due


def test_nothing_is_said_while_nothing_can_be_read(enforced: Enforced) -> None:
    before = enforced.look()
    enforced.world.account.failing = lambda request: 500
    assert enforced.world.tick().failure
    assert Needs.decode(enforced.world.needs.stored.content) == before


def test_without_an_allowance_in_the_policy_nothing_is_kept_and_nothing_counted(world: Any) -> None:
    world.account.add("one")
    report = world.tick()
    assert world.needs.stored is None
    assert report.allowances_used_up is None


def test_what_the_policy_declares_is_needed_besides(world: Any) -> None:
    window = {"name": "close", "up_to_usd": 150, "dates": ["2026-11-16"], "at": "16:00", "lasts": "2h"}
    held = Enforced(world, runaway={"mode": "alert", "expect": [window]})
    assert held.look().by_workload[NAME].usd == pytest.approx(TIMES * 60 + 150, rel=0.01)
    world.tick(at=world.at + timedelta(hours=7))
    assert held.look().by_workload[NAME].usd == pytest.approx(TIMES * 60, rel=0.01)


@pytest.mark.parametrize("usd_an_hour", [20, 100, 500, 5_000, 100_000, 10_000_000])
def test_a_loop_of_any_rate_costs_at_most_the_allowance_between_two_looks(
    enforced: Enforced, usd_an_hour: float
) -> None:
    """The cap is far above it. Looks every minute, tended every ten; the loop begins and never ends."""
    enforced.capped(4000.0, 200.0)
    most, total = MOST * enforced.look().by_workload[NAME].usd, 0.0
    for minute in range(180):
        cost = enforced.burn(usd_an_hour / 60)
        total += cost
        assert cost <= most
        needs = enforced.look()
        if minute % 10 == 0:
            enforced.tend(needs)
    assert bool(enforced.world.bus.of("Runaway Confirmed")) == (usd_an_hour >= 500)
    assert total <= (3 * most if usd_an_hour >= 500 else 180 * usd_an_hour / 60 + 1)


def test_run_out_under_suspicion_it_is_not_renewed_counted_and_confirmed_until_a_person_decides(
    enforced: Enforced,
) -> None:
    """Ten million dollars an hour: the allowance is gone within one look, and no second run will come."""
    enforced.capped(1000.0, 240.0)
    enforced.burn(1e6)
    needs = enforced.look()
    assert not needs.by_workload[NAME].renew
    (event,) = enforced.world.bus.of("Runaway Confirmed")
    assert event.evidence["spent_usd"] > 150
    for _ in range(30):
        report = enforced.world.tick()
        assert report.allowances_used_up == [NAME]
    assert not enforced.look().by_workload[NAME].renew
    assert len(enforced.world.bus.of("Runaway Confirmed")) == 1
    until = (enforced.world.at + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    row = {"kind": "expected", "until": until}
    enforced.world.ledger.commit(Put("detector", f"{NAME}#expected", row, ABSENT))
    assert enforced.look().by_workload[NAME].renew
