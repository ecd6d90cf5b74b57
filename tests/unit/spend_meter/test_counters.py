"""Lifetime counters become spend, and nothing else does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from management_api import ApiKey
from spend_meter.counters import Known, Metered, Seen, meter
from spend_meter.doubts import Doubt
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
    doubts: Mapping[str, Doubt] = field(default_factory=dict)

    def read(self, minute: int, /, *, byok: bool = False, **listed: list[ApiKey] | None) -> Metered:
        metered = meter(self.known, listed, minute, self.read_at, lambda key: byok, self.doubts)
        self.known, self.doubts = metered.known, metered.doubts
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


def test_a_gap_of_runs_is_a_longer_span_and_not_a_burst(watch: Watch) -> None:
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


@pytest.mark.parametrize("stale", [0.0, 53.0])
def test_a_counter_that_fell_and_rose_has_spent_what_is_above_its_highest(watch: Watch, stale: float) -> None:
    watch.read(NOON, a=[key("k", 83)])
    watch.read(NOON + 1, a=[key("k", stale)])

    (move,) = watch.read(NOON + 2, a=[key("k", 83.5)]).moves

    assert move.spent == pytest.approx(0.5)
    assert move.span == 2
    assert watch.doubts == {}


def test_a_stale_counter_that_creeps_up_spends_nothing_until_it_passes_its_highest(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 83)])

    readings = [watch.read(NOON + at, a=[key("k", usage)]) for at, usage in ((1, 0.0), (2, 40.0), (3, 83.25))]

    assert [spent(one) for one in readings] == [0, 0, pytest.approx(0.25)]


def test_a_fall_that_lasts_is_a_correction_and_what_follows_is_metered(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 500)])
    for minute in range(1, 5):
        watch.read(NOON + minute, a=[key("k", 100)])

    (move,) = watch.read(NOON + 5, a=[key("k", 108)]).moves

    assert move.spent == pytest.approx(8)
    assert move.span == 1


def test_a_correction_that_is_taken_back_is_no_spend_even_days_later(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 500)])
    for minute in range(1, 2000):
        watch.read(NOON + minute, a=[key("k", 100)])

    assert spent(watch.read(NOON + 2000, a=[key("k", 500.5)])) == pytest.approx(0.5)


def test_a_leap_counts_once_the_next_reading_confirms_it(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 10)])
    (doubted,) = watch.read(NOON + 1, a=[key("k", 40_010)]).moves

    (move,) = watch.read(NOON + 2, a=[key("k", 40_020)]).moves

    assert doubted.spent is None
    assert move.spent == pytest.approx(40_010)
    assert move.span == 2


def test_a_leap_that_the_next_reading_denies_was_never_there(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 10)])
    watch.read(NOON + 1, a=[key("k", 900_000_000)])

    (move,) = watch.read(NOON + 2, a=[key("k", 18)]).moves

    assert move.spent == pytest.approx(8)
    assert move.span == 2
    assert watch.doubts == {}


def test_a_leap_of_a_key_that_was_just_made_must_be_confirmed_too(watch: Watch) -> None:
    watch.read(NOON, a=[])
    made = moment_of(NOON) + timedelta(seconds=20)

    assert spent(watch.read(NOON + 1, a=[key("k", 5_000_000, made=made)])) == 0
    assert spent(watch.read(NOON + 2, a=[key("k", 3, made=made)])) == pytest.approx(3)


def test_a_counter_that_comes_back_too_high_must_be_confirmed_and_is_counted_from_its_highest(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 83)])
    watch.read(NOON + 1, a=[key("k", 0)])

    assert spent(watch.read(NOON + 2, a=[key("k", 900_000)])) == 0
    assert spent(watch.read(NOON + 3, a=[key("k", 84)])) == pytest.approx(1)


def test_of_two_rows_of_one_key_in_one_listing_the_highest_counts(watch: Watch) -> None:
    watch.read(NOON, a=[key("k", 83)])

    assert spent(watch.read(NOON + 1, a=[key("k", 84), key("k", 53)])) == pytest.approx(1)
    assert spent(watch.read(NOON + 2, a=[key("k", 53), key("k", 85)])) == pytest.approx(1)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=30), st.data())
def test_stale_readings_never_add_spend(growths: list[float], data: st.DataObject) -> None:
    watch, truth, told = Watch(), 100.0, 0.0
    watch.read(NOON, a=[key("k", truth)])
    for minute, grown in enumerate(growths, 1):
        truth += grown
        stale = minute % 2 == 0 and data.draw(st.booleans())
        shown = data.draw(st.floats(0, truth)) if stale else truth
        told += spent(watch.read(NOON + minute, a=[key("k", shown)]))
        assert told <= truth - 100.0 + 1e-6
    told += spent(watch.read(NOON + 100, a=[key("k", truth)]))
    assert told == pytest.approx(truth - 100.0, abs=1e-6)


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
    """Per run: what the key spends before it, where it is then (None: nowhere listed), and which readings fail."""
    tick = st.tuples(st.sampled_from([0.0, 0.01, 3.0]), st.sampled_from(["a", "a", "a", "b", None]), st.integers(0, 3))
    return draw(st.lists(tick, min_size=1, max_size=30))


@given(_histories())
def test_whatever_fails_all_spend_is_counted_once_and_nothing_else(ticks: list[tuple[float, str | None, int]]) -> None:
    watch = Watch()
    watch.read(NOON, a=[key("k", 100)], b=[])
    total = 100.0
    counted = 0.0
    for number, (usd, place, failing) in enumerate([*ticks, (0.0, "a", 0)], 1):
        total += usd
        listed: dict[str, list[ApiKey] | None] = {"a": [], "b": []}
        if place:
            listed[place] = [key("k", total)]
        for bit, name in enumerate("ab"):
            if failing & (1 << bit):
                listed[name] = None
        counted += spent(watch.read(NOON + number, a=listed["a"], b=listed["b"]))

    assert counted == pytest.approx(total - 100)
