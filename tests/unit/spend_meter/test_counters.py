"""Lifetime counters become spend, and nothing else does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from management_api import ApiKey
from spend_meter.counters import Known, Metered, Seen, meter
from spend_meter.periods import minute_of, moment_of

NOON = minute_of(datetime(2026, 11, 16, 12, 0, tzinfo=UTC))
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def key(hash: str, usage: float, byok: float = 0.0, made: datetime = LONG_AGO, **more: Any) -> ApiKey:
    fields: dict[str, Any] = {f"usage_{period}": usage for period in ("daily", "weekly", "monthly")}
    fields |= {f"byok_usage_{period}": byok for period in ("daily", "weekly", "monthly")}
    fields |= {"disabled": False, "limit": None, "limit_reset": None, "include_byok_in_limit": False}
    fields |= {"name": hash, "workspace_id": "a", "created_at": made, "usage": usage, "byok_usage": byok, **more}
    return ApiKey(hash=hash, **fields)


@dataclass
class Watch:
    """Successive readings, compared one with the next."""

    known: Known = field(default_factory=dict)
    read_at: dict[str, int] = field(default_factory=dict)

    def read(self, minute: int, /, *, byok: bool = False, **listed: list[ApiKey] | None) -> Metered:
        metered = meter(self.known, listed, minute, self.read_at, lambda key: byok)
        self.known = metered.known
        self.read_at |= {place: minute for place, keys in listed.items() if keys is not None}
        return metered


def spent(metered: Metered) -> float:
    return sum(move.spent or 0.0 for move in metered.moves)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_key_first_met_is_a_baseline(watch: Watch) -> None:
    assert watch.read(NOON, a=[key("k", 500)]).moves == []


def test_growth_is_spend_over_the_time_since_the_last_reading(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 500)])

    (move,) = watch.read(NOON + 1, a=[key("k", 502.5)]).moves

    assert move.spent == pytest.approx(2.5)
    assert move.span == 1


def test_a_gap_of_beats_is_a_longer_span_and_not_a_burst(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 0)])

    (move,) = watch.read(NOON + 7, a=[key("k", 7)]).moves

    assert move.spent == pytest.approx(7)
    assert move.span == 7


def test_an_unknown_workspace_keeps_what_was_known_and_loses_nothing(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 1)])
    before = watch.known

    unknown = watch.read(NOON + 1, a=None)

    assert unknown.moves == []
    assert unknown.known == before
    (move,) = watch.read(NOON + 2, a=[key("k", 4)]).moves
    assert move.spent == pytest.approx(3)
    assert move.span == 2


def test_a_key_made_since_the_last_complete_reading_has_spent_all_it_has(watch: Watch) -> None:
    watch.read(NOON, a=[])
    fresh = key("k", 0.75, made=moment_of(NOON) + timedelta(seconds=20))

    (move,) = watch.read(NOON + 1, a=[fresh]).moves

    assert move.spent == pytest.approx(0.75)


def test_an_old_key_that_was_overlooked_is_a_baseline(watch: Watch) -> None:
    watch.read(NOON, a=[])

    assert watch.read(NOON + 1, a=[key("k", 80)]).moves == []


def test_a_counter_that_shrank_is_neither_spend_nor_nothing(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 10)])

    (move,) = watch.read(NOON + 1, a=[key("k", 4)]).moves

    assert move.spent is None
    (after,) = watch.read(NOON + 2, a=[key("k", 5)]).moves
    assert after.spent == pytest.approx(1)


def test_a_rounding_error_is_no_spend(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 0.3)])

    assert watch.read(NOON + 1, a=[key("k", 0.1 + 0.2)]).moves == []


def test_byok_usage_counts_only_where_it_is_said_to(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 1, byok=1)])
    watch.known, kept = watch.known, watch.known

    assert spent(watch.read(NOON + 1, a=[key("k", 1, byok=5)])) == 0
    watch.known = kept
    assert spent(watch.read(NOON + 1, byok=True, a=[key("k", 1, byok=5)])) == pytest.approx(4)


def test_byok_that_begins_to_count_is_not_spend_at_once(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 1, byok=900)])

    assert spent(watch.read(NOON + 1, byok=True, a=[key("k", 1, byok=900)])) == 0


def test_a_key_that_moved_to_another_workspace_takes_its_counters_along(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 50)], b=[])

    (move,) = watch.read(NOON + 1, a=[], b=[key("k", 51)]).moves

    assert move.spent == pytest.approx(1)
    assert move.workspace_id == "b"
    assert list(watch.known["a"]) == []


def test_a_key_that_moved_from_a_workspace_unread_is_counted_once(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 50)], b=[])

    assert spent(watch.read(NOON + 1, a=None, b=[key("k", 51)])) == pytest.approx(1)
    assert watch.read(NOON + 2, a=[], b=[key("k", 51)]).moves == []


def test_a_key_listed_in_two_workspaces_while_it_moves_is_counted_once(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 50)], b=[])

    metered = watch.read(NOON + 1, a=[key("k", 50)], b=[key("k", 51)])

    assert spent(metered) == pytest.approx(1)
    assert sum(len(keys) for keys in metered.known.values()) == 1


def test_a_key_that_vanished_and_came_back_lost_nothing(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 5)])
    assert watch.read(NOON + 1, a=[]).moves == []

    (move,) = watch.read(NOON + 3, a=[key("k", 6)]).moves

    assert move.spent == pytest.approx(1)
    assert move.span == 2


def test_a_vanished_key_counts_for_its_month_and_is_then_forgotten(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 5, byok=2)])
    watch.read(NOON + 1, a=[])

    gone = Seen.unpack(watch.known["a"]["k"])
    assert gone.spent("daily", False, NOON + 1) == 5
    assert gone.spent("daily", False, NOON + 1440) == 0
    assert gone.spent("monthly", True, NOON + 1440) == 7
    december = NOON + 15 * 1440
    metered = watch.read(december, a=[])
    assert metered.known == {"a": {}}
    assert metered.departed == {"a": (5, 2)}


def test_keys_of_a_deleted_workspace_are_gone_with_it(watch: Watch) -> None:
    watch.read(NOON, a=[], b=[key("k", 5)])

    assert watch.read(NOON + 1, a=[]).moves == []
    watch.read(NOON + 15 * 1440, a=[])
    assert watch.known == {"a": {}}


@st.composite
def _histories(draw: st.DrawFn) -> list[tuple[float, str | None, int]]:
    """Per beat: what the key spends before it, where it is then (None: nowhere listed), and which readings fail."""
    beat = st.tuples(st.sampled_from([0.0, 0.01, 3.0]), st.sampled_from(["a", "a", "a", "b", None]), st.integers(0, 3))
    return draw(st.lists(beat, min_size=1, max_size=30))


@given(_histories())
def test_whatever_fails_all_spend_is_counted_once_and_nothing_else(beats: list[tuple[float, str | None, int]]) -> None:
    watch = Watch()
    watch.read(NOON, a=[key("k", 100)], b=[])
    total = 100.0
    counted = 0.0
    for number, (usd, place, failing) in enumerate([*beats, (0.0, "a", 0)], 1):
        total += usd
        listed: dict[str, list[ApiKey] | None] = {"a": [], "b": []}
        if place:
            listed[place] = [key("k", total)]
        for bit, name in enumerate("ab"):
            if failing & (1 << bit):
                listed[name] = None
        counted += spent(watch.read(NOON + number, a=listed["a"], b=listed["b"]))

    assert counted == pytest.approx(total - 100)
