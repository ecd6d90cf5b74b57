"""`python -m tests.bench.detector.pictures`: draws the pictures of docs/detection.md, from the detector's own code.

Every figure in them comes of keys that are led through `spend_meter`'s rules here: 30 days of a habit, then a loop
until it is confirmed. A test draws them again and compares, so that a picture is never of another detector than the one
that runs. The drawing is `svg.py`.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from governor.events.evidence import RunawayRule as Rule
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.limits import Level
from spend_meter.runaway import QUIET, Facts, State, Verdict, judge, settle
from tests.bench.detector.svg import Svg

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "images"
BEGINS = 20_000 * DAY
DAYS = 30
WATCHED = 8 * 60
"""Minutes of a loop after which the grid says that it was not confirmed."""


@dataclass
class Key:
    """A key's history, minute by minute, and what the detector remembers."""

    history: History
    state: State = QUIET

    def tick(self, minute: int, usd: float) -> Verdict:
        self.history.record(minute, usd)
        verdict = judge(self.history, Facts(minute, previous=self.state))
        settle(self.history, verdict)
        self.state = verdict.next_state
        return verdict


@dataclass(frozen=True)
class Job:
    """What a key does: `usd` over `minutes` from the minute `at` of the day, every so many days, in two of three with
    so much less (`uneven`)."""

    usd: float
    at: int = 120
    minutes: int = 60
    every: int = 1
    uneven: float = 0.0

    def on(self, day: int) -> float:
        """USD on this day."""
        return 0.0 if day % self.every else self.usd * (1 - self.uneven * (day // self.every % 3) / 2)


@dataclass(frozen=True)
class Minute:
    """Of a loop: minutes since it began, and what the detector made of it. `window_usd`: the last 15 minutes'."""

    number: int
    window_usd: float
    verdict: Verdict


@cache
def _accustomed(job: Job) -> Key:
    key = Key(History.empty(BEGINS))
    for day in range(DAYS):
        for minute in range(job.minutes if job.on(day) else 0):
            key.tick(BEGINS + day * DAY + job.at + minute + 1, job.on(day) / job.minutes)
    return key


def accustomed(job: Job) -> Key:
    """A key after 30 days of its job."""
    return deepcopy(_accustomed(job))


def loop(job: Job, usd_an_hour: float, most: int, burns: Callable[[int], bool] = lambda minute: True) -> list[Minute]:
    """A loop from ten in the morning, until it is confirmed or for `most` minutes."""
    key, found = accustomed(job), []
    begins = BEGINS + DAYS * DAY + 600
    for number in range(1, most + 1):
        if not burns(number) and not key.state.needs_tick:
            continue
        verdict = key.tick(begins + number, usd_an_hour / 60 if burns(number) else 0.0)
        found.append(Minute(number, key.history.spent(15), verdict))
        if verdict.level == Level.CONFIRM:
            break
    return found


def confirmed(minutes: Sequence[Minute]) -> Minute | None:
    last = minutes[-1]
    return last if last.verdict.level == Level.CONFIRM else None


# --- 1: from a habit to a disabled key -------------------------------------------------------------------------------
USUAL = Job(usd=96.0, at=540, minutes=480, uneven=0.5)


def minute_by_minute() -> Svg:
    """28 days of a key beside the minutes of a loop, on one scale, with the line that both are held against."""
    run = loop(USUAL, 500, 20)
    last = run[-1].verdict
    days = [USUAL.on(day) / USUAL.minutes * 15 for day in range(DAYS - 28, DAYS)]
    svg = Svg(
        860, 330, "A key's largest quarter of an hour on each of 28 days, beside a loop of $500 an hour: disabled in "
        f"the {_nth(run[-1].number)} minute",
    )  # fmt: skip
    top, bottom, most = 70, 270, max(one.window_usd for one in run) * 1.15

    def y(usd: float) -> float:
        return bottom - usd / most * (bottom - top)

    svg.text(20, 28, "What the key did", "head")
    svg.text(20, 47, "the largest 15 minutes of each of 28 days", "note")
    for at, usd in enumerate(days):
        svg.rect(20 + at * 14, y(usd), 10, bottom - y(usd), "habit")
    svg.text(20, y(max(days)) - 8, f"at most ${max(days):.2f}", "label")
    svg.text(470, 28, "What the loop did, from 10:00", "head")
    svg.text(470, 47, f"the last 15 minutes at each reading; ${500 / 60:.2f} a minute", "note")
    for at, one in enumerate(run):
        x = 490 + at * 85
        level = one.verdict.level
        style = {Level.QUIET: "quiet", Level.SUSPECT: "suspect", Level.CONFIRM: "confirm"}[level]
        svg.rect(x, y(one.window_usd), 46, bottom - y(one.window_usd), style)
        svg.text(x + 23, bottom - 8, f"${one.window_usd:.2f}", "label middle")
        svg.text(x + 23, bottom + 18, f"10:{one.number:02}", "note middle")
        what = {Level.QUIET: "", Level.SUSPECT: "told", Level.CONFIRM: "disabled"}[level]
        svg.text(x + 23, bottom + 36, what, "label middle")
    svg.line(20, y(last.floor), 840, y(last.floor), "limit")
    svg.text(432, y(last.floor) - 8, f"the line: ${last.floor:.2f}", "limit-label end")
    svg.line(20, bottom, 840, bottom, "axis")
    svg.text(20, 318, f"“{last.reason}”", "quote")
    return svg


# --- 2: the four rules that confirm ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Example:
    """A habit and a loop that this rule finds."""

    rule: Rule
    habit: str
    story: str
    job: Job
    usd_an_hour: float
    burns: Callable[[int], bool] = lambda minute: True


EXAMPLES = (
    Example(Rule.HABIT, "up to $96 a day, over eight hours", "a loop of $500 an hour", USUAL, 500),
    Example(Rule.HOURS, "a $100 job, nightly at 2", "a loop of $500 an hour, by day", Job(100), 500),
    Example(Rule.ON_END, "a $300 job, nightly at 2", "a loop of $100 an hour, without a pause", Job(300), 100),
    Example(
        Rule.MONTH, "a $60 job, every fourth day", "$80 an hour, every other half hour", Job(60, every=4), 80,
        lambda minute: minute // 30 % 2 == 0,
    ),
)  # fmt: skip


def rules() -> Svg:
    """For each rule a habit, a loop, and the two sums that decided, as bars on a scale of their own."""
    svg = Svg(860, 40 + 118 * len(EXAMPLES), "What each of the four rules compares when it confirms a runaway")
    svg.text(20, 26, "Four habits, four loops, and the two sums that decide", "head")
    for at, example in enumerate(EXAMPLES):
        found = confirmed(loop(example.job, example.usd_an_hour, DAY, example.burns))
        assert found is not None, f"{example.rule} confirms nothing here"
        assert found.verdict.rule is example.rule, f"{found.verdict.rule} confirms what was to show {example.rule}"
        y, verdict = 62 + at * 118, found.verdict
        svg.text(20, y, example.rule.value, "rule")
        svg.text(
            110, y, f"The key: {example.habit}. Then {example.story}: disabled after {_span(found.number)}.", "label"
        )
        scale = 470 / max(verdict.spent_usd, verdict.floor)
        for row, (name, usd, style) in enumerate(
            (("spent", verdict.spent_usd, "confirm"), ("line", verdict.floor, "habit"))
        ):
            svg.text(110, y + 25 + row * 22, name, "note")
            svg.rect(190, y + 12 + row * 22, usd * scale, 16, style)
            svg.text(196 + usd * scale, y + 25 + row * 22, f"${usd:,.2f} in {_window(verdict.window_minutes)}", "label")
        svg.text(110, y + 70, f"“{verdict.reason}”", "quote")
    return svg


# --- 3: what is seen, and when ---------------------------------------------------------------------------------------
HABITS = (
    ("$2 a day", Job(2.0, at=540, minutes=480)),
    ("up to $96 a day", USUAL),
    ("$160 a day", Job(160.0, at=540, minutes=480)),
    ("$100 job, nightly", Job(100.0)),
    ("$900 job, nightly", Job(900.0)),
    ("$900 job, weekly", Job(900.0, every=7)),
)
RATES = (10, 20, 50, 100, 500)
"""USD an hour."""


def seen() -> list[list[int | None]]:
    """Minutes until a loop is confirmed, by habit and rate; None: not within eight hours."""
    table: list[list[int | None]] = []
    for _, job in HABITS:
        row: list[int | None] = []
        for rate in RATES:
            found = confirmed(loop(job, rate, WATCHED))
            row.append(found.number if found else None)
        table.append(row)
    return table


def grid() -> Svg:
    """Minutes until a loop of so many dollars an hour is confirmed, for keys of several habits."""
    svg = Svg(860, 96 + 40 * len(HABITS), "Minutes until a loop is confirmed, by the key's habit and the loop's rate")
    svg.text(20, 26, "How long a loop burns until the key is disabled", "head")
    svg.text(20, 45, "by day, on a key with 30 days of this habit and no budget; its dollars until then below", "note")
    for column, rate in enumerate(RATES):
        svg.text(280 + column * 116, 76, f"${rate} an hour", "label middle")
    for row, ((habit, _), minutes) in enumerate(zip(HABITS, seen(), strict=True)):
        y = 86 + row * 40
        svg.text(20, y + 23, habit, "label")
        for column, (rate, found) in enumerate(zip(RATES, minutes, strict=True)):
            x = 225 + column * 116
            style = "unseen" if found is None else "seen" if found <= 15 else "slow"
            svg.rect(x, y, 110, 36, style)
            says = "not in 8 h" if found is None else _span(found)
            svg.text(x + 55, y + 16, says, "cell middle")
            svg.text(x + 55, y + 30, f"${rate * (found or WATCHED) / 60:,.0f}", "cell-note middle")
    return svg


PICTURES: dict[str, Callable[[], Svg]] = {
    "detection-line.svg": minute_by_minute,
    "detection-rules.svg": rules,
    "detection-seen.svg": grid,
}


def _span(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _window(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def main() -> None:
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw().content())


if __name__ == "__main__":
    main()
