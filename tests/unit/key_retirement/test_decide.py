"""What becomes of a key that was replaced."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governor.keys.lineage import LineageKey
from governor.keys.sighting import Sighting
from governor.policy import Rotation
from key_retirement.decide import drain, look, orphan, quarantine, role
from key_retirement.settings import received
from management_api import ApiKey

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
RULES = Rotation(every=timedelta(days=60))
SAMPLES = Path(__file__).resolve().parents[3] / "events" / "key_retirement"


def api_key(**more: Any) -> ApiKey:
    counters = {
        f"{kind}{period}": 0.0 for kind in ("usage", "byok_usage") for period in ("", "_daily", "_weekly", "_monthly")
    }
    fields = {
        "hash": "a" * 64, "name": "prod-agent", "disabled": False, "limit": None, "limit_reset": None,
        "include_byok_in_limit": False, "created_at": NOW - timedelta(days=60), "workspace_id": "w",
    }  # fmt: skip
    return ApiKey(**{**fields, **counters, **more})


def ruled(
    since_until: timedelta,
    quiet: timedelta | None,
    *,
    held: bool = False,
    behind: bool = False,
    live: bool = True,
    federated: bool = False,
) -> str:
    key = LineageKey("a" * 64, "prod-agent", "overlap", NOW - timedelta(days=1), until=NOW - since_until)
    seen = None if quiet is None else Sighting(NOW, 1.0, None, NOW - quiet)
    ruling = drain(key, api_key() if live else None, seen, RULES, NOW, held=held, behind=behind, federated=federated)
    return ruling.rule


def test_a_key_in_overlap_is_judged_by_the_first_rule_that_applies() -> None:
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    assert ruled(hour, hour, live=False) == "gone"
    assert ruled(hour, hour, held=True) == "held"
    assert ruled(hour, None) == "unread"
    assert ruled(-hour, hour) == "overlap"
    assert ruled(hour, hour, behind=True) == "copies"
    assert ruled(timedelta(days=9), hour, behind=True) == "copies"
    assert ruled(hour, hour) == "quiet"
    assert ruled(hour, minute) == "blocked"
    assert ruled(timedelta(days=7), minute) == "deadline"
    assert ruled(timedelta(days=70), minute, federated=True) == "federated", "the deadline does not count"
    assert ruled(hour, hour, federated=True) == "quiet"


def test_use_is_seen_by_counter_or_by_last_use_and_a_read_without_change_is_quiet() -> None:
    first = look(api_key(last_used_at=NOW), 1.0, None, NOW)
    later = NOW + timedelta(hours=2)
    assert look(api_key(last_used_at=NOW), 1.0, first, later).quiet_since == NOW
    assert look(api_key(last_used_at=NOW), 1.1, first, later).quiet_since == later
    free = look(api_key(last_used_at=later - timedelta(minutes=3)), 1.0, first, later)
    assert free.quiet_since == later - timedelta(minutes=3)


def test_a_last_use_told_in_milliseconds_is_no_new_use_when_the_row_has_kept_its_seconds() -> None:
    used = api_key(last_used_at=NOW - timedelta(milliseconds=250))
    row = LineageKey("a" * 64, "prod-agent", "overlap", NOW, seen=look(used, 1.0, None, NOW))
    kept = LineageKey.of(row.data()).seen
    again = look(used, 1.0, kept, NOW + timedelta(hours=2))
    assert again.quiet_since == NOW - timedelta(seconds=1)


def test_a_replaced_key_keeps_a_share_for_as_long_as_somebody_may_still_have_it() -> None:
    key = LineageKey("a" * 64, "prod-agent", "overlap", NOW, until=NOW + timedelta(hours=12))
    rested = replace(key, seen=Sighting(NOW, 1.0, None, NOW - timedelta(hours=3)))
    assert role(key, api_key(), RULES, NOW) == "draining"
    assert role(rested, api_key(), RULES, NOW) == "resting"
    behind = replace(rested, until=NOW - timedelta(hours=1))
    assert role(behind, api_key(), RULES, NOW) == "resting", "a copy of the secret may still hold it"
    assert role(replace(rested, state="quarantined"), api_key(), RULES, NOW) == "retired"
    assert role(replace(rested, state="quarantined"), api_key(disabled=True), RULES, NOW) == "disabled"


def test_a_key_in_quarantine_that_somebody_enabled_is_disabled_again() -> None:
    key = LineageKey("a" * 64, "prod-agent", "quarantined", NOW, until=NOW + timedelta(days=7))
    assert quarantine(key, api_key(disabled=False), NOW + timedelta(days=8)).action == "disable"
    assert quarantine(key, api_key(disabled=True), NOW).action == "wait"
    assert quarantine(key, api_key(disabled=True), NOW + timedelta(days=8)).action == "delete"


def test_an_orphan_is_never_deleted_while_young_used_or_live() -> None:
    hour = timedelta(hours=1)
    assert orphan(api_key(created_at=NOW), False, None, NOW).rule == "young"
    assert orphan(api_key(last_used_at=NOW), False, None, NOW).rule == "in_use"
    assert orphan(api_key(), True, None, NOW).rule == "in_use"
    assert orphan(api_key(), False, None, NOW).rule == "disable"
    assert orphan(api_key(disabled=True), False, NOW, NOW).rule == "waiting"
    assert orphan(api_key(disabled=True), False, NOW - hour, NOW).rule == "delete"


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_is_understood(sample: Path) -> None:
    assert received(json.loads(sample.read_text()))
