"""What a replay comes to: dollars, false-alarm candidates, and knobs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.account import Account
from cli.output import Failure
from cli.replay.history import History
from cli.replay.knobs import KNOBS, turned
from cli.replay.outcome import Outcome, outcome_of
from cli.replay.play import Play, layers_of
from governor.events import DetailType
from governor.policy import Policy
from management_api import ApiKey, Workspace
from spend_meter.periods import minute_of
from tests.unit.cli.analytics import NOW, api_key

START = (NOW - timedelta(days=2)).replace(hour=0)
LOOP = START + timedelta(hours=2)
KEY = api_key(1, "prod-agent")
WORKSPACE = Workspace(id="w1", name="Production", slug="production", created_at=NOW - timedelta(days=300))


def policy(**workload: Any) -> Policy:
    declared = {"name": "prod-agent", "workspace": "production", "owner": {"slack": "U0AGENT"}, **workload}
    return Policy.model_validate({"version": 1, "workloads": [{"runaway": {"mode": "disable"}, **declared}]})


def past(*loops: timedelta, usd_per_hour: float = 600.0, minutes: int = 120) -> History:
    """Four weeks of a dollar an hour by day, and two days of the same with loops at these times after their start."""
    history = History(minute_of(START) // 60 - 28 * 24, minute_of(NOW) // 60)
    for hour in range(history.start, history.end):
        if 8 <= hour % 24 < 18:
            history.add_hour(KEY.hash, hour, 1.0)
    for loop in loops:
        for hour in range(-(-minutes // 60)):
            history.add_hour(KEY.hash, minute_of(START + loop) // 60 + hour, usd_per_hour)
    return history


def play(wanted: Policy, history: History, key: ApiKey = KEY) -> Outcome:
    account = Account(begun=NOW, workspaces=(WORKSPACE,), keys=(key,))
    return outcome_of(Play(wanted, account, history, START, NOW).run(), history)


def test_a_disable_says_what_was_lost_in_any_case_and_what_it_refused():
    history = past(timedelta(hours=2))

    (stop,) = play(policy(), history).stops

    assert (stop.rule, stop.cause, stop.started_at) == ("disable", "runaway", LOOP + timedelta(minutes=1))
    burned = (stop.at - LOOP) / timedelta(minutes=1)
    assert burned < 10
    assert stop.lost_usd == pytest.approx(600 / 59 * burned)
    assert stop.lost_usd + stop.after_usd == pytest.approx(1200.0, rel=0.01)
    assert stop.until == LOOP.replace(hour=8), "somebody gives the key back in the morning"


def test_the_key_is_given_back_in_the_morning_and_watched_again():
    history = past(timedelta(hours=2), timedelta(days=1, hours=4))

    outcome = play(policy(), history)

    assert [event.detail_type for event in outcome.events if event.detail_type is DetailType.KEY_RESTORED] == [
        DetailType.KEY_RESTORED,
        DetailType.KEY_RESTORED,
    ]
    assert len(outcome.stops) == 2


def test_a_dry_run_tells_of_one_burn_once_and_counts_the_repeats():
    outcome = play(policy(runaway={"mode": "alert"}), past(timedelta(hours=2)))

    (stop,) = outcome.stops
    assert stop.rule == "alert_mode"
    assert stop.repeats >= 6, "a confirmed runaway is told every quarter of an hour while it burns"
    assert stop.after_usd == pytest.approx(1200 - stop.lost_usd, rel=0.01)
    assert outcome.totals()["spent_while_withheld_usd"] == pytest.approx(stop.after_usd, abs=0.01)


def test_tier_zero_is_never_disabled_without_a_person():
    (stop,) = play(policy(tier=0), past(timedelta(hours=2))).stops

    assert (stop.rule, stop.disabled, stop.candidate) == ("tier_zero", False, "")


def test_a_disable_of_a_key_that_nobody_stopped_may_be_a_false_alarm():
    outcome = play(policy(), past(timedelta(hours=2)))

    (candidate,) = outcome.candidates
    assert "prod-agent is enabled today, and spent on 2 later days" in candidate.candidate


def test_a_burn_that_came_again_is_the_better_candidate():
    once = play(policy(), past(timedelta(hours=2)))
    twice = play(policy(), past(timedelta(hours=2), timedelta(days=1, hours=6)))

    assert [one.again for one in once.candidates] == [0]
    assert [one.again for one in twice.candidates] == [1, 1]


def test_a_key_that_somebody_disabled_since_is_no_candidate():
    outcome = play(policy(), past(timedelta(hours=2)), replace(KEY, disabled=True))

    assert len(outcome.stops) == 1
    assert outcome.candidates == []


def test_a_budget_that_disables_says_what_was_spent_beyond_it():
    wanted = policy(key={"limit_usd": 3, "limit_reset": "daily"}, budget={"disable_at": 1.0}, runaway={"mode": "off"})

    outcome = play(wanted, past())

    first = outcome.stops[0]
    assert (first.cause, first.rule, first.why) == ("budget", "disable", "workload budget")
    assert first.lost_usd < 0.2
    assert first.after_usd == pytest.approx(7.0, rel=0.05)
    assert first.until == (START + timedelta(days=1)).replace(hour=8), "the first morning of the next period"
    assert outcome.summaries[0].alerts >= 3


def test_a_key_made_meanwhile_is_not_there_before():
    made = START + timedelta(hours=9, minutes=30)
    history = History(minute_of(START) // 60, minute_of(NOW) // 60)
    history.add_hour(KEY.hash, minute_of(made) // 60 + 1, 50.0)

    outcome = play(policy(), history, replace(KEY, created_at=made))

    assert all(event.occurred_at >= made for event in outcome.events)
    assert outcome.summaries[0].spent_usd == 50.0


@pytest.mark.parametrize(
    ("key", "capped"),
    [
        ({}, None),
        ({"limit_usd": 300, "limit_reset": "daily"}, 300.0),
        # A Monday: nothing of the week was spent before.
        ({"limit_usd": 300, "limit_reset": "weekly"}, 300.0),
        # $150 of the month were spent in the fifteen days before.
        ({"limit_usd": 300, "limit_reset": "monthly"}, 300.0 - 15 * 10.0),
        ({"limit_usd": 5000, "limit_reset": "monthly"}, 1210.0),
    ],
)
def test_the_dearest_day_is_shown_with_and_without_the_policys_cap(key, capped):
    (summary,) = play(policy(key=key, runaway={"mode": "off"}), past(timedelta(hours=2))).summaries

    assert summary.worst_usd == pytest.approx(1210.0)
    assert summary.worst_day == START
    assert summary.capped_usd == (None if capped is None else pytest.approx(capped))


def test_layers_are_the_accounts_own():
    layers = layers_of(Account(begun=NOW, workspaces=(WORKSPACE,)), 5)

    assert layers.workspaces == {"w1": ("Production", "production")}


@pytest.mark.parametrize(
    ("knob", "seen"),
    [
        ("tier=0", lambda one: (one.workloads[0].tier, 0)),
        ("prod-agent.tier=2", lambda one: (one.workloads[0].tier, 2)),
        ("disable_at=1.0", lambda one: (one.defaults.budget.disable_at, 1.0)),
        ("disable_at=0.9", lambda one: (one.for_subject("prod-agent").budget.disable_at, 0.9)),
        ("disable_at=never", lambda one: (one.for_subject("prod-agent").budget.disable_at, None)),
        ("alert_at=0.2,0.4", lambda one: (one.for_subject("prod-agent").budget.alert_at, (0.2, 0.4))),
        ("runaway=off", lambda one: (one.for_subject("prod-agent").runaway.mode, "off")),
        ("prod-agent.limit_usd=7", lambda one: (one.workloads[0].key.limit_usd, 7.0)),
        ("limit_usd=never", lambda one: (one.workloads[0].key.limit_usd, None)),
    ],
)
def test_a_knob_turns_one_thing(knob, seen):
    before = policy(key={"limit_usd": 5, "limit_reset": "daily"})

    was, wanted = seen(turned(before, knob))

    assert was == wanted
    assert before == policy(key={"limit_usd": 5, "limit_reset": "daily"})


def test_a_knob_of_one_workload_leaves_the_defaults():
    assert turned(policy(), "prod-agent.disable_at=1.0").defaults == policy().defaults


@pytest.mark.parametrize(
    ("knob", "said"),
    [
        ("teir=0", "Did you mean tier?"),
        ("tier", "Knobs: "),
        ("tier=9", "0 to 3"),
        ("disable_at=150%", "a share"),
        ("disable_at=-1", "a share"),
        ("runaway=kill", "off, alert, disable"),
        ("prod-agnet.tier=0", "Did you mean prod-agent?"),
        ("limit_usd=0", "USD in a key's period"),
    ],
)
def test_a_knob_that_there_is_none_says_which_there_are(knob, said):
    with pytest.raises(Failure) as failed:
        turned(policy(), knob)

    assert said in failed.value.fix


def test_every_knob_says_its_values():
    for name in KNOBS:
        with pytest.raises(Failure) as failed:
            turned(policy(), f"{name}=?")
        assert failed.value.fix.startswith("Values: ")


def test_what_if_is_another_outcome_of_the_same_past():
    history = past(timedelta(hours=2))

    ours, other = play(policy(), history), play(turned(policy(), "tier=0"), history)

    assert (ours.totals()["disables"], other.totals()["disables"]) == (1, 0)
    assert other.totals()["withheld"] == 1
    assert ours.totals()["confirmed"] == other.totals()["confirmed"] == 1
