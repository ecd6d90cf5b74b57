from collections.abc import Callable

import pytest

from governor.events import Event
from governor.policy import Policy
from notifier.decide import Decision, decide, give_up_on_slack
from notifier.incident import Incident
from notifier.kinds import incident_key

Sample = Callable[..., Event]


def _after(policy: Policy, *events: Event) -> Decision:
    incident = Incident(incident_key(events[0]))
    for event in events:
        decision = decide(incident, event, policy)
        incident = decision.incident
    return decision


def test_the_parent_shows_where_the_incident_stands_and_how_it_came_there(policy: Policy, sample: Sample) -> None:
    parent = _after(policy, sample("runaway_suspected"), sample("runaway_confirmed"), sample("key_disabled")).parent
    assert parent.text.startswith("🔴 prod-search-agent was burning $498/h (20× its habit). Its key is disabled.")
    assert parent.color == "#d72b3f"
    assert "Runaway Suspected → " in parent.context[0]
    assert parent.context[0].endswith(" Key Disabled")
    assert parent.sections[0].startswith("`▂")


def test_a_late_step_is_added_to_the_history_and_leaves_the_state(policy: Policy, sample: Sample) -> None:
    in_order = _after(policy, sample("runaway_suspected"), sample("runaway_confirmed"), sample("key_disabled"))
    late = _after(policy, sample("key_disabled"), sample("runaway_confirmed"), sample("runaway_suspected"))
    assert late.parent == in_order.parent


@pytest.mark.parametrize(
    ("name", "reply", "broadcast"),
    [
        ("runaway_suspected", False, False), ("runaway_confirmed", True, False), ("key_disabled", True, True),
        ("disable_withheld", True, True), ("key_restored", True, False), ("restore_refused", True, False),
        ("runaway_ended", False, False), ("monitor_blind", True, True), ("monitor_recovered", True, False),
        ("key_exposed", True, True), ("budget_threshold_reached", True, True),
    ],
)  # fmt: skip
def test_a_severe_step_is_said_in_the_thread_and_in_the_channel_where_a_human_must_act(
    policy: Policy, sample: Sample, name: str, reply: bool, broadcast: bool
) -> None:
    decision = _after(policy, sample(name))
    assert (decision.reply, decision.broadcast) == (reply, broadcast)


def test_a_disable_that_was_lifted_before_it_was_heard_of_is_not_shouted(policy: Policy, sample: Sample) -> None:
    decision = _after(policy, sample("key_restored"), sample("key_disabled"))
    assert (decision.reply, decision.broadcast) == (True, False)


def test_a_straggler_is_said_in_the_new_thread_as_what_it_is(policy: Policy, sample: Sample) -> None:
    decision = _after(
        policy,
        sample("runaway_confirmed", minutes=1),
        sample("runaway_ended", minutes=9),
        sample("runaway_confirmed", minutes=60, id="next"),
        sample("key_disabled", minutes=5),
    )
    assert decision.notice.text.startswith("Late, of an earlier incident (")
    assert (decision.reply, decision.broadcast) == (True, False)
    assert decision.reason == "belongs to an earlier incident"


def test_mail_takes_over_sooner_from_a_silent_slack_than_from_a_busy_one() -> None:
    assert [give_up_on_slack(n, limited=False) for n in (1, 2, 3)] == [False, False, True]
    assert [give_up_on_slack(n, limited=True) for n in (3, 5, 6)] == [False, False, True]
