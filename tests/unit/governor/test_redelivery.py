"""What is dead-lettered holds no credential: Lambda keeps an event as it came, so a failure on one with a credential is
carried by a copy without it."""

import json
from typing import Any

import boto3
import pytest

from governor.events import Event, PublishFailed
from governor.events.redelivery import REDACTED_SOURCE, redelivered
from tests.credentials import PASTED, core

KEY = PASTED["openrouter"]
DIRTY = {
    "id": "envelope-1",
    "time": "2026-01-05T03:00:00Z",
    "source": "security.scanner",
    "detail-type": "Key Exposed",
    "detail": {"subject": "prod-search-agent", "reason": f"found {KEY}"},
}
CLEAN = {**DIRTY, "detail": {"subject": "prod-search-agent", "reason": "found in a repository"}}


class Bus:
    """EventBridge as far as one entry goes: `entries` is what was put."""

    def __init__(self, failing: int = 0) -> None:
        self.entries: list[dict[str, Any]] = []
        self.failing = failing

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.failing:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def delivered(self) -> dict[str, Any]:
        (entry,) = self.entries
        detail = json.loads(entry["Detail"])
        return {"id": "2", "time": "", "source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus()
    monkeypatch.setattr(boto3, "client", lambda service: {"events": bus}[service])
    monkeypatch.setenv("EVENT_BUS_NAME", "governor-bus")
    return bus


@redelivered
def failing(event: Any, _context: Any) -> str:
    raise ConnectionError(f"no answer for {event['detail']['subject']}")


@redelivered
def echoing(event: Any, _context: Any) -> Any:
    return event


def test_an_event_reaches_the_function_without_its_credential(bus: Bus) -> None:
    assert core(KEY) not in json.dumps(echoing(DIRTY, None))
    assert echoing(CLEAN, None) == CLEAN
    assert bus.entries == []


def test_a_failure_on_an_event_with_a_credential_ends_in_a_copy_without_it(bus: Bus) -> None:
    assert failing(DIRTY, None) == {"redelivered": "Key Exposed"}
    assert core(KEY) not in json.dumps(bus.entries)
    assert bus.entries[0]["Source"] == REDACTED_SOURCE
    again = bus.delivered()
    with pytest.raises(ConnectionError):  # which the platform tries again and dead-letters: it holds nothing
        failing(again, None)
    assert len(bus.entries) == 1


def test_the_copy_is_the_same_request(bus: Bus) -> None:
    failing(DIRTY, None)
    copy, first = Event.received(bus.delivered()), Event.received(DIRTY)
    assert (copy.id, copy.occurred_at, copy.subject) == (first.id, first.occurred_at, first.subject)


def test_a_failure_on_any_other_event_is_the_platforms(bus: Bus) -> None:
    with pytest.raises(ConnectionError):
        failing(CLEAN, None)
    assert bus.entries == []


def test_a_copy_that_the_bus_refuses_is_not_lost_in_silence(bus: Bus) -> None:
    bus.failing = 1
    with pytest.raises(PublishFailed, match="InternalFailure"):
        failing(DIRTY, None)


def test_what_is_no_event_of_the_bus_fails_as_it_always_did(bus: Bus) -> None:
    batch = {"Records": [{"body": KEY}], "detail": {"subject": "x"}}
    with pytest.raises(ConnectionError):
        failing(batch, None)
