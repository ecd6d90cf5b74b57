"""What is said about a human's decision, and the buttons it is made with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from governor.events import DetailType, Event
from governor.policy import Policy
from notifier.decide import decide
from notifier.incident import Incident
from notifier.kinds import incident_key
from notifier.mail import plain
from tests.unit.notifier.conftest import T0

Sample = Callable[..., Event]
NO = {"decided_by": "U0SEC", "comment": "not before <Monday>"}


def _asked(sample: Sample, kind: str = "restore", **evidence: object) -> Event:
    return sample("approval_requested", evidence={"kind": kind, **evidence})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("restore", "restore prod-search-agent (disabled for runaway)"),
        ("disable", "disable prod-search-agent"),
        ("promotion", "promote preset prod-search-agent"),
        ("override", "although a check failed"),
        ("rollback", "roll preset prod-search-agent back"),
        ("adopt", "adopt the edit"),
        ("revert", "revert the edit"),
        ("drill", "drill the failover"),
        ("key_rollback", "give prod-search-agent its former key back"),
    ],
)
def test_a_request_says_who_asks_for_what_and_who_decides_until_when(
    policy: Policy, sample: Sample, kind: str, said: str
):
    event = _asked(sample, kind)
    decision = decide(Incident(incident_key(event)), event, policy)
    headline = plain(decision.parent.text)
    assert headline.startswith(f"🟡 U0SEARCH asks to {said.split(' (')[0]}") or said in headline
    assert said in headline
    assert headline.endswith("U0LEAD or U0SEC must decide until 22 Nov 08:10 UTC.")
    assert decision.broadcast


def test_a_request_has_its_two_buttons_under_the_parent_and_none_in_the_thread(policy: Policy, sample: Sample) -> None:
    event = _asked(sample)
    decision = decide(Incident(incident_key(event)), event, policy)
    assert [(one.action, one.value["approval"]) for one in decision.parent.actions] == [
        ("approve", event.evidence["approval"]),
        ("reject", event.evidence["approval"]),
    ]
    assert {one.value["digest"] for one in decision.parent.actions} == {event.evidence["digest"]}
    assert decision.notice.actions == ()


def test_what_was_shown_is_in_the_message_and_escaped(policy: Policy, sample: Sample) -> None:
    event = _asked(sample, "promotion", shown=["⚠ data_collection: <deny> becomes allow"], file="https://slack/F1")
    message = decide(Incident(incident_key(event)), event, policy).parent
    assert message.sections[0] == (
        "• ⚠ data_collection: &lt;deny&gt; becomes allow\n<https://slack/F1|The whole difference>"
    )


def test_two_that_are_needed_are_named(policy: Policy, sample: Sample) -> None:
    event = _asked(sample, needed=2)
    assert "2 of U0LEAD or U0SEC" in plain(decide(Incident(incident_key(event)), event, policy).parent.text)


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"author": "U0SEC"}, "*Author:* <@U0SEC>, as OpenRouter says; somebody else must approve it"),
        (
            {"author_unknown": "<nobody> knows", "needed": 2},
            "unknown, because &lt;nobody&gt; knows. So 2 approvals are needed: one of them is somebody else's",
        ),
        (
            {"author_unknown": "nobody knows"},
            "⚠ The policy lets one approval do: whoever approves it may be its author",
        ),
        ({}, ""),
    ],
)
def test_a_request_says_who_the_author_is_or_what_it_means_that_nobody_knows(
    policy: Policy, sample: Sample, evidence: dict[str, object], said: str
) -> None:
    event = _asked(sample, "promotion", **evidence)
    message = decide(Incident(incident_key(event)), event, policy).parent
    assert said in message.sections[0]
    assert ("*Author:*" in str(message.sections)) is bool(evidence)
    assert ("U0SEC" in message.text) is ("author" not in evidence)


def test_a_wish_to_restore_is_talked_about_where_the_key_was_disabled(policy: Policy, sample: Sample) -> None:
    """Asked, refused, asked again, granted, restored: one thread, each step with the buttons that it leaves."""
    disabled, restored = sample("key_disabled", minutes=0), sample("key_restored", minutes=50)
    asked = sample("approval_requested", minutes=10, id="asked")
    steps = [
        (disabled, ["restore"], "Its key is disabled."),
        (asked, ["approve", "reject"], "U0SEARCH asks to restore"),
        (_after(asked, DetailType.APPROVAL_REJECTED, 20, **NO), ["restore"], "rejected the request"),
        (_after(asked, DetailType.APPROVAL_EXPIRED, 30), ["restore"], "Nobody decided in time"),
        (_after(asked, DetailType.APPROVAL_GRANTED, 40, approved_by=["U0LEAD"]), [], "U0LEAD said yes to U0SEARCH"),
        (restored, [], "is restored"),
    ]
    incident = Incident(incident_key(disabled))
    for event, buttons, said in steps:
        assert incident_key(event) == incident.key
        decision = decide(incident, event, policy)
        incident = decision.incident
        assert [one.action for one in decision.parent.actions] == buttons
        assert said in plain(decision.parent.text)
    assert incident.generation == 1


def test_a_refusal_quotes_its_reason_harmlessly(policy: Policy, sample: Sample) -> None:
    event = _after(_asked(sample), DetailType.APPROVAL_REJECTED, 20, **NO)
    headline = decide(Incident(incident_key(event)), event, policy).parent.text
    assert "“not before &lt;Monday&gt;”" in headline


def test_an_order_is_said_to_be_under_way_and_never_to_be_done(policy: Policy, sample: Sample) -> None:
    event = _after(
        _asked(sample, "disable", requested_by="U0LEAD"), DetailType.APPROVAL_GRANTED, 1, approved_by=["U0LEAD"]
    )
    headline = plain(decide(Incident(incident_key(event)), event, policy).parent.text)
    assert headline == "🟡 U0LEAD wants to disable prod-search-agent. It is being done; what came of it follows here."


def test_a_runaway_offers_both_answers_until_one_is_given(policy: Policy, sample: Sample) -> None:
    suspected, expected = sample("runaway_suspected", minutes=0), sample("runaway_expected", minutes=5)
    first = decide(Incident(incident_key(suspected)), suspected, policy)
    assert [one.action for one in first.parent.actions] == ["expected", "disable"]
    second = decide(first.incident, expected, policy)
    assert second.parent.actions == ()
    assert plain(second.parent.text) == (
        "🟢 U0SEARCH says that what prod-search-agent spends is meant. It is not judged until 21 Nov 12:10 UTC; its "
        "budgets still apply."
    )


def _after(asked: Event, kind: DetailType, minutes: int, **evidence: object) -> Event:
    return Event(
        kind, f"{kind}-{minutes}", asked.subject, T0 + timedelta(minutes=minutes), "", {**asked.evidence, **evidence}
    )


@pytest.mark.parametrize("kind", ["approval_rejected", "approval_expired"])
def test_a_rollback_that_was_not_granted_leaves_its_button_in_sight(policy: Policy, sample: Sample, kind: str) -> None:
    change = {"back": "a" * 64, "back_name": "one", "goes": "b" * 64, "goes_name": "two", "needs_approval": False}
    asked = _asked(sample, "key_rollback", change=change)
    event = replace(asked, detail_type=DetailType(kind.replace("_", " ").title()))
    (button,) = decide(Incident(incident_key(event)), event, policy).parent.actions
    assert button.action == "rollback-key"
    assert button.value == {"subject": "prod-search-agent", "back": "a" * 64, "goes": "b" * 64}
    assert incident_key(event) == "rotation#prod-search-agent"
