"""What is published is stored first, and is the same words under the same id for ever."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governor.events import DetailType, Event, PublishFailed
from governor.events.published import KEPT, RecordedBus, published
from governor.events.publishers import OF_DECISIONS, PUBLISHES, RECORDED, REDELIVERS
from governor.ledger import LedgerConflict, MemoryLedger, Put

T0 = datetime(2026, 11, 21, 8, tzinfo=UTC)
EVENT = Event(DetailType.KEY_DISABLED, "event-1", "prod-search-agent", T0, "It ran away.", {"cause": "runaway"})


class Bus:
    """A bus that notes what it got, or refuses it."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        self.events: list[Event] = []
        self.before = before

    def publish(self, events: Sequence[Event]) -> None:
        self.before()
        self.events += events


class Dies(Exception):
    """The process was killed."""


def _dies() -> None:
    raise Dies


def test_the_row_is_there_before_the_bus_gets_the_event() -> None:
    ledger, seen = MemoryLedger(), list[object]()
    RecordedBus("kill_switch", ledger, Bus(lambda: seen.append(published(ledger, EVENT)))).publish([EVENT])
    assert seen == [EVENT]


def test_whoever_dies_between_the_row_and_the_bus_publishes_the_stored_words_the_next_time() -> None:
    ledger, bus = MemoryLedger(), Bus()
    with pytest.raises(Dies):
        RecordedBus("kill_switch", ledger, Bus(_dies)).publish([EVENT])
    later = replace(EVENT, reason="It ran away, and more was spent since.", occurred_at=T0 + timedelta(minutes=5))
    RecordedBus("kill_switch", ledger, bus).publish([later])
    assert bus.events == [EVENT]


def test_an_event_that_cannot_be_stored_is_not_published() -> None:
    class Held(MemoryLedger):
        """A row that another write holds, which comes to nothing."""

        def commit(self, *writes: object) -> None:
            raise LedgerConflict("held")

    bus = Bus()
    with pytest.raises(PublishFailed, match="event-1 could not be stored"):
        RecordedBus("kill_switch", Held(), bus).publish([EVENT])
    assert bus.events == []


def test_two_copies_beside_each_other_publish_the_same_words() -> None:
    ledger, first, second = MemoryLedger(), Bus(), Bus()
    other = replace(EVENT, reason="Said by the copy.")
    beside = Bus(lambda: RecordedBus("kill_switch", ledger, second).publish([other]))
    RecordedBus("kill_switch", ledger, beside).publish([EVENT])
    RecordedBus("kill_switch", ledger, first).publish([other])
    assert beside.events == second.events == first.events == [EVENT]


def test_no_credential_is_stored() -> None:
    pasted = "sk-or-v1-" + "0" * 64
    ledger = MemoryLedger()
    RecordedBus("kill_switch", ledger, Bus()).publish([replace(EVENT, reason=f"It is {pasted}.")])
    row = ledger.get("published#kill_switch", EVENT.id)
    assert row
    assert pasted not in json.dumps(row.data)


def test_requests_and_what_people_decide_have_rows_of_their_own() -> None:
    assert RECORDED | OF_DECISIONS | frozenset().union(*REDELIVERS.values()) == frozenset(DetailType)
    assert frozenset().union(*PUBLISHES.values()) >= RECORDED
    ledger, bus = MemoryLedger(), Bus()
    asked = replace(EVENT, detail_type=DetailType.APPROVAL_REQUESTED)
    RecordedBus("preset_promotion", ledger, bus).publish([asked])
    assert bus.events == [asked]
    assert ledger.rows("published#preset_promotion") == []


def test_only_a_function_that_may_publish_the_type_can_have_said_it() -> None:
    ledger = MemoryLedger()
    RecordedBus("key_planning", ledger, Bus()).publish([EVENT])
    assert published(ledger, EVENT) is None
    rotated = replace(EVENT, detail_type=DetailType.KEY_ROTATED)
    for function in ("key_rotation", "key_retirement"):
        ledger = MemoryLedger()
        RecordedBus(function, ledger, Bus()).publish([rotated])
        assert published(ledger, rotated) == rotated


def test_a_row_is_kept_for_longer_than_the_archive_keeps_its_event() -> None:
    kept = list[Put]()

    class Noting(MemoryLedger):
        def commit(self, *writes: object) -> None:
            kept.extend(one for one in writes if isinstance(one, Put))

    RecordedBus("kill_switch", Noting(), Bus()).publish([EVENT])
    assert [one.expires_at for one in kept] == [T0 + KEPT]
    assert timedelta(days=365) < KEPT
