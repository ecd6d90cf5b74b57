"""Names are data: whatever a key, a workspace, a preset or a person is called, a message keeps its lines and links."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.evidence import KeyRef
from governor.policy import Policy
from governor.slack.channel import Message
from notifier.buttons import rollback_key
from notifier.case import Case, figures
from notifier.decide import decide
from notifier.incident import Incident
from notifier.kinds import evidence_of, incident_key

SAMPLES = sorted((Path(__file__).parents[3] / "events" / "notifier").glob("*.json"))
HOSTILE = "a\n*Approved* by <@U0EVIL> <!channel>\n<https://evil.example|Approve> `x` :tada: https://evil.example \u202e"
PLAIN = "plain"
_FREE = re.compile(
    r"(^|_)(name|detail|error|by|requested_by|comment|live|policy|repair|exit|owner|why|url|workspace|member)$"
)
"""Fields of evidence that hold what somebody, or OpenRouter, wrote."""


def _with(value: Any, text: str, field: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _with(one, text, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_with(one, text, field) for one in value]
    free = isinstance(value, str) and (_FREE.search(field) or field in {"shown", "missing", "behind", "top_models"})
    return text if free else value


def _told(path: Path, text: str) -> Message:
    event = Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))
    policy = Policy.model_validate({"version": 1, "alerts": {"channel": "C0GOVERNOR"}})
    reported = {"source": text} if event.detail_type is DetailType.KEY_EXPOSED else {}
    event = replace(event, reason=text, evidence=_with(event.evidence, text) | reported)
    decision = decide(Incident(incident_key(event)), event, policy)
    return decision.parent


def _structure(message: Message) -> dict[str, list[Any]]:
    texts = [message.text, *message.sections, *message.context]
    questions = [asked for button in message.actions for asked in (button.text, button.confirm)]
    return {
        "questions": [(len(asked.splitlines()), "\u202e" in asked) for asked in questions],
        "lines": [len(text.splitlines()) for text in texts],
        "references": [re.findall(r"<[@!#][^>]*>|<https?://[^|>]*", text) for text in texts],
        "bold": [len(re.findall(r"\*[^*\n]+\*", text)) for text in texts],
        "code": [text.count("`") for text in texts],
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_hostile_name_changes_nothing_but_the_name(path: Path) -> None:
    assert _structure(_told(path, HOSTILE)) == _structure(_told(path, PLAIN))


def test_the_samples_cover_most_of_what_people_are_told() -> None:
    assert len(SAMPLES) > len(DetailType) / 3


def test_the_question_of_an_approval_and_of_a_rollback_is_one_line_whatever_names_are_in_it() -> None:
    (path,) = [path for path in SAMPLES if path.stem == "approval_requested"]
    sample = Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))
    moves = {end: {"version": 1, "workspace": HOSTILE} for end in ("from", "to")}
    asked = replace(sample, evidence=dict(sample.evidence) | {"kind": "promotion", "change": moves})
    policy = Policy.model_validate({"version": 1, "alerts": {"channel": "C0GOVERNOR"}})
    approve = decide(Incident(incident_key(asked)), asked, policy).parent.actions[0]
    hostile = KeyRef(hash="a" * 64, name=HOSTILE)
    back = rollback_key(Case(asked, evidence_of(asked), policy, figures((asked,))), hostile, hostile)
    for question in (approve.confirm, back.confirm):
        assert "a *Approved*" in question
        assert len(question.splitlines()) == 1
        assert "\u202e" not in question
