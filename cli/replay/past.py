"""The account as it stood at a minute of its past: today's keys, with the counters that they had then.

Limits, names, workspaces and guardrails are today's, because nobody tells those of then. A key is not there before it
was made, and lives as long as it spent: whoever disabled it did so later.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from cli.replay.history import HOUR, History
from management_api import ApiKey
from spend_meter.periods import PERIODS, minute_of, moment_of, period_of, starts_at


class PastKey:
    """Has the fields of `ApiKey`, and can change: a replay moves the counters of a key forty thousand times."""

    __slots__ = tuple(one.name for one in fields(cast(Any, ApiKey)))

    def __init__(self, key: ApiKey) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(key, name))


@dataclass
class Held:
    """One key in the past. `refused`: USD that it would have spent since it was last disabled."""

    key: Any
    refused: float = 0.0


class Past:
    """The keys by workspace, set to a minute. `listed` is what the meter reads: the same lists, changed in place.

    `counts_byok`: whether a key's BYOK inference is spend, as the meter counts it.
    """

    def __init__(
        self,
        keys: Sequence[ApiKey],
        workspaces: Iterable[str],
        history: History,
        start: int,
        counts_byok: Callable[[ApiKey], bool] = lambda key: key.include_byok_in_limit,
    ) -> None:
        self.history = history
        self.minute = start
        self.stirred = True
        """Whether the minute differs from the one before: something was spent, a key appeared or ended."""
        self.known = 0
        """How many keys are listed."""
        self.listed: dict[str, list[ApiKey]] = {id: [] for id in workspaces}
        self.by_hash: dict[str, Held] = {}
        self._counts_byok = counts_byok
        self._unborn: list[tuple[int, Held]] = []
        self._ending: dict[int, list[Held]] = {}
        self._hour = -1
        self._planned: list[list[_Move]] = []
        for key in keys:
            if key.workspace_id in self.listed:
                self._add(key, start)
        self._unborn.sort(key=lambda one: -one[0])

    def move_to(self, minute: int) -> None:
        """What OpenRouter shows at the beginning of this minute: what was spent in the one before is in the counters.

        A disabled key is refused what it spent.
        """
        self.minute = minute
        hour, within = divmod(minute - 1, HOUR)
        if self._hour != hour:
            self._hour, self._planned = hour, self._plan(hour)
        moves = self._planned[within]
        self.stirred = bool(moves)
        for held, credits, byok in moves:
            if held.key.disabled:
                held.refused += credits + (byok if byok and self._counts_byok(held.key) else 0.0)
            else:
                _spend(held.key, credits, byok)
        if minute % (24 * HOUR) == 0:
            self.stirred = True
            self._new_day(minute)
        while self._unborn and self._unborn[-1][0] < minute:
            self.stirred = True
            self._list(self._unborn.pop()[1])
        for held in self._ending.pop(minute - 1, ()):
            self.stirred = True
            held.key.disabled = True

    def disable(self, hash: str, disabled: bool) -> None:
        """As PATCH does. Raises `KeyError`."""
        held = self.by_hash[hash]
        if disabled and not held.key.disabled:
            held.refused = 0.0
        held.key.disabled = disabled

    def _add(self, key: ApiKey, start: int) -> None:
        past: Any = PastKey(key)
        until = self.history.last_spend(key.hash)
        held = Held(past)
        past.disabled = key.disabled and (until is None or until < start)
        if key.disabled and not past.disabled and until is not None:
            self._ending.setdefault(until, []).append(held)
        _rewind(past, self.history, start)
        born = minute_of(key.created_at)
        if born >= start:
            self._unborn.append((born, held))
        else:
            self._list(held)

    def _list(self, held: Held) -> None:
        self.by_hash[held.key.hash] = held
        self.known += 1
        # Newest first, as OpenRouter lists them.
        self.listed[held.key.workspace_id].insert(0, cast(ApiKey, held.key))

    def _plan(self, hour: int) -> "list[list[_Move]]":
        """The hour's spend by minute."""
        plan: list[list[_Move]] = [[] for _ in range(HOUR)]
        for held in (*self.by_hash.values(), *(held for _, held in self._unborn)):
            for minute, credits, byok in self.history.minutes(held.key.hash, hour):
                plan[minute].append((held, credits, byok))
        return plan

    def _new_day(self, minute: int) -> None:
        now = moment_of(minute)
        ended = [period for period in PERIODS if starts_at(period, now) == now]
        for held in (*self.by_hash.values(), *(held for _, held in self._unborn)):
            for period in ended:
                setattr(held.key, f"usage_{period}", 0.0)
                setattr(held.key, f"byok_usage_{period}", 0.0)
            _limit_remaining(held.key)


type _Move = tuple[Held, float, float]


def counters_needed_from(start: int) -> int:
    """The first minute whose spend is in some counter that resets, at the minute `start`."""
    return min(minute_of(begun) for period in PERIODS if (begun := starts_at(period, moment_of(start))))


def _rewind(key: Any, history: History, start: int) -> None:
    """The counters as they stood before the minute `start`."""
    spent, brought = history.between(key.hash, start, history.end * HOUR)
    key.usage, key.byok_usage = max(key.usage - spent, 0.0), max(key.byok_usage - brought, 0.0)
    now = moment_of(start)
    for period in PERIODS:
        begun = starts_at(period, now)
        credits, byok = history.between(key.hash, minute_of(begun), start) if begun else (0.0, 0.0)
        setattr(key, f"usage_{period}", credits)
        setattr(key, f"byok_usage_{period}", byok)
    _limit_remaining(key)


def _spend(key: Any, credits: float, byok: float) -> None:
    key.usage += credits
    key.usage_daily += credits
    key.usage_weekly += credits
    key.usage_monthly += credits
    if byok:
        key.byok_usage += byok
        key.byok_usage_daily += byok
        key.byok_usage_weekly += byok
        key.byok_usage_monthly += byok
    if key.limit is not None:
        _limit_remaining(key)


def _limit_remaining(key: Any) -> None:
    if key.limit is None:
        return
    period = period_of(key.limit_reset)
    name = "" if period == "lifetime" else f"_{period}"
    spent = getattr(key, f"usage{name}")
    if key.include_byok_in_limit:
        spent += getattr(key, f"byok_usage{name}")
    key.limit_remaining = max(key.limit - spent, 0.0)
