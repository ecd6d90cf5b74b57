"""When what was pushed is worth a reading. Pure.

A window is a minute of arrivals at one shard; all of one key's name arrive at the same. A name's sum starts at zero
with each window, as the meter's lines do with each reading. For each name that spent in this batch, in this order:
 1. `unknown`    the meter's last reading has no key of that name: the next one will
 2. `no_line`    a reading of it could change nothing (the detector is off, or it is confirmed already)
 3. `below`      its sum is below its line, which is what it may spend until the detector would take note of it
 4. `waits`      it was asked for a moment ago: 3 s ago after the first two times, then twice as long each time
 5. `workspace`, `account`   as many were asked for in this window as may be
 6. `tip`
What a notification of OpenRouter's own names is asked for by all rules but `below`: a key's name, and of a workspace
the keys that spent in this window, then those with the least left, at most `OF_A_WORKSPACE`.
So nothing that is pushed decides anything: a tip makes the meter read, and the reading decides (promise 2).

The bounds, of one stack: `A_MINUTE` readings, of which `OF_A_WORKSPACE` of one workspace and, by the doubling, six of
one name. A reading asks OpenRouter for each key of a lineage, one to three as a rule. Its guide states no limit for
these calls; Governor's own pace for the whole account is `RequestsPerSecond` (20), of which this is at most a tenth.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from governor.broadcast.messages import Line, Pushed, Watch

FIRST_GAP = 3
"""Seconds from the first reading of a name to the second: long enough for a loop's counter to have grown."""
A_MINUTE = 30
OF_A_WORKSPACE = 12
LATE = 300
"""Seconds after the end of a request from which its cost is no sign of what burns now: a backlog, or a replay."""
ID = 12
"""Hexadecimal digits of a generation's digest that are kept to know a repetition: 60,000 of a minute in 360 KB."""


@dataclass
class Tally:
    """What one window of one shard has added up so far; it travels from batch to batch in Lambda's `state`.

    `sums`: USD by name. `asked`: name to (epoch seconds, how often) of its tips. `by_workspace`: tips in this window.
    The counts add up to the records received: `counted`, `repeated` (the generation was counted before), `late`,
    `unknown` (no line knows the name), `unreadable`, `content`, `notified`. `places`: ids of the workspaces of which
    anything was pushed, late and repeated requests included.
    """

    sums: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    by_workspace: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    told_content: bool = False
    places: set[str] = field(default_factory=set)

    def encode(self) -> dict[str, Any]:
        """Lambda's `state`: at most 1 MB a shard."""
        return {
            "sums": self.sums,
            "seen": base64.b64encode(bytes.fromhex("".join(sorted(self.seen)))).decode(),
            "asked": self.asked,
            "by_workspace": self.by_workspace,
            "counts": self.counts,
            "told_content": self.told_content,
            "places": sorted(self.places),
        }

    @classmethod
    def decode(cls, state: Mapping[str, Any]) -> Self:
        """A window's first batch has an empty state; one that cannot be read (another version's) counts as that."""
        try:
            seen = base64.b64decode(state.get("seen", "")).hex()
            return cls(
                {str(name): float(usd) for name, usd in state.get("sums", {}).items()},
                {seen[at : at + ID] for at in range(0, len(seen), ID)},
                {str(name): (int(at), int(count)) for name, (at, count) in state.get("asked", {}).items()},
                {str(name): int(count) for name, count in state.get("by_workspace", {}).items()},
                {str(name): int(count) for name, count in state.get("counts", {}).items()},
                state.get("told_content") is True,
                {str(place) for place in state.get("places", ())},
            )
        except (ValueError, TypeError, AttributeError, binascii.Error):
            return cls()

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


@dataclass(frozen=True)
class Decision:
    """`keys`: the names to ask for. `content`: people are to be told that deliveries hold content."""

    keys: tuple[str, ...] = ()
    content: bool = False


def add(tally: Tally, records: Iterable[Pushed | None], watch: Watch, now: int, sampling_rate: float) -> list[str]:
    """Adds a batch up; the names that spent in it, in order. None: a record that could not be read.

    `sampling_rate`: the share of requests that the destination is told to send. Each then stands for 1 / rate of them,
    so that the sum's expectation is the spend. `now`: epoch seconds.
    """
    spent: dict[str, None] = {}
    for record in records:
        line = None if record is None else watch.lines.get(record.key)
        if line and (place := watch.place_of(line)):
            tally.places.add(place)
        if record is None:
            tally.count("unreadable")
        elif record.content:
            tally.count("content")
        elif record.names:
            tally.count("notified")
        elif now - record.ended > LATE:
            tally.count("late")
        elif line is None:
            tally.count("unknown")
        elif record.generation[:ID] in tally.seen:
            tally.count("repeated")
        else:
            tally.count("counted")
            tally.seen.add(record.generation[:ID])
            tally.sums[record.key] = tally.sums.get(record.key, 0.0) + record.usd / sampling_rate
            spent[record.key] = None
    return list(spent)


def notified(tally: Tally, records: Iterable[Pushed | None], watch: Watch) -> list[str]:
    """The names that notifications in this batch mean, each once: keys', then those of the workspaces."""
    digests = dict.fromkeys(digest for record in records if record for digest in record.names)
    found = {digest: None for digest in digests if digest in watch.lines}
    for number in dict.fromkeys(watch.aliases[digest] for digest in digests if digest in watch.aliases):
        there = [
            (name, one.usd) for name, one in watch.lines.items() if one.workspace == number and one.usd is not None
        ]
        nearest = sorted(there, key=lambda it: (it[0] not in tally.sums, it[1] or 0.0, it[0]))
        found |= {name: None for name, _ in nearest[:OF_A_WORKSPACE]}
    return list(found)


def decide(
    tally: Tally, spent: Iterable[str], watch: Watch, now: int, shards: int, named: Iterable[str] = ()
) -> Decision:
    """Whom to ask for, by the rules above; notes in the tally that they were asked for.

    `shards`: of the stream. Each has a tally of its own, so each may ask for its share of the bounds. `named`: whom a
    notification names, whatever was spent.
    """
    keys: list[str] = []
    by_name = dict.fromkeys(named)
    for name in dict.fromkeys((*spent, *by_name)):
        line = watch.lines.get(name)
        if line is None or line.usd is None or not _may_ask(tally, name, line, now, shards):
            continue
        if name not in by_name and not _crossed(tally, name, line):
            continue
        _, often = tally.asked.get(name, (0, 0))
        tally.asked[name] = (now, often + 1)
        tally.by_workspace[str(line.workspace)] = tally.by_workspace.get(str(line.workspace), 0) + 1
        keys.append(name)
    content = tally.counts.get("content", 0) > 0 and not tally.told_content
    tally.told_content = tally.told_content or content
    return Decision(tuple(keys), content)


def _crossed(tally: Tally, name: str, line: Line) -> bool:
    return line.usd is not None and tally.sums[name] >= line.usd


def _may_ask(tally: Tally, name: str, line: Line, now: int, shards: int) -> bool:
    at, often = tally.asked.get(name, (0, 0))
    if often and now - at < FIRST_GAP * 2 ** max(often - 2, 0):
        return False
    if tally.by_workspace.get(str(line.workspace), 0) >= max(OF_A_WORKSPACE // shards, 1):
        return False
    return sum(tally.by_workspace.values()) < max(A_MINUTE // shards, 1)
