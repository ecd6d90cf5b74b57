"""The eight habits. Each is drawn as awkward as such a workload is in life, with no thought for any detector.

A shape adds its requests to a `Day`; what it spends in an ordinary month is `day.daily_usd` times thirty, roughly.
"""

from math import pi, sin

from sandbox.traffic.day import DAY, Day

ROUND_THE_CLOCK = [1 + 0.35 * sin((hour - 8) * pi / 12) for hour in range(24)]
_OFFICE = [0, 0, 0, 0, 0, 0, 0.2, 0.6, 1.3, 1.6, 1.6, 1.3, 0.8, 1.2, 1.6, 1.5, 1.2, 0.7, 0.3, 0.15, 0.1, 0.05, 0, 0]
_WEEKEND = 5


def steady(day: Day) -> None:
    """A product's background: round the clock, a mild tide, and once in ten days an hour or two of doubled retries."""
    usd = day.daily_usd * (0.85 if day.weekday >= _WEEKEND else 1.06) * day.noise(0.12)
    day.by_hour(usd, ROUND_THE_CLOCK, 0.2)
    if day.rng.random() < 0.1:
        minutes = day.rng.randint(45, 150)
        day.add(day.rng.randrange(DAY), minutes, usd * minutes / DAY * day.rng.uniform(1, 2))


def office_hours(day: Day) -> None:
    """People at work: little at night and at weekends, a holiday now and then, an evening before a deadline."""
    rng = day.rng
    weekend = day.weekday >= _WEEKEND
    usd = day.daily_usd * (0.08 if weekend else 1.35) * day.noise(0.3)
    if not weekend and rng.random() < 1 / 40:
        usd *= 0.05
    day.by_hour(usd, _OFFICE, 0.35)
    if not weekend and rng.random() < 1 / 15:
        day.add(19 * 60 + rng.randrange(60), rng.randint(60, 240), day.daily_usd * rng.uniform(0.3, 1.0))


def nightly_batch(day: Day) -> None:
    """All at once at night, at no fixed minute; some nights fail and run again by day, some bring a backlog."""
    rng = day.rng
    day.by_hour(day.daily_usd * 0.05, ROUND_THE_CLOCK, 0.5)
    usd = day.daily_usd * 0.92 * day.noise(0.35)
    minutes = round(20 + rng.expovariate(1 / 30))
    chance = rng.random()
    if chance < 0.04:
        usd *= rng.uniform(1.5, 2.5)
    start = 75 + rng.randrange(90)
    if 0.04 <= chance < 0.09:
        day.add(start, minutes, usd * rng.uniform(0.2, 1.0))
        start = 8 * 60 + rng.randrange(240)
    day.add(start, minutes, usd)


def agent_bursts(day: Day) -> None:
    """Runs of an agent, a few a day: sizes of a heavy tail, the largest a tenth of a month's spend, over in minutes."""
    rng = day.rng
    count = rng.choice((0, 1, 2, 3)) if day.weekday >= _WEEKEND else rng.randint(3, 10)
    smallest = day.daily_usd * 30 / 390
    for _ in range(count):
        usd = min(smallest * rng.paretovariate(1.6), day.daily_usd * 3)
        minutes = max(3, min(90, round(rng.lognormvariate(2.4, 0.7))))
        day.add(rng.randrange(DAY - 60), minutes, usd)


def sporadic_development(day: Day) -> None:
    """A developer's own key: idle for weeks, then days of sessions, each as large as the experiment happens to be."""
    rng = day.rng
    busy = day.dice(f"week {(day.number + 3) // 7}").random() < 0.5
    chance = (0.65 if busy else 0.05) * (0.25 if day.weekday >= _WEEKEND else 1.0)
    if rng.random() >= chance:
        return
    for _ in range(rng.choice((1, 1, 2, 3))):
        minutes = rng.randint(20, 240)
        day.add(rng.randint(8 * 60, 23 * 60), minutes, day.daily_usd * 1.9 * rng.lognormvariate(-0.4, 0.9))


def weekly_job(day: Day) -> None:
    """One job a week that spends ten times everything else together; late by a day at times, or missed and made up."""
    week = (day.number + 3) // 7
    dice = day.dice(f"job {week}")
    usual = day.dice("weekday").randrange(7)
    late, missed = dice.random() < 0.1, dice.random() < 0.06
    before = day.dice(f"job {week - 1}")
    _, owed = before.random(), before.random() < 0.06
    day.by_hour(day.daily_usd / 11, ROUND_THE_CLOCK, 0.4)
    if missed or day.weekday != min(usual + late, 6):
        return
    usd = day.daily_usd * 7 * 10 / 11 * day.noise(0.25) * (2 if owed else 1)
    day.add(180 + day.rng.randrange(240), day.rng.randint(90, 240), usd)


def daily_growth(day: Day) -> None:
    """A product that takes off: three per cent more every day, tides and weekends as in life."""
    usd = day.daily_usd * 1.03**day.age * (0.75 if day.weekday >= _WEEKEND else 1.1) * day.noise(0.15)
    day.by_hour(usd, ROUND_THE_CLOCK, 0.25)


def product_launch(day: Day) -> None:
    """A steady product, then a launch: three to seven times the level within an hour, for days; it ebbs to double."""
    dice = day.dice("launch")
    launch_day, launch_hour = dice.randint(30, 48), dice.randint(7, 17)
    factor, lasts = dice.uniform(3, 7), dice.randint(4, 9)
    usd = day.daily_usd * (0.85 if day.weekday >= _WEEKEND else 1.06) * day.noise(0.12)
    since = day.age - launch_day
    level = 1.0
    if since >= 0:
        level = factor if since <= lasts else max(2.0, factor * 0.85 ** (since - lasts))
    total = sum(ROUND_THE_CLOCK)
    for hour, weight in enumerate(ROUND_THE_CLOCK):
        live = since > 0 or (since == 0 and hour >= launch_hour)
        day.add(hour * 60, 60, usd * weight / total * (level if live else 1.0) * day.noise(0.22))
