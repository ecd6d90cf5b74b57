"""The runaway detector's constants, each with its reason, and what its rules say."""

from dataclasses import dataclass
from enum import IntEnum

from governor.events.evidence import RunawayRule as Rule
from spend_meter.days import DAY, DAYS
from spend_meter.history import History


class Level(IntEnum):
    """How sure the detector is. People hear of a suspicion; only a confirmed runaway asks for the key's disabling."""

    QUIET = 0
    SUSPECT = 1
    CONFIRM = 2


@dataclass(frozen=True)
class Allowed:
    """USD a month and a day that somebody allowed the subject; None where nobody did."""

    monthly_usd: float | None = None
    daily_usd: float | None = None


UNLIMITED = Allowed()


@dataclass(frozen=True)
class Excess:
    """A window whose spend passed `limit` USD, by this rule."""

    level: Level
    window: int
    limit: float
    rule: Rule


@dataclass(frozen=True)
class Limits:
    """The rules' constants, each with its reason. Tuples are by window: 15 min, 1 h, 6 h, 24 h.

    A window confirms when its spend passes the greatest of these, and is suspect from `suspect` of that on:
    - `floor` (USD): less is not worth a key, or a night. $10 in a quarter of an hour lets $500 an hour be confirmed on
      its third minute and $100 an hour on its eighth; longer windows are for slower burns, a third of that rate.
    - `multiple` of the second-largest daily maximum of 28 days, and `peak` of the largest. The second-largest forgives
      one odd day in the memory, the largest one odd habit: a launch at seven times the level, the worst night's batch
      run twice, a record among heavy-tailed bursts all stay below. Long windows need more: noise that makes a short
      window's maximum large has averaged out of a day's, so the same launch is a greater multiple of it.
    - `thinness`, for fewer days of spend: what tops n days by a factor k is as likely as 1/(n k^a); for tails as heavy
      as experiments have, k must grow about as (28/n)^1.5 for records to stay as rare.
    - `burn`: the pace at which the budget would be gone in 1/6 of the month. Slower is the budget's alarm to raise.

    Where that does not confirm, `unusual.py` compares with whole jobs (the largest daily maximum of the window, times
    `thinness`), from `unusual_floor` USD on; its windows are 1, 3, 6 and 24 h:
    - `jobs` times 1 + the tail of the maxima, beyond `unusual` times what these clock hours bring: a job that failed at
      night and runs by day, with its backlog, is two jobs at an hour that knows none.
    - `jobs_on_end`, and half of the tail, in windows from `on_end_from` minutes on, where every half hour for two hours
      or more brings `on_end_floor` USD and `on_end` times what any such stretch ever held: jobs end.
    - `month_share` of the days' maxima together, in 6 h and in 24 h.
    `jobs_suspect`, `on_end_suspect`: the share of a job that makes a suspicion; few days of spend weigh half as much.

    `meant`: up to this multiple of what a person said was meant (see `lessons.py`), no rule suspects or confirms.
    `leak`, `leak_most` (times the fifth-largest day), `leak_floor` (USD a day beyond it), `leak_back`: see `leaks.py`.
    Above `leak_most` a launch cannot be told from a leak; `leak_floor` is $300 a month.
    `still_burning`: the last twelfth of the window must burn at half its mean rate, or what it saw is over.
    `ticks`: one dear request, or one late counter, is one run; a runaway is there on the next.
    `warm_days`, `warm_days_of_spend`: two weeks show a weekly job twice, if both were seen (`knows_such_days`); with
    less than a week of spending days there is no habit to compare with. A cold key is only ever suspected: above
    `cold_share` of its daily limit, or `cold_month_share` of its monthly budget, or `cold_floor` floors when nobody
    stated any; `new_floor` in the first day of a key's life: a key that spends at once is rare, and what a thief of the
    management key would make.
    `idle_month_share`: a key known to lie idle, but with a budget, confirms at half a month's money in one window.
    `raise_again` (minutes): a confirmed runaway is told anew until somebody acts.
    `quiet_after` (minutes), `fallen_to`: over when the rate has been below a quarter of its highest for ten minutes.
    `lapse` (minutes): a suspicion nobody acted on for a day is the new habit. `told_for` (minutes), `told_margin`: nor
    is the same rate, give or take a half, told again for three days: a launch is suspected once, not every morning.
    """

    floor: tuple[float, ...] = (10.0, 25.0, 80.0, 200.0)
    multiple: tuple[float, ...] = (6.0, 6.8, 8.2, 10.4)
    peak: tuple[float, ...] = (4.8, 5.7, 7.2, 8.3)
    thin: float = 1.5
    burn: float = 6.0
    unusual_floor: tuple[float, ...] = (25.0, 50.0, 80.0, 200.0)
    jobs: tuple[float, ...] = (2.4, 2.0, 1.6, 1.6)
    unusual: float = 6.0
    jobs_suspect: float = 0.8
    on_end_from: int = 180
    on_end_floor: float = 2.5
    on_end: float = 8.0
    jobs_on_end: float = 1.3
    on_end_suspect: float = 0.65
    month_share: tuple[float, ...] = (1.6, 1.3)
    meant: float = 1.4
    leak: float = 1.65
    leak_most: float = 3.0
    leak_floor: float = 10.0
    leak_back: float = 1.4
    suspect: float = 0.6
    still_burning: float = 0.5
    ticks: int = 2
    warm_days: int = 14
    warm_days_of_spend: int = 7
    cold_share: float = 0.5
    cold_month_share: float = 0.1
    cold_floor: float = 10.0
    new_floor: float = 4.0
    idle_month_share: float = 0.5
    raise_again: int = 15
    quiet_after: int = 10
    fallen_to: float = 0.25
    lapse: int = DAY
    told_for: int = 3 * DAY
    told_margin: float = 1.5

    def thinness(self, days_of_spend: int) -> float:
        """The factor on `multiple` and `peak` for a memory of so few days of spend; 1 for a full one."""
        return float((DAYS / max(days_of_spend, 1)) ** self.thin)


LIMITS = Limits()
MONTH = 30 * DAY
"""Minutes in the month by which a budget's pace is reckoned."""
_MOMENT = {15: 2, 60: 5, 180: 15, 360: 30, 1440: 120}  # a window's last twelfth, in whole minutes or half hours


def is_known(history: History, limits: Limits) -> bool:
    """Whether the history shows what a day like this brings: else no rule of its habit may confirm."""
    return history.days_seen >= limits.warm_days and history.knows_such_days()


def still_burns(history: History, window: int, spent: float, limits: Limits) -> bool:
    """Whether the last twelfth of the window burns at `still_burning` of its mean rate: else what it saw is over."""
    moment = _MOMENT[window]
    return history.spent(moment) * window >= limits.still_burning * spent * moment
