"""What wakes the checks is understood, or refused by the name of the field that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from byok_failover.settings import Asked, received
from governor.events import BadEvent

SAMPLES = Path(__file__).parents[3] / "events" / "byok_failover"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def test_every_sample_is_understood() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == {"run", "drill_requested", "approval_granted"}
    assert received(sample("run")) == Asked()
    asked = received(sample("drill_requested"))
    assert asked.drill == "platform-production/anthropic"
    assert (asked.by, asked.granted) == ("U0LEAD", False)
    granted = received(sample("approval_granted"))
    assert (granted.id, granted.granted) == ("drill-platform-production-anthropic", True)


def test_the_same_event_twice_is_the_same_drill_and_another_another() -> None:
    event = sample("drill_requested")
    assert received(event) == received(event)
    assert received({**event, "id": "2"}) != received(event)


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"scheduled_time": "yesterday"}, "scheduled_time"),
        ({"scheduled_time": 5}, "scheduled_time"),
        ({**sample("drill_requested"), "detail-type": "Key Rotated"}, "does not act"),
        ({**sample("drill_requested"), "detail": {"subject": "a/b"}}, "evidence.requested_by"),
        ({}, "lacks the field"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_by_name(event: dict[str, Any], named: str) -> None:
    with pytest.raises(BadEvent, match=named):
        received(event)
