"""What one run leaves is what the next one finds."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.events import DetailType, Event
from spend_meter.budgets import Alerted
from spend_meter.codec import MAGIC, Codec, StateUnreadable
from spend_meter.counters import Seen
from spend_meter.doubts import Doubt
from spend_meter.history import History
from spend_meter.learning import Attempt
from spend_meter.limits import Level
from spend_meter.runaway import State as Suspicion
from spend_meter.state import Caps, Guard, Layers, Place, State

SEEN = Seen(0.1, 0.2, 0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, moved=1)
FULL = State(
    tick=29_000_000,
    layers=Layers(
        workspaces={"ws": ("platform", "platform-slug")},
        guards={"g": Guard("caps", 10.0, None, True)},
        assignments={"a" * 64: "g"},
        caps={"ws": Caps({"daily": 5.0, "lifetime": 500.0}, False)},
        read_at={"workspaces": 29_000_000},
    ),
    places={"ws": Place(1, 2, (3.0, 4.0), ((5, 6.0, 7),)), "new": Place()},
    keys={
        "ws": {"a" * 64: Seen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10).pack(), "b" * 64: SEEN.pack()},
        "new": {},
    },
    habits={"a" * 64: History.empty(5).to_bytes(), "prod-agent": History.empty(6).to_bytes()},
    waiting={"a" * 64: b"12345678", "prod-agent": b"123456789012345678901234"},
    budgets={"key_limit|k||daily": Alerted("2026-11-16T00:00:00+00:00", 10.0, (0.5, 0.8), 2)},
    suspicions={"prod-agent": Suspicion(level=Level.SUSPECT, window_minutes=60, told_rate=1.5)},
    blind={"account": 28_999_990},
    learning={"a" * 64: Attempt(29_000_001, 0), "prod-agent": Attempt(29_000_100, 3)},
    doubts={"a" * 64: Doubt("fell", 83.0, 0.0, 28_999_999)},
    rebaselined={"prod-agent": "2026-11-16T00:00:00Z"},
    spenders=("prod-agent",),
    outbox=(
        Event(
            DetailType.MONITOR_BLIND,
            "id",
            "account",
            datetime(2026, 11, 16, 12, tzinfo=UTC),
            "The account was never read.",
            {"scope": "account", "last_reading_at": None, "error": "x"},
        ),
    ),
)


@pytest.mark.parametrize("state", [State(), FULL])
def test_a_state_survives_its_encoding(state: State) -> None:
    assert Codec().decode(Codec().encode(state)) == state


def test_a_codec_that_has_encoded_before_encodes_what_changed() -> None:
    codec = Codec()
    codec.encode(FULL)
    changed = replace(
        FULL,
        layers=replace(FULL.layers, assignments={}),
        keys={"ws": {"c" * 64: SEEN.pack()}},
        habits={"prod-agent": History.empty(9).to_bytes()},
        waiting={},
        learning={},
    )

    assert codec.encode(changed) == Codec().encode(changed)
    assert Codec().decode(codec.encode(changed)) == changed


@given(st.data())
def test_a_damaged_reading_is_refused_or_complete(data: st.DataObject) -> None:
    encoded = Codec().encode(FULL)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]

    with pytest.raises(StateUnreadable):
        Codec().decode(cut)


def test_a_reading_of_another_version_is_refused() -> None:
    with pytest.raises(StateUnreadable, match="governor reading 1"):
        Codec().decode(MAGIC.replace(b"1", b"2"))
