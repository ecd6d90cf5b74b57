"""What the detector must hold, on keys and habits on which no constant was fixed, and what is shown beside it."""

from collections.abc import Sequence

from sandbox.traffic import PROFILES
from tests.bench.detector.figures import Requirement, dollars, loops_on, row
from tests.bench.detector.replay import Outcome

CALENDAR = ("month-end job", "quarter-end job")
"""Habits that a person must explain once."""
APART = (*CALENDAR, "planned backfill", "heavy tail")
"""Habits that no rule on spend alone can know beforehand."""


def requirements(judged: Sequence[Outcome]) -> list[Requirement]:
    """The figures of the detector on the judged set."""
    own = [one for one in judged if one.rule == "detector"]
    before = [one for one in judged if one.rule == "largest days alone"]
    plain = [one for one in own if one.key.profile in PROFILES]
    minutely = [one for one in plain if one.reading == "every minute"]
    rare = [one for one in own if one.key.profile not in (*PROFILES, *APART) and one.reading == "every minute"]
    known = loops_on(minutely, 500)
    of_500 = loops_on(minutely, 100, monthly_usd=500)
    unlearned = [one for one in before if one.key.profile in PROFILES]
    return [
        *(
            Requirement(f"confirmed false alarms, {reading}", row("", some).ever_confirmed, 0)
            for reading in dict.fromkeys(one.reading for one in own)
            if (some := [one for one in own if one.reading == reading and one.key.profile not in APART])
        ),
        Requirement("suspected a key and month, eight habits", row("", minutely).suspected, 0.05),
        Requirement("suspected a key and month, rare habits", row("", rare).suspected, 0.1),
        Requirement("$500 an hour on known keys, share missed", known.missed / known.loops, 0.01),
        Requirement("$500 an hour on known keys, minutes, median", known.minutes_median, 3),
        Requirement("$500 an hour on known keys, minutes, p95", known.minutes_p95, 120),
        Requirement("$100 an hour on known keys of $500, share missed", of_500.missed / of_500.loops, 0.03),
        Requirement(
            "dollars of all $500 loops, of the rule before", dollars(minutely, 500) / dollars(unlearned, 500), 0.3
        ),
        *_calendar(own),
    ]


def _calendar(own: Sequence[Outcome]) -> list[Requirement]:
    """Incidents of jobs that the calendar explains: at most one a key that a person explained, none after it."""
    explained = [one for one in own if one.key.said_expected and one.key.profile in CALENDAR]
    declared = [one for one in own if one.key.declared]
    return [
        Requirement("incidents a key of month-end jobs, once explained", max(map(_incidents, explained)), 1),
        Requirement("incidents a key of month-end jobs, declared in the policy", max(map(_incidents, declared)), 0),
    ]


def _incidents(outcome: Outcome) -> int:
    """Days on which something was told: a suspicion that grows to a confirmation is one."""
    return len({minute // 1440 for minute in (*outcome.suspected, *outcome.confirmed)})
