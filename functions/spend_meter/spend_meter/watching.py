"""What each key may spend until a reading between two minutes is worth while: the watch. Pure, but for its memory.

A line is what is left until the detector confirms, as of this reading: the least over its windows. A subject without a
habit cannot be confirmed; its line is what is left until it is suspected. Of a subject that did not spend in this run
the line of its last spend stays, which is too low by what has left the windows since: a reading comes too soon, and
finds nothing. One of which nothing is known has the lowest floor, below which no rule confirms.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from governor.broadcast.messages import HASH, Line, Watch, digest_of
from spend_meter.excess import left_until
from spend_meter.history import History
from spend_meter.incidents import allowed
from spend_meter.limits import LIMITS, Level
from spend_meter.runaway import State as Suspicion
from spend_meter.state import Caps
from spend_meter.subjects import LineageOf, Subjects

if TYPE_CHECKING:
    from management_api import ApiKey

KEPT = 60
"""Minutes for which a line is kept of a subject that spends no more."""
type Lines = Mapping[str, tuple[int, float]]
"""Subject to the minute of its line, and the line in USD."""


def lines_of(
    histories: Mapping[str, History], subjects: Subjects, lineage_of: LineageOf, caps: Mapping[str, Caps], minute: int
) -> Lines:
    """The lines of the subjects that this run has judged."""
    found = {}
    for subject, history in histories.items():
        lineage = lineage_of(subject)
        budgets = caps.get(lineage[0][1]) if lineage else None
        found[subject] = minute, left_until(history, allowed(subjects.workload(subject), lineage, budgets), LIMITS)
    return found


class Watching:
    """Makes the watch of each run. It remembers lines from run to run, and names; a new container knows none."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[int, float]] = {}
        self._digests: dict[str, str] = {}

    def watch(
        self,
        listed: Mapping[str, Sequence["ApiKey"] | None],
        fresh: Lines,
        suspicions: Mapping[str, Suspicion],
        subjects: Subjects,
        minute: int,
        workspaces: Mapping[str, tuple[str, str]],
    ) -> Watch:
        """The watch beside the reading of this minute. `workspaces`: id to (name, slug)."""
        self._lines = {who: line for who, line in {**self._lines, **fresh}.items() if 0 <= minute - line[0] <= KEPT}
        named: dict[str, list[tuple[ApiKey, str]]] = {}
        for place, keys in listed.items():
            for key in keys or ():
                if not key.disabled:
                    named.setdefault(self._digest(key.name), []).append((key, place))
        numbers = {place: number for number, place in enumerate(sorted(listed))}
        lines = {}
        for digest, some in named.items():
            left = [self._left(subjects.of(key, place), suspicions, subjects) for key, place in some]
            usd = min((one for one in left if one is not None), default=None)
            lines[digest] = Line(usd, numbers[some[0][1]], tuple(key.hash[:HASH] for key, _ in some))
        aliases = {
            self._digest(alias): number
            for place, number in numbers.items()
            for alias in (place, *workspaces.get(place, ()))
            if alias
        }
        return Watch(minute, lines, tuple(numbers), aliases)

    def _left(self, subject: str, suspicions: Mapping[str, Suspicion], subjects: Subjects) -> float | None:
        suspicion = suspicions.get(subject)
        if subjects.limits(subject).runaway.mode == "off" or (suspicion and suspicion.level == Level.CONFIRM):
            return None
        return round(max(self._lines.get(subject, (0, LIMITS.floor[0]))[1], 0.0), 4)

    def _digest(self, name: str) -> str:
        digest = self._digests.get(name)
        if digest is None:
            digest = self._digests[name] = digest_of(name)
        return digest
