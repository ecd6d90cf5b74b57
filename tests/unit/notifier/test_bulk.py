"""A bulk order is one message that counts, with the buttons of where it stands, and a report at its end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.bulk_evidence import BulkRotation, Laggard
from governor.policy import Policy
from notifier.case import figures
from notifier.decide import decide
from notifier.incident import Incident
from notifier.kinds import incident_key, is_told_by_its_order
from notifier.mail import plain
from notifier.wording import words

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
PROGRESSED, ENDED = DetailType.BULK_ROTATION_PROGRESSED, DetailType.BULK_ROTATION_ENDED
EVIDENCE: dict[str, Any] = {
    "order": "o1", "name": "workspace platform-production", "because": "the vault <leaked>", "state": "running",
    "total": 40, "rotated": 5, "running": 2, "waiting": 32, "failed": 1, "left": 0, "behind_count": 5,
    "failing": ["prod-mail"], "requested_by": "U0ANA", "approved_by": ["U0LEAD", "U0SEC"],
}  # fmt: skip


def event(kind: DetailType = PROGRESSED, minutes: int = 0, **more: Any) -> Event:
    evidence = BulkRotation.model_validate(EVIDENCE | more).model_dump(mode="json")
    at = NOW + timedelta(minutes=minutes)
    return Event(kind, f"e{minutes}", "platform-production", at, "why it is so.", evidence)


def lines(policy: Policy, one: Event) -> list[str]:
    said = words(one, policy, figures((one,)))
    return [plain(line) for line in (said.headline, *said.facts, said.todo or "")]


@pytest.mark.parametrize(
    ("state", "said", "actions"),
    [
        (
            "running",
            "5 of 40 keys of workspace platform-production are replaced. The order continues.",
            ["pause", "stop"],
        ),
        ("paused", "U0SEC paused it: nothing more begins.", ["resume", "stop"]),
        ("halted", "Governor paused it, because 1 failed.", ["resume", "stop"]),
        ("stopped", "U0SEC stopped it: no further one begins, and what has begun finishes.", []),
        ("draining", "A report follows when the overlaps are over.", []),
    ],
)
def test_the_message_says_where_it_stands_and_has_its_buttons(
    policy: Policy, state: str, said: str, actions: list[str]
) -> None:
    one = event(state=state, said_by="U0SEC")
    assert said in lines(policy, one)[0]
    assert [button.action for button in words(one, policy, figures((one,))).actions] == actions


def test_the_facts_count_and_name_who_wanted_it_and_a_reason_is_data(policy: Policy) -> None:
    said = words(event(), policy, figures((event(),)))
    assert "*Running:* 2 · *Waiting:* 32 · *Failed:* 1 · *Passed over:* 0" in said.facts[0]
    assert "the vault &lt;leaked&gt;" in said.facts[1]
    text = "\n".join(lines(policy, event()))
    assert "Asked by U0ANA, approved by U0LEAD and U0SEC" in text.replace("*", "").replace("<@", "").replace(">", "")
    assert "prod-mail" in text


def test_who_stopped_it_is_nobody_when_its_age_did(policy: Policy) -> None:
    assert "The age of the order stopped it" in lines(policy, event(state="stopped"))[0]


def test_the_report_names_who_has_not_picked_up_and_whose_they_are(policy: Policy) -> None:
    behind = [Laggard(name="prod-search-agent", last_used_at=NOW), Laggard(name="prod-gone")]
    one = event(ENDED, state="ended", rotated=39, waiting=0, running=0, behind_count=2, behind=behind)
    text = "\n".join(lines(policy, one))
    assert "39 of 40 keys of workspace platform-production are replaced; 1 are not. 2 of the old ones" in text
    assert "prod-search-agent still uses its old key, last at" in text
    assert "prod-gone still uses its old key." in text
    assert words(one, policy, figures((one,))).actions == ()


def test_a_yes_that_was_void_says_why(policy: Policy) -> None:
    assert "why it is so." in lines(policy, event(ENDED, state="void"))[0]


def test_it_is_one_message_with_its_request_and_only_a_halt_and_the_end_are_said_aloud(policy: Policy) -> None:
    incident = Incident(incident_key(event()))
    assert incident.key == "bulk#o1"
    for minutes in range(60):
        decision = decide(incident, event(minutes=minutes, rotated=minutes % 40), policy)
        assert (decision.reply, decision.broadcast) == (False, False)
        incident = decision.incident
    assert len(incident.steps) == 1
    halted = decide(incident, event(minutes=61, state="halted"), policy)
    assert (halted.reply, halted.broadcast) == (True, True)
    ended = decide(halted.incident, event(ENDED, minutes=62, state="ended"), policy)
    assert (ended.reply, ended.broadcast) == (True, True)
    late = decide(ended.incident, event(minutes=50, rotated=1), policy)
    assert late.incident.lead.detail_type is ENDED


@pytest.mark.parametrize("kind", ["Rotation Started", "Key Rotated", "Key Retired", "Rotation Failed"])
def test_rotations_of_an_order_are_counted_by_it_and_failures_are_told_themselves(kind: str) -> None:
    of_an_order = Event(DetailType(kind), "id", "prod", NOW, "", {"order": "o1"})
    assert is_told_by_its_order(of_an_order) == (kind != "Rotation Failed")
    assert not is_told_by_its_order(Event(DetailType(kind), "id", "prod", NOW, "", {"order": ""}))
