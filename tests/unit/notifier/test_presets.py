"""What people read first about presets, and the buttons under it; never more than Slack takes, never a prompt."""

from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.preset_evidence import PresetDrift, Promotion
from governor.policy import Policy
from governor.slack.channel import _content
from notifier.decide import Decision, decide
from notifier.incident import Incident
from notifier.kinds import incident_key
from notifier.mail import plain
from sandbox.slack.limits import check_message
from tests.unit.notifier.conftest import T0

STAGING = {"workspace": "platform-staging", "version": 12, "digest": "a" * 64}
FORMER = {"workspace": "platform-production", "version": 7, "digest": "b" * 64}
BASE: dict[str, Any] = {
    "name": "support-triage", "promotion": "p-1", "how": "promotion", "candidate": STAGING, "former": FORMER,
    "became": 8, "requested_by": "U0DEV", "approved_by": ["U0LEAD"],
    "shown": ["⚠ completion tokens may cost $5 → $15 a million (+200 %)", "System prompt: +3 −1 lines"],
}  # fmt: skip
FAILING = [{"name": "golden: refund", "passed": False, "why": "contains; production passes"}]
BLOCKED = {"became": 0, "rule": "checks", "overridable": True, "checks": FAILING}


def told(policy: Policy, kind: str, **changes: Any) -> Decision:
    evidence = Promotion.model_validate({**BASE, **changes}).model_dump(mode="json")
    event = Event(DetailType(kind), "id", "support-triage", T0, "Why it is so.", evidence)
    return decide(Incident(incident_key(event)), event, policy)


@pytest.mark.parametrize(
    ("kind", "changes", "said", "buttons"),
    [
        ("Preset Promoted", {}, "is promoted: production serves version 12 of platform-staging", ["rollback"]),
        ("Preset Promoted", {"how": "override"}, "is promoted, although checks failed", ["rollback"]),
        ("Preset Promoted", {"former": {**FORMER, "version": 0}}, "is promoted", []),
        ("Preset Promoted", {"how": "adopt"}, "The edit of preset support-triage is adopted", []),
        ("Preset Promotion Failed", BLOCKED, "is held back by its checks. Production was not touched", ["override"]),
        ("Preset Promotion Failed", {"became": 0, "rule": "conflict"}, "was not changed. Why it is so.", []),
        ("Preset Promotion Failed", {"rule": "dropped"}, "production serves version 8. Why it is so.", []),
        ("Preset Rolled Back", {"how": "rollback"}, "is rolled back: production serves version 12 again", []),
        ("Preset Rolled Back", {"how": "revert"}, "was reverted", []),
        ("Preset Rolled Back", {"how": "automatic", "rule": "dropped"}, "OpenRouter had dropped part of it", []),
        ("Preset Rolled Back", {"how": "automatic", "rule": "smoke"}, "it did not answer", []),
    ],
)
def test_the_first_line_says_what_production_serves_and_the_buttons_what_can_be_done(
    policy: Policy, kind: str, changes: dict[str, Any], said: str, buttons: list[str]
) -> None:
    decision = told(policy, kind, **changes)
    assert said in plain(decision.parent.text)
    assert [one.action for one in decision.parent.actions] == buttons
    assert all(one.value["promotion"] == "p-1" for one in decision.parent.actions)


def test_who_approved_and_who_asked_are_named_once(policy: Policy) -> None:
    assert "U0LEAD approved what U0DEV asked for." in plain(told(policy, "Preset Promoted").parent.text)
    own = told(policy, "Preset Rolled Back", how="rollback", requested_by="U0LEAD").parent.text
    assert plain(own).endswith("By U0LEAD.")


def test_failing_checks_stand_before_what_changes_and_risks_before_the_rest(policy: Policy) -> None:
    decision = told(policy, "Preset Promotion Failed", **BLOCKED)
    lines = "\n".join(decision.parent.sections).splitlines()
    assert lines[:3] == [
        "✗ golden: refund: contains; production passes",
        "• ⚠ completion tokens may cost $5 → $15 a million (+200 %)",
        "• System prompt: +3 −1 lines",
    ]


def test_a_drift_has_two_buttons_that_name_the_version(policy: Policy) -> None:
    evidence = PresetDrift.model_validate(
        {"name": "support-triage", "live": {**FORMER, "version": 9}, "promoted": FORMER, "shown": ["seed: 1 → 2"]}
    )
    event = Event(DetailType.PRESET_DRIFTED, "id", "support-triage", T0, "Why.", evidence.model_dump(mode="json"))
    decision = decide(Incident(incident_key(event)), event, policy)
    assert decision.parent.text.startswith("🟠 Somebody changed preset support-triage in production.")
    assert [(one.action, dict(one.value)) for one in decision.parent.actions] == [
        ("adopt", {"preset": "support-triage", "version": "9"}),
        ("revert", {"preset": "support-triage", "version": "9"}),
    ]
    assert decision.broadcast


def test_one_promotion_is_one_thread_and_an_edit_another(policy: Policy) -> None:
    keys = {incident_key(told(policy, kind).incident.lead) for kind in ("Preset Promoted", "Preset Rolled Back")}
    assert keys == {"preset#support-triage#p-1"}
    edit = told(policy, "Preset Rolled Back", how="revert", promotion="drift-9").incident.key
    assert edit == "preset#support-triage#drift-9"


@pytest.mark.parametrize("kind", ["Preset Promoted", "Preset Promotion Failed"])
def test_a_thousand_lines_are_a_message_that_slack_takes(policy: Policy, kind: str) -> None:
    decision = told(policy, kind, shown=["x" * 500] * 1000, checks=FAILING * 50, overridable=True)
    for message in (decision.parent, decision.notice):
        check_message(_content(message))


def test_every_line_of_a_long_difference_is_shown_and_slack_takes_the_message(policy: Policy) -> None:
    """They were joined into one section, which was cut after 3,000 characters: what stood last was hidden."""
    shown = [f"⚠ tool added: lookup_customer_record_number_{number:03}" for number in range(110)]
    decision = told(policy, "Preset Promotion Failed", **{**BLOCKED, "shown": shown})
    text = "\n".join(decision.parent.sections)
    assert all(line in text for line in shown)
    check_message(_content(decision.parent))


def test_lines_that_find_no_room_are_counted_in_the_first_one(policy: Policy) -> None:
    shown = [f"⚠ tool added: {'x' * 60}_{number:03}" for number in range(900)]
    decision = told(policy, "Preset Promotion Failed", **{**BLOCKED, "shown": shown})
    lines = "\n".join(decision.parent.sections).splitlines()
    kept = sum("tool added" in line for line in lines)
    assert lines[0] == f"⚠ {900 - kept} of 901 lines are left out here"
    assert sum(map(len, decision.parent.sections)) < 10_000
