from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.schedule import parse


def times(expression: str, start: str, count: int, zone: str = "UTC") -> list[str]:
    schedule, found = parse(expression, zone), []
    instant = datetime.fromisoformat(start).replace(tzinfo=UTC)
    for _ in range(count):
        following = schedule.after(instant)
        if following is None:
            break
        instant = following
        found.append(instant.strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("cron(0 10 * * ? *)", "2026-01-05T10:00", ["2026-01-06 10:00", "2026-01-07 10:00"]),
        ("cron(0/15 9-10 ? * MON-FRI *)", "2026-01-09T10:30", ["2026-01-09 10:45", "2026-01-12 09:00"]),
        ("cron(0 8 1 * ? *)", "2026-01-05T00:00", ["2026-02-01 08:00", "2026-03-01 08:00"]),
        ("cron(5,35 14 * * ? *)", "2026-01-05T14:10", ["2026-01-05 14:35", "2026-01-06 14:05"]),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00", ["2026-02-28 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 L-2 * ? *)", "2026-02-01T00:00", ["2026-02-26 00:00", "2026-03-29 00:00"]),
        ("cron(0 0 1W * ? *)", "2026-01-05T00:00", ["2026-02-02 00:00", "2026-03-02 00:00"]),
        ("cron(0 0 31W * ? *)", "2026-01-05T00:00", ["2026-01-30 00:00"]),
        ("cron(0 0 ? * 6#3 *)", "2026-01-05T00:00", ["2026-01-16 00:00", "2026-02-20 00:00"]),
        ("cron(0 0 ? * FRIL *)", "2026-01-05T00:00", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("cron(0 0 ? * 1 *)", "2026-01-05T00:00", ["2026-01-11 00:00"]),
        ("cron(0 0 ? * SAT-MON *)", "2026-01-05T12:00", ["2026-01-10 00:00", "2026-01-11 00:00", "2026-01-12 00:00"]),
        ("cron(0 0 29 2 ? *)", "2026-01-05T00:00", ["2028-02-29 00:00"]),
        ("cron(0 0 1 JAN,JUL ? 2027)", "2026-01-05T00:00", ["2027-01-01 00:00", "2027-07-01 00:00"]),
        ("at(2026-01-05T12:00:00)", "2026-01-05T00:00", ["2026-01-05 12:00"]),
        ("rate(5 minutes)", "2026-01-05T00:01", ["2026-01-05 00:05", "2026-01-05 00:10"]),
        ("rate(1 day)", "2026-01-05T00:00", ["2026-01-06 00:00"]),
    ],
)
def test_an_expression_fires_when_aws_says(expression, start, expected):
    assert times(expression, start, len(expected)) == expected


def test_a_year_that_is_over_fires_no_more():
    assert times("cron(0 0 1 1 ? 2025)", "2026-01-05T00:00", 1) == []


def test_an_hour_that_daylight_saving_skips_does_not_fire():
    assert times("cron(30 2 * * ? *)", "2026-03-28T12:00", 1, "Europe/Berlin") == ["2026-03-30 00:30"]


def test_an_hour_that_daylight_saving_repeats_fires_once():
    assert times("cron(30 2 * * ? *)", "2026-10-24T12:00", 2, "Europe/Berlin") == [
        "2026-10-25 00:30",
        "2026-10-26 01:30",
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(61 10 * * ? *)",
        "cron(0/0 10 * * ? *)",
        "every(1 hour)",
    ],
)
def test_what_aws_refuses_is_refused(expression):
    with pytest.raises(ValueError, match=r".+"):
        parse(expression)


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 400_000))
def test_a_daily_schedule_fires_every_day_and_never_twice(minute, hour, offset):
    schedule = parse(f"cron({minute} {hour} * * ? *)")
    instants = [datetime.fromtimestamp(1_767_571_200 + offset * 60, UTC)]
    for _ in range(4):
        following = schedule.after(instants[-1])
        assert following is not None
        instants.append(following)

    assert all((instant.hour, instant.minute) == (hour, minute) for instant in instants[1:])
    assert all((after - before).total_seconds() == 86400 for before, after in pairwise(instants[1:]))
