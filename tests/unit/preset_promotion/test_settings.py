"""What wakes preset promotion, and what it refuses to be woken by."""

import json
from pathlib import Path
from typing import Any

import pytest

from governor.events import BadEvent
from preset_promotion.settings import Asked, Decided, Tick, received

SAMPLES = Path(__file__).resolve().parents[3] / "events" / "preset_promotion"


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return event


def test_every_sample_is_understood() -> None:
    kinds = {path.stem: type(received(json.loads(path.read_text()))) for path in SAMPLES.glob("*.json")}
    assert kinds == {
        "run": Tick,
        "preset_promotion_requested": Asked,
        "approval_granted": Decided,
        "approval_rejected": Decided,
        "approval_expired": Decided,
        "rollback_granted": Decided,
    }


def test_a_request_says_who_asks_and_its_event_is_its_identity() -> None:
    event = sample("preset_promotion_requested")
    assert received(event) == Asked("support-triage", event["id"], "ci")
    event["detail"]["evidence"] = {"requested_by": "U0DEV", "loosen": True, "override_of": "p"}
    assert received(event) == Asked("support-triage", event["id"], "U0DEV", True, "p")


@pytest.mark.parametrize(("source", "proven"), [("governor", True), ("ci", False), ("governor.redacted", False)])
def test_who_asks_is_proven_by_the_source_that_only_governor_may_use(source: str, proven: bool) -> None:
    command = received({**sample("preset_promotion_requested"), "source": source})
    assert isinstance(command, Asked)
    assert command.proven == proven


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda event: event["detail"].pop("evidence"), "requested_by"),
        (lambda event: event["detail"]["evidence"].update(loosen="perhaps"), "loosen"),
        (lambda event: event["detail"].update(subject=""), "subject"),
        (lambda event: event.update({"detail-type": "Key Disabled"}), "does not act on"),
    ],
)
def test_what_a_sender_got_wrong_is_named(change: Any, named: str) -> None:
    event = sample("preset_promotion_requested")
    change(event)
    with pytest.raises(BadEvent, match=named):
        received(event)


def test_an_approval_of_another_kind_and_a_run_without_a_time_are_refused() -> None:
    event = sample("approval_granted")
    event["detail"]["evidence"]["kind"] = "restore"
    with pytest.raises(BadEvent, match="not this function's"):
        received(event)
    with pytest.raises(BadEvent, match="scheduled_time"):
        received({"scheduled_time": "soon"})
