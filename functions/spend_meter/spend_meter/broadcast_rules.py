"""Whether OpenRouter's Broadcast is set up as it must be, and whether it is silent: what is news. Pure.

Of each workspace that a workload of the policy is in, or in which Broadcast was once set up:
- **drift**: a field of the destination, or the workspace's switch, is not as `governor broadcast setup` makes it. Told
  when two checks in a row saw it, so that nobody is told of a person who is at it; told again when another field joins.
- **silence**: money was spent and nothing was pushed. Counted are the checks that saw spend and no push since the one
  before. With sampling, a request is left out with a chance of 1 - rate; as many checks are asked for as make it less
  likely than one in a thousand that each of them held one request and all were left out, and three at the least. What
  drift explains is not told as silence too.

Each is told once while it lasts, and its end is told. What could not be read changes nothing.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Blind
from spend_meter.codec import event_of
from spend_meter.periods import moment_of

AT_LEAST = 3
"""Checks that saw spend and no push before silence is told: twenty to thirty minutes."""
BY_CHANCE = 0.001
GRACE = 5
"""Minutes by which a counter may show a request after it was pushed."""
SILENT, DRIFTED = "broadcast_silent", "broadcast_drifted"


@dataclass(frozen=True)
class Remembered:
    """Of one workspace. `quiet`: checks in a row that saw spend and no push, and `unpushed` what was spent, in USD,
    `since` which minute. `silent`, `drifted`: the minute in which that was told; 0: it is not. `seen`, `told`: fields
    that differed at the last check, and those of which people were told. `set_up`: a destination of ours was there."""

    quiet: int = 0
    unpushed: float = 0.0
    since: int = 0
    silent: int = 0
    drifted: int = 0
    seen: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    set_up: bool = False


@dataclass(frozen=True)
class Memory:
    """`checked`: the minute of the last check, 0 before the first. `places`: by workspace id. `outbox`: events that are
    not known to be published."""

    checked: int = 0
    places: Mapping[str, Remembered] = field(default_factory=dict)
    outbox: tuple[Event, ...] = ()

    def encode(self) -> bytes:
        content: dict[str, Any] = {
            "version": 1,
            "checked": self.checked,
            "places": {place: one.__dict__ for place, one in self.places.items()},
            "outbox": [{"detail_type": event.detail_type, **event.detail()} for event in self.outbox],
        }
        return json.dumps(content, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """What cannot be read (another version's) is forgotten: what lasts is told once more."""
        try:
            data = json.loads(content)
            places = {
                str(place): Remembered(**{**one, "seen": tuple(one["seen"]), "told": tuple(one["told"])})
                for place, one in data["places"].items()
            }
            return cls(int(data["checked"]), places, tuple(event_of(event) for event in data["outbox"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


@dataclass(frozen=True)
class Place:
    """What is known of a workspace now. `spent`: (minute, USD) of the last hour. `pushed`: the minute of its last push,
    0: never. `differences`: field to what is wrong with it; None: not read. `is_set_up`: a destination of ours was
    read."""

    name: str
    spent: Sequence[tuple[int, float]]
    pushed: int
    differences: Mapping[str, str] | None
    is_set_up: bool = False


def checks_until_told(sampling_rate: float) -> int:
    """Checks with spend and no push after which silence is no chance."""
    if sampling_rate >= 1:
        return AT_LEAST
    return max(AT_LEAST, math.ceil(math.log(BY_CHANCE) / math.log1p(-sampling_rate)))


def judge(memory: Memory, places: Mapping[str, Place], minute: int, sampling_rate: float) -> Memory:
    """What is remembered after this check, its news in the outbox. A workspace that is no longer in `places` is
    forgotten, and its incident ended. The first check only learns: of the time before it nothing is known."""
    if minute <= memory.checked:
        return memory
    after: dict[str, Remembered] = {}
    news: list[Event] = []
    for id, place in places.items():
        one = memory.places.get(id, Remembered())
        one = _drift(replace(one, set_up=one.set_up or place.is_set_up), id, place, minute, news)
        if memory.checked:
            one = _silence(one, id, place, memory.checked, minute, checks_until_told(sampling_rate), news)
        after[id] = one
    for id, one in memory.places.items():
        if id not in places:
            gone = "The workspace is gone, or no workload is in it any more."
            news += [_ended(kind, id, id, since, minute, gone) for kind, since in _open(one) if since]
    return Memory(minute, after, (*memory.outbox, *news))


def _drift(one: Remembered, id: str, place: Place, minute: int, news: list[Event]) -> Remembered:
    if place.differences is None:
        return one
    now = tuple(place.differences)
    lasting = [code for code in now if code in one.seen]
    one = replace(one, seen=now)
    if one.drifted and not now:
        news.append(_ended(DRIFTED, id, place.name, one.drifted, minute, "Broadcast is set up as it must be again."))
        return replace(one, drifted=0, told=())
    if set(lasting) <= set(one.told):
        return one
    what = "; ".join(f"{code}: {place.differences[code]}" for code in lasting)
    reason = f"OpenRouter's Broadcast of workspace {place.name} is not set up as Governor needs it. {what}."
    # An incident that goes on keeps its id of the end, so that what joins it is told under its own.
    id_of = event_id(DetailType.MONITOR_BLIND, DRIFTED, id, one.drifted or minute, *lasting)
    news.append(_event(DetailType.MONITOR_BLIND, id_of, DRIFTED, id, place.name, minute, reason, what))
    return replace(one, drifted=one.drifted or minute, told=tuple({*one.told, *lasting}))


def _silence(
    one: Remembered, id: str, place: Place, checked: int, minute: int, needed: int, news: list[Event]
) -> Remembered:
    if place.pushed >= checked - GRACE:
        if one.silent:
            news.append(_ended(SILENT, id, place.name, one.silent, minute, "Requests of it are pushed again."))
        return replace(one, quiet=0, unpushed=0.0, since=0, silent=0)
    fresh = [(at, usd) for at, usd in place.spent if at > checked and usd > 0]
    if fresh:
        since = one.since or fresh[0][0]
        unpushed = one.unpushed + sum(usd for _, usd in fresh)
        one = replace(one, quiet=one.quiet + 1, unpushed=unpushed, since=since)
    if one.silent or one.drifted or one.seen or one.quiet < needed:
        return one
    last = f"the last push was at {moment_of(place.pushed):%Y-%m-%d %H:%M} UTC" if place.pushed else "there was no push"
    reason = (
        f"${one.unpushed:,.2f} was spent in workspace {place.name} since {moment_of(one.since):%Y-%m-%d %H:%M} UTC, "
        f"and OpenRouter's Broadcast pushed nothing of it; {last}."
    )
    news.append(
        _event(
            DetailType.MONITOR_BLIND,
            event_id(DetailType.MONITOR_BLIND, SILENT, id, minute),
            SILENT,
            id,
            place.name,
            minute,
            reason,
            f"NothingPushed: ${one.unpushed:,.2f} spent in {one.quiet} checks",
            place.pushed,
        )
    )
    return replace(one, silent=minute)


def _open(one: Remembered) -> tuple[tuple[str, int], ...]:
    return (SILENT, one.silent), (DRIFTED, one.drifted)


def _ended(kind: str, id: str, name: str, since: int, minute: int, reason: str) -> Event:
    of = event_id(DetailType.MONITOR_RECOVERED, kind, id, since)
    return _event(DetailType.MONITOR_RECOVERED, of, kind, id, name, minute, reason, "")


def _event(
    detail_type: DetailType,
    event: str,
    kind: str,
    id: str,
    name: str,
    minute: int,
    reason: str,
    error: str,
    pushed: int = 0,
) -> Event:
    """The subject is Broadcast in that workspace: the workspace's own blindness is another matter."""
    evidence = Blind.model_validate(
        {
            "scope": f"{kind} {id}",
            "name": f"workspace {name}",
            "kind": kind,
            "last_reading_at": moment_of(pushed) if pushed else None,
            "error": error,
        }
    )
    return Event(detail_type, event, f"broadcast {id}", moment_of(minute), reason, evidence.model_dump(mode="json"))
