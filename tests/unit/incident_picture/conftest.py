"""What the tests of pictures share: events of every incident that has one, with figures to read back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from governor.clock import format_instant
from governor.events import DetailType, Event

SAMPLES = Path(__file__).parents[3] / "events" / "notifier"
T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
HASH = "9e5960b6a8d1a1a3b8b8384aefbbaacf1342d3b6c7001f826c69ee3379cf2e5f"
MINUTES = [round(0.013 + 0.0007 * number, 6) for number in range(57)] + [8.101234, 8.304999, 8.199995]


def sample(name: str, **evidence: Any) -> Event:
    """A sample event of the notifier's, with fields of its evidence replaced."""
    body = json.loads(json.loads((SAMPLES / f"{name}.json").read_text())["Records"][0]["body"])
    body["detail"]["evidence"] |= evidence
    return Event.received(body)


def made(kind: DetailType, at: datetime, subject: str = "prod-search-agent", **evidence: Any) -> Event:
    return Event(kind, f"{kind}-{format_instant(at)}", subject, at, "", evidence)


def runaway(kind: DetailType = DetailType.RUNAWAY_CONFIRMED, minute: int = 0, **evidence: Any) -> Event:
    at = T0 + timedelta(minutes=minute)
    facts: dict[str, Any] = {
        "name": "prod-search-agent", "window_minutes": 15, "spent_usd": 24.61, "floor_usd": 5.0, "baseline_usd": 1.56,
        "rate_usd_per_hour": 492.12, "rule": "habit", "started_at": format_instant(T0 - timedelta(minutes=2)),
        "observed_at": format_instant(at), "spend_by_minute": MINUTES, "keys": [],
    }  # fmt: skip
    return made(kind, at, **(facts | evidence))


def disabled(minute: int = 1, **evidence: Any) -> Event:
    facts: dict[str, Any] = {
        "name": "prod-search-agent", "cause": "runaway", "trigger": "x", "rule": "disable", "keys": [],
        "rate_usd_per_hour": 492.12, "by_morning_usd": 2452.4, "spent_usd": 24.61, "spend_by_minute": MINUTES,
    }  # fmt: skip
    at = T0 + timedelta(minutes=minute, seconds=20)
    return made(DetailType.KEY_DISABLED, at, **(facts | evidence))


def leaking(**evidence: Any) -> Event:
    facts: dict[str, Any] = {
        "rule": "leak",
        "window_minutes": 4320,
        "spent_usd": 412.37,
        "floor_usd": 300.0,
        "baseline_usd": 150.11,
    }
    return runaway(DetailType.RUNAWAY_SUSPECTED, **(facts | evidence))


def draining(**evidence: Any) -> Event:
    facts: dict[str, Any] = {
        "name": "prod-search-agent", "key": {"hash": HASH, "name": "old"}, "since": "2026-11-20T08:00:00Z",
        "deadline": "2026-11-22T08:00:00Z", "last_used_at": "2026-11-21T02:58:00Z", "spent_usd": 14.21,
        "top_models": [["anthropic/claude-opus-4.5", 12.2], ["openai/gpt-5-mini", 1.5]],
    }  # fmt: skip
    return made(DetailType.DRAIN_BLOCKED, T0, **(facts | evidence))


def low_credits(left: float = 41.2, hours: float | None = 13.3, at: datetime = T0) -> Event:
    credits = {"left_usd": left, "reached_usd": [50.0], "present_usd_per_hour": 3.1, "hours_at_present": hours}
    facts: dict[str, Any] = {
        "scope": "credits", "scope_id": "account", "scope_name": "account", "period": "open", "threshold": 0.9,
        "spent_usd": 958.8, "limit_usd": 1000.0, "credits": credits,
    }  # fmt: skip
    return made(DetailType.BUDGET_THRESHOLD_REACHED, at, "account", **facts)
