import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from governor.events import MAX_REASON, BadEvent, DetailType, Event, event_id
from tests.credentials import PASTED, core

ENVELOPE = {
    "id": "envelope-1",
    "time": "2026-01-05T03:00:00Z",
    "detail-type": "Key Exposed",
    "source": "security.scanner",
    "detail": {"subject": "prod-search-agent"},
}


def _event() -> Event:
    return Event(
        DetailType.KEY_DISABLED,
        event_id(DetailType.KEY_DISABLED, "prod-search-agent", 29460000),
        "prod-search-agent",
        datetime(2026, 1, 5, 3, 4, 5, 678, tzinfo=UTC),
        "it burned $498 an hour",
        {"spent_usd": 31.2},
    )


def test_an_event_survives_the_bus() -> None:
    event = _event()
    received = Event.received({"id": "other", "time": "x", "detail-type": "Key Disabled", "detail": event.detail()})
    assert received.detail() == event.detail()
    assert received.occurred_at == datetime(2026, 1, 5, 3, 4, 5, tzinfo=UTC)


def test_a_request_from_outside_needs_a_subject_only() -> None:
    event = Event.received(ENVELOPE)
    assert (event.subject, event.id) == ("prod-search-agent", "envelope-1")
    assert event.occurred_at == datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def test_an_endless_reason_from_outside_is_cut_so_that_what_follows_from_it_fits_on_the_bus() -> None:
    event = Event.received({**ENVELOPE, "detail": {"subject": "a", "reason": "é" * 200_000}})
    assert len(event.reason) == MAX_REASON
    assert event.reason.endswith("…")


def test_an_instant_with_another_offset_is_brought_to_utc() -> None:
    event = Event.received({**ENVELOPE, "detail": {"subject": "a", "occurred_at": "2026-01-05T03:00:00+02:00"}})
    assert event.occurred_at == datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("envelope", "named"),
    [
        (None, "not one of Governor's events"),
        ({}, "detail-type"),
        ({**ENVELOPE, "detail-type": "Key Exploded"}, "Key Exploded"),
        ({**ENVELOPE, "detail": {}}, "subject"),
        ({**ENVELOPE, "detail": {"subject": ""}}, "detail.subject is empty"),
        ({**ENVELOPE, "detail": {"subject": 7}}, "detail.subject: expected str"),
        ({**ENVELOPE, "detail": {"subject": "a", "evidence": []}}, "detail.evidence: expected dict"),
        ({**ENVELOPE, "detail": {"subject": "a", "occurred_at": "yesterday"}}, "yesterday"),
        ({**ENVELOPE, "detail": {"subject": "a", "occurred_at": "2026-01-05T03:00:00"}}, "without an offset"),
    ],
)
def test_a_misshapen_event_is_an_error_that_names_the_field(envelope: object, named: str) -> None:
    with pytest.raises(BadEvent, match=named):
        Event.received(envelope)


def test_the_same_fact_has_the_same_id_and_another_fact_another() -> None:
    assert event_id(DetailType.RUNAWAY_CONFIRMED, "a", 1) == event_id(DetailType.RUNAWAY_CONFIRMED, "a", 1)
    assert event_id(DetailType.RUNAWAY_CONFIRMED, "a", 1) != event_id(DetailType.RUNAWAY_CONFIRMED, "a", 2)
    assert event_id(DetailType.RUNAWAY_CONFIRMED, "a", 1) != event_id(DetailType.RUNAWAY_SUSPECTED, "a", 1)
    assert event_id(DetailType.RUNAWAY_CONFIRMED, "a,b") != event_id(DetailType.RUNAWAY_CONFIRMED, "a", "b")


def test_the_detail_writes_instants_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=9))
    event = Event(DetailType.MONITOR_BLIND, "i", "s", datetime(2026, 1, 5, 12, 0, tzinfo=east), "r", {})
    assert event.detail()["occurred_at"] == "2026-01-05T03:00:00Z"


@pytest.mark.parametrize("kind", PASTED)
def test_a_credential_in_an_event_is_gone_before_anybody_reads_the_event(kind: str) -> None:
    pasted = PASTED[kind]
    detail = {
        "subject": f"key {pasted}",
        "id": pasted,
        "reason": f"found {pasted} in a log",
        "evidence": {"url": f"https://x.example/?k={pasted}", "list": [pasted], pasted: {"deep": pasted}},
    }
    event = Event.received({**ENVELOPE, "detail": detail})
    assert core(pasted) not in json.dumps(event.detail())


def test_an_error_about_an_event_quotes_no_credential() -> None:
    pasted = PASTED["openrouter"]
    for envelope in (
        {**ENVELOPE, "detail-type": pasted},
        {**ENVELOPE, "detail": {"subject": "a", "occurred_at": pasted}},
        {**ENVELOPE, "detail": pasted},
    ):
        with pytest.raises(BadEvent) as raised:
            Event.received(envelope)
        assert core(pasted) not in str(raised.value)


def test_an_event_nested_deeper_than_the_stack_is_refused() -> None:
    detail: dict[str, Any] = {"subject": "a"}
    for _ in range(20_000):
        detail = {"subject": "a", "evidence": detail}
    with pytest.raises(BadEvent):
        Event.received({**ENVELOPE, "detail": detail})
