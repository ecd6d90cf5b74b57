"""Whether analytics knows of requests of replaced keys in their quiet time, asked for many keys at once.

One question for a hundred keys, since after a rotation of everything they all come to their end together and OpenRouter
answers 64 such questions a minute. Where somebody still uses one of them, the keys are asked about by halves.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from governor.keys.lineage import Lineage
from key_retirement.decide import is_quiet
from key_retirement.ports import LineageRun
from management_api import (
    AnalyticsFilter,
    AnalyticsQuery,
    AnalyticsResult,
    Deadline,
    Dimension,
    Metric,
    OpenRouterError,
    TimeRange,
    number,
)

AT_ONCE = 100
STALE = timedelta(minutes=10)
"""An answer that analytics computed longer ago says nothing of the time since: a run, in which the key may be used."""


class Asking:
    """What one run has learned from analytics. `quiet`: the quiet time of each key that may be asked about."""

    def __init__(self, quiet: Mapping[str, timedelta]) -> None:
        self._quiet = dict(quiet)
        self._lately: dict[str, bool] = {}
        self._asking = threading.Lock()

    def lately(self, run: LineageRun, hash: str, quiet: timedelta) -> bool:
        """Whether analytics knows of requests in the quiet time; what it does not answer is not "none" (promise 3)."""
        with self._asking:
            if hash not in self._lately:
                beside = [one for one, own in self._quiet.items() if own == quiet and one not in self._lately]
                self._ask(run, [hash, *(one for one in beside if one != hash)][:AT_ONCE], quiet)
            return self._lately[hash]

    def _ask(self, run: LineageRun, hashes: Sequence[str], quiet: timedelta) -> None:
        """One question, and two for each half of those that cannot be told to be quiet together."""
        try:
            answer = _answered(run, hashes, quiet)
            stale = answer.cached_at is not None and run.now - answer.cached_at > STALE
            used = bool(answer.warnings) or any((number(row[Metric.REQUEST_COUNT]) or 0) > 0 for row in answer.rows)
        except (OpenRouterError, ValueError, KeyError) as error:
            run.ports.log.warning("analytics did not tell of keys' use", extra={"error": str(error)})
            self._lately |= dict.fromkeys(hashes, True)
            return
        if stale or len(hashes) == 1:
            if stale or answer.warnings:
                extra = {"warnings": answer.warnings, "cached_at": str(answer.cached_at)}
                run.ports.log.warning("analytics did not tell of keys' use until now", extra=extra)
            self._lately |= dict.fromkeys(hashes, stale or used)
        elif not used:
            self._lately |= dict.fromkeys(hashes, False)
        else:
            middle = len(hashes) // 2
            self._ask(run, hashes[:middle], quiet)
            self._ask(run, hashes[middle:], quiet)


def ending(lineages: Mapping[str, Lineage], quiet: Mapping[str, timedelta], now: datetime) -> dict[str, timedelta]:
    """The keys whose overlap is over and that were not seen in use lately, with the quiet time that each must have.

    `quiet`: by workload. A key that nobody has looked at yet may be quiet.
    """
    return {
        key.hash: quiet[name]
        for name, lineage in lineages.items()
        for key in lineage.keys
        if name in quiet and key.state == "overlap" and now >= (key.until or key.since)
        if key.seen is None or is_quiet(key.seen, quiet[name], now)
    }


def _answered(run: LineageRun, hashes: Sequence[str], quiet: timedelta) -> AnalyticsResult:
    return run.account.within(Deadline(run.seconds_left)).analytics.query(
        AnalyticsQuery(
            metrics=[Metric.REQUEST_COUNT],
            filters=[AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=list(hashes))],
            time_range=TimeRange(start=run.now - quiet, end=run.now),
        )
    )
