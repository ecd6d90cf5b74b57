"""The rankings, and the price of a night."""

from datetime import UTC, datetime
from typing import Any

import pytest

from governor.events.evidence import Runaway
from kill_switch.evidence import by_morning, evidence, with_rankings
from tests.unit.kill_switch import doubles
from tests.unit.kill_switch.doubles import HASH, NOW, WORKLOAD, FakeAccount


@pytest.mark.parametrize(
    ("now", "usd"),
    [
        ("2026-03-11T02:00", 600.0),
        ("2026-03-11T08:00", 2400.0),
        ("2026-03-11T23:00", 900.0),
        ("2026-03-11T07:59", 1.67),
    ],
)
def test_morning_is_the_next_eight_utc(now: str, usd: float) -> None:
    assert by_morning(100.0, datetime.fromisoformat(now).replace(tzinfo=UTC)) == usd


def ranked(rows: list[dict[str, Any]]) -> Any:
    claim = Runaway.model_validate(doubles.runaway()["detail"]["evidence"])
    bare = evidence(claim, name=WORKLOAD, cause="runaway", trigger="t", rule="disable", keys=[], now=NOW)
    return with_rankings(bare, FakeAccount({}, rows={"model": rows}), [HASH], claim, NOW, lambda: 30.0)


def test_models_are_ranked_by_spend_whatever_the_numbers_came_as() -> None:
    rows: list[dict[str, Any]] = [
        {"model": "b", "total_usage": 1.5},
        {"model": "a", "total_usage": "40.25"},
        {"model": "free", "total_usage": None},
        {"model": None, "total_usage": 1},
    ]
    assert ranked(rows).top_models == [("a", 40.25), ("b", 1.5), ("unknown", 1.0)]


@pytest.mark.parametrize("row", [{"model": "a"}, {"model": "a", "total_usage": "a lot"}])
def test_rows_nobody_can_read_leave_the_ranking_out_and_say_so(row: dict[str, Any]) -> None:
    told = ranked([row])
    assert told.top_models == []
    assert told.missing
