"""The state as bytes: a directory in JSON, then one section for each part of it, compressed where that pays.

Made for a run in which little has changed: a section whose source is what it was at the last run is not built again.
"""

import json
import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple
from itertools import accumulate, chain, pairwise
from struct import error as StructError
from typing import Any

from governor.clock import parse_instant
from governor.events import DetailType, Event
from spend_meter.budgets import Alerted
from spend_meter.counters import PACKED_SIZE
from spend_meter.credits import Purse
from spend_meter.doubts import Doubt
from spend_meter.leaks import Leak
from spend_meter.learning import Attempt
from spend_meter.runaway import State as Suspicion
from spend_meter.state import Caps, Guard, Layers, Place, State

MAGIC = b"governor reading 1\n"
_LEVEL = 1


UNREADABLE = (ValueError, KeyError, TypeError, IndexError, AttributeError, StructError, zlib.error)
"""What decoding bytes that this version cannot read may raise."""


class StateUnreadable(Exception):
    """The stored reading is not one this version can read whole; see `salvage` and docs/operations.md."""


class Codec:
    """Encodes and decodes; remembers the last encoding's sections, so keep one per process."""

    def __init__(self) -> None:
        self._sealed: dict[str, tuple[object, bytes]] = {}

    def encode(self, state: State) -> bytes:
        # Ten megabytes at 10,000 keys, most of them in pieces of a few hundred bytes: they are joined once, at the end.
        sections: dict[str, Collection[bytes]] = {
            "facts": [zlib.compress(_json(_facts(state)), _LEVEL)],
            "layers": [self._seal("layers", state.layers, lambda: _json(asdict(state.layers)))],
        }
        for place, keys in state.keys.items():
            sections[f"hashes {place}"] = [self._seal_names(f"hashes {place}", keys)]
            sections[f"counters {place}"] = keys.values()
        for part, by_subject in (("habits", state.habits), ("waiting", state.waiting)):
            sections[f"subjects {part}"] = [self._seal_names(f"subjects {part}", by_subject)]
            sections[f"lengths {part}"] = [array("I", map(len, by_subject.values())).tobytes()]
            sections[part] = by_subject.values()
        # Thousands at first, and a few less at every run: not worth compressing.
        sections["learning"] = ["\n".join(state.learning).encode()]
        sections["attempts"] = [
            array("I", [number for one in state.learning.values() for number in (one.next_at, one.count)]).tobytes()
        ]
        self._sealed = {name: seal for name, seal in self._sealed.items() if name in sections}
        directory = _json({name: sum(map(len, pieces)) for name, pieces in sections.items()})
        return b"".join(chain([MAGIC, len(directory).to_bytes(4), directory], *sections.values()))

    def decode(self, content: bytes) -> State:
        """Raises `StateUnreadable`."""
        try:
            return self._decode(content)
        except UNREADABLE as error:
            raise StateUnreadable(f"the stored reading cannot be read: {type(error).__name__}: {error}") from error

    def salvage(self, content: bytes) -> tuple[State, list[str]]:
        """What can be read of bytes that cannot be read whole, and what is lost, in words. Never raises."""
        lost: list[str] = []
        try:
            return self._decode(content, lost), lost
        except UNREADABLE:
            return State(), ["all that was remembered"]

    def _decode(self, content: bytes, lost: list[str] | None = None) -> State:
        """Raises `UNREADABLE`; with `lost`, a part that cannot be read is left out and named there instead."""
        sections = _split(content)
        facts = json.loads(zlib.decompress(sections["facts"]))
        keys: dict[str, dict[str, bytes]] = {}
        for name, section in sections.items():
            kind, _, place = name.partition(" ")
            if kind == "hashes":
                with _losing(lost, f"the counters of workspace {place}"):
                    keys[place] = _counters(section, sections[f"counters {place}"])
        habits: dict[str, bytes] = {}
        waiting: dict[str, bytes] = {}
        with _losing(lost, "the habits, which are learned again from analytics"):
            habits, waiting = _by_subject(sections, "habits"), _by_subject(sections, "waiting")
        return State(
            tick=facts["beat"],  # the stored name
            layers=_layers(json.loads(zlib.decompress(sections["layers"]))),
            places={id: _place(data) for id, data in facts["places"].items()},
            keys=keys,
            doubts={hash: Doubt(*doubt) for hash, doubt in facts.get("doubts", {}).items()},
            habits=habits if lost is None else {who: one for who, one in habits.items() if who in waiting},
            waiting=waiting,
            budgets={id: Alerted(start, limit, tuple(fired), n) for id, (start, limit, fired, n) in facts["budgets"]},
            suspicions={who: Suspicion.from_bytes(bytes.fromhex(text)) for who, text in facts["suspicions"].items()},
            blind=facts["blind"],
            learning=_learning(sections),
            leaks={who: Leak(*leak) for who, leak in facts.get("leaks", {}).items()},  # there was no such part before
            rebaselined=facts["rebaselined"],
            credits=_purse(facts.get("credits")),  # there was no such part before
            asked_again=tuple(facts.get("asked_again", ())),
            spenders=tuple(facts["spenders"]),
            woken=facts.get("woken", 0),
            outbox=tuple(event_of(data) for data in facts["outbox"]),
        )

    def _seal_names(self, name: str, names: Iterable[str]) -> bytes:
        known = tuple(names)
        return self._seal(name, known, lambda: "\n".join(known).encode())

    def _seal(self, name: str, source: object, build: Callable[[], bytes]) -> bytes:
        sealed = self._sealed.get(name)
        if sealed is None or sealed[0] != source:
            sealed = self._sealed[name] = (source, zlib.compress(build(), _LEVEL))
        return sealed[1]


def _split(content: bytes) -> dict[str, bytes]:
    if not content.startswith(MAGIC):
        raise ValueError(f"it does not begin with {MAGIC!r}")
    start = len(MAGIC) + 4
    end = start + int.from_bytes(content[len(MAGIC) : start])
    directory: dict[str, int] = json.loads(content[start:end])
    if len(content) != end + sum(directory.values()):
        raise ValueError(f"it has {len(content)} bytes and should have {end + sum(directory.values())}")
    bounds = pairwise(accumulate(directory.values(), initial=end))
    return {name: content[a:b] for name, (a, b) in zip(directory, bounds, strict=True)}


@contextmanager
def _losing(lost: list[str] | None, what: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE:
        if lost is None:
            raise
        lost.append(what)


def _counters(hashes: bytes, rows: bytes) -> dict[str, bytes]:
    packed = (rows[at : at + PACKED_SIZE] for at in range(0, len(rows), PACKED_SIZE))
    return dict(zip(_lines(hashes), packed, strict=True))


def _by_subject(sections: Mapping[str, bytes], part: str) -> dict[str, bytes]:
    bounds = pairwise(accumulate(array("I", sections[f"lengths {part}"]), initial=0))
    content = sections[part]
    return dict(zip(_lines(sections[f"subjects {part}"]), (content[a:b] for a, b in bounds), strict=True))


def _learning(sections: Mapping[str, bytes]) -> dict[str, Attempt]:
    subjects = sections["learning"].decode().split("\n") if sections["learning"] else []
    numbers = array("I", sections["attempts"])
    return {
        subject: Attempt(next_at, count)
        for subject, next_at, count in zip(subjects, numbers[::2], numbers[1::2], strict=True)
    }


def _lines(section: bytes) -> list[str]:
    text = zlib.decompress(section).decode()
    return text.split("\n") if text else []


def _facts(state: State) -> dict[str, Any]:
    return {
        "beat": state.tick,
        "places": {id: [p.read_at, p.known_from, p.departed, p.spent] for id, p in state.places.items()},
        "budgets": [(id, (a.period_start, a.limit, a.fired, a.alerts)) for id, a in state.budgets.items()],
        "suspicions": {subject: suspicion.to_bytes().hex() for subject, suspicion in state.suspicions.items()},
        "doubts": dict(state.doubts),
        "blind": dict(state.blind),
        "leaks": {who: astuple(leak) for who, leak in state.leaks.items()},
        "rebaselined": dict(state.rebaselined),
        "credits": asdict(state.credits) if state.credits else None,
        "asked_again": state.asked_again,
        "spenders": state.spenders,
        "woken": state.woken,
        "outbox": [{"detail_type": event.detail_type, **event.detail()} for event in state.outbox],
    }


def _layers(data: Mapping[str, Any]) -> Layers:
    return Layers(
        workspaces={id: (name, slug) for id, (name, slug) in data["workspaces"].items()},
        defaults=data["defaults"],
        guards={id: Guard(**guard) for id, guard in data["guards"].items()},
        assignments=data["assignments"],
        members=data.get("members", {}),  # there was no such part before
        caps={id: Caps(**caps) for id, caps in data["caps"].items()},
        read_at=data["read_at"],
        missing=data.get("missing", {}),  # nor these
        odd={part: (since, what) for part, (since, what) in data.get("odd", {}).items()},
    )


def _place(data: list[Any]) -> Place:
    read_at, known_from, (usage, byok), spent = data
    return Place(read_at, known_from, (usage, byok), tuple((minute, usd, span) for minute, usd, span in spent))


def _purse(data: Mapping[str, Any] | None) -> Purse | None:
    if data is None:
        return None
    lists = {name: tuple(map(tuple, data[name])) for name in ("steps", "samples")}
    return Purse(**{**data, **lists, "told": tuple(data["told"])})


def event_of(data: Mapping[str, Any]) -> Event:
    """The event that `Event.detail()` and its type were kept of."""
    return Event(
        DetailType(data["detail_type"]),
        data["id"],
        data["subject"],
        parse_instant(data["occurred_at"]),
        data["reason"],
        data["evidence"],
    )


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
