"""What people read when Governor cannot see, or does not believe what it sees."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from governor.events import Event
from governor.policy import Policy
from notifier.case import figures
from notifier.kinds import incident_key
from notifier.wording import words

Sample = Callable[..., Event]


def _blind(sample: Sample, kind: str, name: str, last: str | None, error: str, reason: str) -> Event:
    evidence = {"scope": "account", "name": name, "kind": kind, "last_reading_at": last, "error": error}
    return replace(sample("monitor_blind"), subject="account", reason=reason, evidence=evidence)


def test_a_stored_reading_that_cannot_be_read_is_no_blindness(policy: Policy, sample: Sample) -> None:
    event = _blind(
        sample, "stored_reading", "the account's stored reading", None, "StateUnreadable: it has 3 bytes", "Lost: x."
    )
    said = words(event, policy, figures((event,)))

    assert said.headline == (
        "🟠 Governor lost a part of what it remembered of spending: its stored reading could not be read. "
        "Spend is metered all the same."
    )
    assert "No second message follows." in said.todo
    assert incident_key(event) != incident_key(sample("monitor_recovered"))


def test_a_403_is_not_taken_for_a_wrong_key(policy: Policy, sample: Sample) -> None:
    event = _blind(sample, "unread", "the account", None, "ReadForbidden: GET /workspaces: 403", "It is not read.")
    said = words(event, policy, figures((event,)))

    assert said.todo.startswith("A 403 need not mean the key: compare OpenRouter's IP allowlist")


def test_a_clock_that_went_back_says_from_when_to_when(policy: Policy, sample: Sample) -> None:
    event = _blind(sample, "clock", "the clock", "2026-11-21T11:03:00Z", "ClockWentBack: by 60 min", "It went back.")
    said = words(event, policy, figures((event,)))

    assert said.headline == (
        "🟠 The clock that Governor meters by went back by 1 h: it now says 21 Nov 10:04 UTC. "
        "Spend is metered all the same."
    )
    assert "Compare that time with the real one." in said.todo


def test_each_message_about_a_clock_is_a_conversation_of_its_own(sample: Sample) -> None:
    event = _blind(sample, "clock", "the clock", "2026-11-21T11:03:00Z", "ClockWentBack: by 60 min", "It went back.")

    account = replace(event, evidence={**event.evidence, "kind": "unread"})
    assert len({incident_key(one) for one in (event, replace(event, id="0" * 32), account)}) == 3


@pytest.mark.parametrize(
    ("error", "headline", "todo"),
    [
        (
            "EmptyList: it had 3 entries",
            "🟠 OpenRouter's list of guardrails came back empty. Governor goes on with what it read last.",
            "If somebody removed its entries, do nothing.",
        ),
        (
            "UnreadableEntry: 1 of 4 entries (id: string_pattern_mismatch)",
            "🟠 OpenRouter's list of guardrails has an entry that Governor cannot read. It goes on with all"
            " the others.",
            "Ask OpenRouter's support about the entry",
        ),
    ],
)
def test_a_list_that_is_not_taken_over_says_what_governor_goes_by(
    policy: Policy, sample: Sample, error: str, headline: str, todo: str
) -> None:
    event = _blind(sample, "partial_list", "list of guardrails", "2026-11-21T10:04:00Z", error, "Why.")
    event = replace(event, evidence={**event.evidence, "scope": "guardrails"})
    said = words(event, policy, figures((event,)))
    recovered = replace(sample("monitor_recovered"), evidence=event.evidence)

    assert said.headline == headline
    assert said.todo.startswith(todo)
    assert incident_key(event) == incident_key(recovered)
    assert words(recovered, policy, figures((recovered,))).headline == (
        "🟢 OpenRouter's list of guardrails is as it should be again. Governor goes by it."
    )


def test_content_that_is_pushed_says_what_to_switch_and_what_is_lost_meanwhile(policy: Policy, sample: Sample) -> None:
    event = _blind(
        sample, "broadcast_content", "OpenRouter's Broadcast", None, "ContentPushed: privacy_mode is off", "Why."
    )
    said = words(event, policy, figures((event,)))

    assert said.headline.startswith("🟠 OpenRouter's Broadcast sends prompts or completions to Governor")
    assert "within minutes, not within seconds" in said.headline
    assert said.todo.startswith("Switch privacy mode on")
    assert incident_key(event) != incident_key(sample("monitor_recovered"))


@pytest.mark.parametrize(
    ("kind", "blind", "again"),
    [
        (
            "broadcast_silent",
            "🟠 OpenRouter's Broadcast pushes nothing of workspace search.",
            "🟢 OpenRouter's Broadcast pushes requests of workspace search again.",
        ),
        (
            "broadcast_drifted",
            "🟠 OpenRouter's Broadcast is not set up as Governor needs it in workspace search.",
            "🟢 OpenRouter's Broadcast of workspace search is set up as Governor needs it again.",
        ),
    ],
)
def test_broadcast_that_is_silent_or_changed_says_what_is_lost_and_its_end_is_told_in_the_same_thread(
    policy: Policy, sample: Sample, kind: str, blind: str, again: str
) -> None:
    event = _blind(sample, kind, "workspace search", None, "switch: Broadcast is switched off", "Why.")
    event = replace(event, evidence={**event.evidence, "scope": f"{kind} ws-1"})
    recovered = replace(sample("monitor_recovered"), evidence=event.evidence)
    said = words(event, policy, figures((event,)))

    assert said.headline.startswith(blind)
    assert "within minutes, not within seconds" in said.headline
    assert "governor broadcast setup" in said.todo
    assert words(recovered, policy, figures((recovered,))).headline == again
    assert incident_key(event) == incident_key(recovered)
    unread = replace(event, evidence={**event.evidence, "kind": "unread", "scope": "ws-1"})
    assert incident_key(event) != incident_key(unread)
