"""When a policy's windows of expected spend begin and end: months of every length, clocks that change, cron's steps."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from governor.policy import ExpectedSpend, Policy

BERLIN = "Europe/Berlin"


def windows(zone: str, first: str, last: str, **fields: Any) -> list[str]:
    """The windows of a rule between two days, each as `start/end` in UTC, to the minute."""
    rule = ExpectedSpend.model_validate({"name": "close", "up_to_usd": 100, **fields})
    span = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    return [f"{start:%m-%d %H:%M}/{end:%m-%d %H:%M}" for start, end in rule.windows(ZoneInfo(zone), *span)]


def starts(zone: str, first: str, last: str, **fields: Any) -> list[str]:
    return [one.partition("/")[0] for one in windows(zone, first, last, **fields)]


def test_every_month_ends_on_its_own_day_and_february_in_a_leap_year_too() -> None:
    found = starts("UTC", "2027-01-01", "2028-03-01", calendar="month_end", at="17:00", lasts="6h")
    assert [one[:5] for one in found] == [
        "01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31",
        "08-31", "09-30", "10-31", "11-30", "12-31", "01-31", "02-29",
    ]  # fmt: skip


def test_the_last_workday_is_the_friday_before_a_weekend() -> None:
    # 31 January 2026 is a Saturday, 28 February one too, 31 May a Sunday.
    found = starts("UTC", "2026-01-01", "2026-06-30", calendar="month_end", workday=True)
    assert [one[:5] for one in found] == ["01-30", "02-27", "03-31", "04-30", "05-29"]


@pytest.mark.parametrize(
    ("calendar", "days"),
    [("quarter_end", ["03-31", "06-30", "09-30", "12-31"]), ("year_end", ["12-31"])],
)
def test_quarters_and_years_end_with_their_last_month(calendar: str, days: list[str]) -> None:
    assert [one[:5] for one in starts("UTC", "2026-01-01", "2027-01-01", calendar=calendar)] == days


def test_weekdays_and_single_days_of_the_week() -> None:
    # 4 May 2026 is a Monday.
    assert [one[:5] for one in starts("UTC", "2026-05-04", "2026-05-11", calendar="weekdays")] == [
        "05-04", "05-05", "05-06", "05-07", "05-08",
    ]  # fmt: skip
    assert starts("UTC", "2026-05-04", "2026-05-18", calendar="sun", at="02:00") == ["05-10 02:00", "05-17 02:00"]


def test_times_are_local_in_summer_and_in_winter() -> None:
    found = windows(BERLIN, "2026-03-01", "2026-05-01", calendar="month_end", at="17:00", lasts="6h")
    assert found == ["03-31 15:00/03-31 21:00", "04-30 15:00/04-30 21:00"]
    found = windows(BERLIN, "2026-11-01", "2026-12-01", calendar="month_end", at="17:00", lasts="6h")
    assert found == ["11-30 16:00/11-30 22:00"]


def test_a_whole_local_day_has_23_hours_in_spring_and_25_in_autumn() -> None:
    assert windows(BERLIN, "2026-03-28", "2026-03-30", dates=["2026-03-29"]) == ["03-28 23:00/03-29 22:00"]
    assert windows(BERLIN, "2026-10-24", "2026-10-26", dates=["2026-10-25"]) == ["10-24 22:00/10-25 23:00"]


@pytest.mark.parametrize(
    ("rule", "begins"),
    [
        ({"dates": ["2026-03-29"], "at": "02:30"}, "03-29 01:30"),  # there is no 02:30: at 03:30 summer time
        ({"cron": "30 2 29 3 *"}, "03-29 01:00"),  # as Debian's cron, right after the hour that is skipped
        ({"dates": ["2026-10-25"], "at": "02:30"}, "10-25 00:30"),  # 02:30 comes twice: the first time
        ({"cron": "30 2 25 10 *"}, "10-25 00:30"),
    ],
)
def test_a_time_that_the_clock_skips_or_repeats_begins_once(rule: dict[str, Any], begins: str) -> None:
    assert starts(BERLIN, "2026-03-01", "2026-12-01", lasts="2h", **rule) == [begins]


def test_cron_takes_steps_lists_and_the_months_last_day() -> None:
    assert starts("UTC", "2026-05-04", "2026-05-05", cron="0 */8 * * *", lasts="1h") == [
        "05-04 00:00", "05-04 08:00", "05-04 16:00",
    ]  # fmt: skip
    found = starts("UTC", "2027-01-01", "2028-04-01", cron="30 22 L 2,3 *", lasts="6h")
    assert found == ["02-28 22:30", "03-31 22:30", "02-29 22:30", "03-31 22:30"]


def test_a_window_that_began_before_is_found_while_it_lasts() -> None:
    rule: dict[str, Any] = {"calendar": "month_end", "at": "20:00", "lasts": "7d"}
    assert starts("UTC", "2026-02-06", "2026-02-07", **rule) == ["01-31 20:00"]
    assert starts("UTC", "2026-02-08", "2026-02-09", **rule) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "give exactly one of `calendar`, `cron` and `dates`"),
        ({"calendar": "month_end", "cron": "0 0 * * *"}, "give exactly one of"),
        ({"calendar": "month_end", "lasts": "8d"}, "at most 7d"),
        ({"calendar": "mon", "workday": True}, "leave it out"),
        ({"cron": "0 17 * *", "lasts": "1h"}, "write five fields"),
        ({"cron": "0 17 30 2 *", "lasts": "1h"}, "Bad day-of-month; write five fields"),
        ({"cron": "0 17 L * *"}, "needed with `cron`"),
        ({"cron": "0 17 L * *", "lasts": "1h", "at": "17:00"}, "leave `at` out"),
        ({"cron": "0 */2 * * *", "lasts": "3h"}, "make `lasts` shorter"),
    ],
)
def test_a_rule_that_cannot_work_says_how_to_mend_it(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ExpectedSpend.model_validate({"name": "close", "up_to_usd": 100, **fields})


def policy(runaway: dict[str, Any], **fields: Any) -> Policy:
    workload = {"name": "close", "workspace": "w", "owner": {"slack": "U0A"}, "runaway": runaway}
    return Policy.model_validate({"version": 1, "workloads": [workload], **fields})


CLOSE = {"name": "close", "up_to_usd": 100, "calendar": "month_end"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: policy({"expect": [CLOSE]}), "mode: write it beside `expect`"),
        (lambda: policy({"mode": "disable", "expect": [CLOSE, CLOSE]}), "close declared twice"),
        (
            lambda: policy({"mode": "alert"}, defaults={"runaway": {"mode": "alert", "expect": [CLOSE]}}),
            "declare it under the workload",
        ),
        (lambda: policy({"mode": "alert"}, time_zone="Europe/Berlim"), "no such time zone: 'Europe/Berlim'; write"),
        (lambda: policy({"mode": "alert"}, time_zone="../etc/passwd"), "no such time zone"),
    ],
)
def test_a_policy_that_expects_what_cannot_be_says_how_to_mend_it(made: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made()


def test_a_policy_that_expects_spend_survives_being_compiled() -> None:
    whole = policy({"mode": "disable", "expect": [{**CLOSE, "at": "17:00", "lasts": "12h"}]}, time_zone=BERLIN)
    assert Policy.model_validate_json(whole.model_dump_json(by_alias=True, exclude_none=True)) == whole
