"""Habits that show themselves seldom, move about, or look like a loop. Drawn like those of `shapes`, and judged apart.

What a shape spends in an ordinary month is `day.daily_usd` times thirty, roughly; a rare job's month costs more.
"""

from calendar import monthrange
from datetime import date

from sandbox.traffic.day import DAY, Day
from sandbox.traffic.shapes import ROUND_THE_CLOCK, agent_bursts, office_hours, steady

_EPOCH = date(1970, 1, 1).toordinal()


def month_end_job(day: Day) -> None:
    """A steady trickle, and on the month's last working day a job that costs what a whole month of the trickle does."""
    day.by_hour(day.daily_usd / 2 * day.noise(0.15), ROUND_THE_CLOCK, 0.3)
    if _is_closing(day.number, months=1):
        day.add(17 * 60 + day.rng.randrange(120), day.rng.randint(150, 330), day.daily_usd * 15 * day.noise(0.2))


def quarter_end_job(day: Day) -> None:
    """The same four times a year: two months' money in a night."""
    day.by_hour(day.daily_usd * 0.8 * day.noise(0.15), ROUND_THE_CLOCK, 0.3)
    if _is_closing(day.number, months=3):
        day.add(17 * 60 + day.rng.randrange(120), day.rng.randint(240, 480), day.daily_usd * 50 * day.noise(0.2))


def planned_backfill(day: Day) -> None:
    """A steady product, and once in two months a person fills a table anew: most of a month's money in hours."""
    steady(day)
    dice = day.dice(f"backfill {day.age // 60}")
    if day.age % 60 == dice.randint(30, 58):
        day.add(9 * 60 + day.rng.randrange(240), day.rng.randint(240, 600), day.daily_usd * 30 * dice.uniform(0.4, 0.9))


def moving_batch(day: Day) -> None:
    """A nightly batch that waits for others' data, at any time from ten to six, and an hour later in summer."""
    day.by_hour(day.daily_usd * 0.1, ROUND_THE_CLOCK, 0.4)
    summer = 60 if _is_summer(day.number) else 0
    start = (22 * 60 + summer + day.rng.randrange(480)) % DAY
    day.add(start, day.rng.randint(30, 120), day.daily_usd * 0.9 * day.noise(0.3))


def batch_over_midnight(day: Day) -> None:
    """From evening into the night, every working day: what begins at eleven is drawn as two parts."""
    rng = day.rng
    day.by_hour(day.daily_usd * 0.1, ROUND_THE_CLOCK, 0.4)
    usd = day.daily_usd * 1.2 * day.noise(0.25)
    if day.weekday < 5:
        start = 20 * 60 + rng.randrange(150)
        day.add(start, DAY - start, usd * 0.5)
    if 1 <= day.weekday <= 5:
        day.add(0, rng.randint(60, 240), usd * 0.5)


def queue_worker(day: Day) -> None:
    """Work comes in heaps; a worker burns them down at its one pace, flat, for as long as the heap is high."""
    rng = day.rng
    pace = day.daily_usd / 10  # an hour
    for _ in range(rng.choice((1, 1, 2, 3))):
        hours = min(rng.expovariate(1 / 4), 14)
        day.add(rng.randrange(DAY), max(10, round(hours * 60)), pace * hours)


def holiday_silence(day: Day) -> None:
    """People at work, and nobody for a fortnight in between; on the first day back all that has piled up."""
    since = day.age - day.dice("holiday").randint(30, 40)
    if 0 <= since < 14:
        return
    office_hours(day)
    if since == 14:
        office_hours(day)


def ci_evaluations(day: Day) -> None:
    """An evaluation a merge, all of one size: none on some days, a dozen before a release."""
    if day.weekday >= 5:
        return
    rng = day.rng
    release = day.dice(f"release {day.number // 14}").randrange(10) == day.number % 14
    for _ in range(rng.randint(8, 16) if release else rng.choice((0, 1, 2, 3, 5))):
        day.add(8 * 60 + rng.randrange(11 * 60), rng.randint(4, 15), day.daily_usd * 0.55 * day.noise(0.1))


def heavy_tail(day: Day) -> None:
    """Agents' runs without any bound: one in a thousand costs a month's money. Shown apart: a record is no habit."""
    agent_bursts(day)
    if day.rng.random() < 0.5:
        day.add(
            day.rng.randrange(DAY - 180), day.rng.randint(10, 180), day.daily_usd * 0.3 * day.rng.paretovariate(1.05)
        )


def _is_closing(number: int, months: int) -> bool:
    """Whether the epoch day is the last weekday of a month that ends a period of so many months."""
    day = date.fromordinal(_EPOCH + number)
    last = date(day.year, day.month, monthrange(day.year, day.month)[1])
    closing = last.toordinal() - max(last.weekday() - 4, 0)
    return day.toordinal() == closing and day.month % months == 0


def _is_summer(number: int) -> bool:
    """Central Europe's: from the last Sunday of March to that of October."""
    day = date.fromordinal(_EPOCH + number)
    begin, end = (date(day.year, month, 31) for month in (3, 10))
    return _sunday(begin) <= day.toordinal() < _sunday(end)


def _sunday(last_of_month: date) -> int:
    return last_of_month.toordinal() - (last_of_month.weekday() + 1) % 7
