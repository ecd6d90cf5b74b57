"""Whoever reads a message finds the rule that decided: its id stands in the small print, once."""

import json
from pathlib import Path

import pytest

from governor.events import Event
from governor.policy import Policy
from notifier.decide import decide
from notifier.incident import Incident
from notifier.kinds import evidence_of, incident_key

SAMPLES = sorted((Path(__file__).parents[3] / "events" / "notifier").glob("*.json"))


def _event(path: Path) -> Event:
    return Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))


def _rule(path: Path) -> str:
    return str(getattr(evidence_of(_event(path)), "rule", ""))


@pytest.mark.parametrize("path", [path for path in SAMPLES if _rule(path)], ids=lambda path: path.stem)
def test_a_message_names_the_rule_of_its_event_once_in_its_context(path: Path, policy: Policy) -> None:
    event = _event(path)

    decision = decide(Incident(incident_key(event)), event, policy)

    for message in (decision.parent, decision.notice):
        assert "\n".join(message.context).count(f"rule `{_rule(path)}` · event {event.id}") == 1


@pytest.mark.parametrize("path", [path for path in SAMPLES if not _rule(path)], ids=lambda path: path.stem)
def test_a_message_of_an_event_without_a_rule_names_none(path: Path, policy: Policy) -> None:
    event = _event(path)

    decision = decide(Incident(incident_key(event)), event, policy)

    assert "rule `" not in "\n".join((*decision.parent.context, *decision.notice.context))


def test_the_samples_hold_both_kinds() -> None:
    with_rule = [path for path in SAMPLES if _rule(path)]

    assert with_rule
    assert len(with_rule) < len(SAMPLES)
