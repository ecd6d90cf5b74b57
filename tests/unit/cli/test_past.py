"""The account at a minute of its past: today's keys with the counters of then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cli.replay.history import History
from cli.replay.past import Past, counters_needed_from
from management_api import ApiKey
from spend_meter.periods import minute_of, moment_of
from tests.unit.cli.analytics import NOW, api_key

HOUR = 60
END = minute_of(NOW)
"""A Wednesday, 11:00."""
START = END - 35 * HOUR
"""Tuesday, 00:00."""
TODAY = replace(
    api_key(1), usage=500.0, usage_daily=6.0, usage_weekly=36.0, usage_monthly=200.0,
    byok_usage=90.0, byok_usage_daily=2.0, byok_usage_weekly=12.0, byok_usage_monthly=40.0,
    limit=50.0, limit_reset="daily", limit_remaining=44.0,
)  # fmt: skip


def history() -> History:
    """$200 of the month: $164 on its first, then $30 yesterday and $6 today, by the minute; BYOK beside it."""
    made = History(counters_needed_from(START) // HOUR, END // HOUR)
    made.add_hour(TODAY.hash, made.start, 164.0, 28.0)
    for hour, usd, byok in ((START // HOUR + 23, 30.0, 10.0), (START // HOUR + 30, 6.0, 2.0)):
        made.add_hour(TODAY.hash, hour, usd, byok)
        made.know_minutes(TODAY.hash, hour, [(59, usd, byok)])
    return made


def past(key: ApiKey = TODAY, of: History | None = None) -> Past:
    return Past([key], ["w1"], of or history(), START, lambda one: True)


def seen(now: Past) -> ApiKey:
    (key,) = now.listed["w1"]
    return key


def test_it_begins_with_the_counters_of_then():
    key = seen(past())

    assert (key.usage, key.usage_daily, key.usage_weekly, key.usage_monthly) == (464.0, 0.0, 0.0, 164.0)
    assert (key.byok_usage, key.byok_usage_monthly) == (78.0, 28.0)
    assert key.limit_remaining == 50.0


def test_it_ends_with_the_counters_of_today():
    now = past()

    for minute in range(START + 1, END + 1):
        now.move_to(minute)

    ended = seen(now)
    for name in ("usage", "byok_usage"):
        for period in ("", "_daily", "_weekly", "_monthly"):
            assert getattr(ended, name + period) == pytest.approx(getattr(TODAY, name + period)), name + period
    assert ended.limit_remaining == pytest.approx(44.0)


def test_a_minute_is_seen_at_the_next_and_the_last_of_a_day_only_in_the_lifetime():
    now = past()
    midnight = START + 24 * HOUR

    now.move_to(midnight - 1)
    assert seen(now).usage == 464.0
    now.move_to(midnight)

    assert (seen(now).usage, seen(now).usage_daily, seen(now).usage_weekly) == (494.0, 0.0, 30.0)


def test_a_disabled_key_is_refused_what_it_spent_and_keeps_its_counters():
    now = past()
    now.disable(TODAY.hash, True)

    for minute in range(START + 1, END + 1):
        now.move_to(minute)

    assert seen(now).usage == 464.0
    assert now.by_hash[TODAY.hash].refused == 36.0 + 12.0, "BYOK inference counts here"


def test_a_key_that_is_disabled_today_lived_as_long_as_it_spent():
    now = past(replace(TODAY, disabled=True))
    last = START + 31 * HOUR

    assert not seen(now).disabled
    for minute in range(START + 1, last):
        now.move_to(minute)
    assert not seen(now).disabled
    now.move_to(last)
    assert seen(now).disabled


def test_a_key_is_listed_from_the_minute_after_it_was_made():
    made = START + 90
    now = past(replace(TODAY, created_at=moment_of(made) + timedelta(seconds=5)))

    assert now.listed["w1"] == []
    now.move_to(made)
    assert now.listed["w1"] == []
    now.move_to(made + 1)
    assert [key.hash for key in now.listed["w1"]] == [TODAY.hash]


def test_a_key_in_a_workspace_that_is_gone_is_left_out():
    assert past(replace(TODAY, workspace_id="gone")).listed == {"w1": []}


def test_the_history_reaches_back_to_where_a_counter_began():
    begun = moment_of(counters_needed_from(START))

    assert (begun.day, begun.hour) == (1, 0)
