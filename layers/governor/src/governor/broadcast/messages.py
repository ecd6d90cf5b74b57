"""What the functions behind OpenRouter's Broadcast hand to one another. Standard library only, for a quick cold start.

`broadcast_gateway` puts a `Pushed` on the stream for each request that OpenRouter tells of. `broadcast_tally` adds them
up, holds the sums against the `Watch` that the spend meter keeps beside its reading, and sends the meter a `Tip`.

No key's name is among it: Broadcast names a key, and what people call a key may be a secret itself. All three go by
`digest_of` the name, which the meter computes of the names that it reads in OpenRouter's lists.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

TAG = "#"
"""What stands between a workload's name and its key's rotation tag."""
DIGEST = 16
"""Hexadecimal digits of a digest: two of a million names share one with a chance of 1 in 37,000,000."""
HASH = 16
"""Hexadecimal digits of a key's hash by which the watch names it."""
_A_MONTH = 31 * 24 * 60
"""Minutes."""


class BadBroadcast(Exception):
    """A record, a watch or a tip is not what this module writes; the message says where."""


def digest_of(name: str) -> str:
    """The digest of a key's name, its rotation tag left out: all keys of one name are summed together."""
    return _digest(name.partition(TAG)[0])


@dataclass(frozen=True)
class Pushed:
    """What one request cost, as OpenRouter pushed it. `generation`: a digest of its id. `key`: `digest_of` its key's
    name, empty where the delivery names none. `ended`: epoch seconds. `content`: no request, but the news that a
    delivery held prompts or completions and was dropped. `names`: no request, but the digests of what a notification of
    OpenRouter's own may name."""

    generation: str = ""
    key: str = ""
    usd: float = 0.0
    ended: int = 0
    content: bool = False
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, generation_id: str, key_name: str, usd: float, ended: int) -> Self:
        return cls(_digest(generation_id), digest_of(key_name) if key_name else "", usd, ended)

    def encode(self) -> bytes:
        if self.content:
            return b'{"c":1}'
        if self.names:
            return json.dumps({"n": self.names}, separators=(",", ":")).encode()
        return json.dumps([self.generation, self.key, self.usd, self.ended], separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises `BadBroadcast`."""
        try:
            found = json.loads(data)
            if isinstance(found, dict) and found.get("c") == 1:
                return cls(content=True)
            if isinstance(found, dict):
                return cls(names=tuple(map(str, found["n"])))
            generation, key, usd, ended = found
            usd = float(usd)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadBroadcast(f"no record of the stream: {type(error).__name__}") from None
        if not (isinstance(generation, str) and isinstance(key, str) and isinstance(ended, int)):
            raise BadBroadcast("no record of the stream: a member has the wrong type")
        if not math.isfinite(usd) or usd < 0:
            raise BadBroadcast("no record of the stream: the cost is not an amount")
        return cls(generation, key, usd, ended)


@dataclass(frozen=True)
class Line:
    """What the keys of one name may spend until a reading of them is worth while.

    `usd`: since the reading that the watch stands beside; None: a reading could change nothing. `workspace`: a number
    for the workspace, the same for all of its keys. `hashes`: the first `HASH` digits of each key's hash.
    """

    usd: float | None
    workspace: int
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Watch:
    """`lines` by `digest_of` a name, as of the meter's reading of `minute` (whole minutes since 1970). `places`: the
    workspaces' ids, each at the number by which the lines mean it. `aliases`: to that number `digest_of` a workspace's
    id, name and slug."""

    minute: int
    lines: Mapping[str, Line] = field(default_factory=dict)
    places: Sequence[str] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        lines = {digest: [one.usd, one.workspace, *one.hashes] for digest, one in self.lines.items()}
        content = {"version": 1, "minute": self.minute, "lines": lines}
        content |= {"places": list(self.places), "aliases": dict(self.aliases)}
        return json.dumps(content, separators=(",", ":")).encode()

    def place_of(self, line: Line) -> str | None:
        """The id of the line's workspace; None where the watch does not say."""
        return self.places[line.workspace] if 0 <= line.workspace < len(self.places) else None

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Raises `BadBroadcast`."""
        try:
            found = json.loads(content)
            lines = {
                digest: Line(None if usd is None else float(usd), int(workspace), tuple(hashes))
                for digest, (usd, workspace, *hashes) in found["lines"].items()
            }
            aliases = {str(digest): int(number) for digest, number in found.get("aliases", {}).items()}
            return cls(int(found["minute"]), lines, tuple(map(str, found.get("places", ()))), aliases)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadBroadcast(f"the watch cannot be read: {type(error).__name__}") from None


@dataclass(frozen=True)
class LastPushed:
    """`minutes`: workspace id to the minute of the last request of it that was pushed. What cannot be read is empty."""

    minutes: Mapping[str, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        return json.dumps({"version": 1, "minutes": dict(self.minutes)}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        try:
            return cls({str(place): int(minute) for place, minute in json.loads(content)["minutes"].items()})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()

    def with_pushed(self, places: Iterable[str], minute: int) -> Self:
        """With these workspaces pushed in `minute`; none is dated back, and none older than a month is kept."""
        newer = {place: max(minute, self.minutes.get(place, 0)) for place in places}
        return type(self)({place: at for place, at in {**self.minutes, **newer}.items() if minute - at < _A_MONTH})


@dataclass(frozen=True)
class Tip:
    """What the tally asks of the meter: to read the keys of these names now (`keys`: digests), or to tell people that
    deliveries hold content. It says nothing of what was spent: the reading decides."""

    keys: Sequence[str] = ()
    content: bool = False

    MOST = 20
    """Names in one tip."""

    def event(self) -> dict[str, Any]:
        """The meter's input."""
        return {"version": 1, "tip": {"keys": list(self.keys), "content": self.content}}

    @classmethod
    def received(cls, event: Mapping[str, Any]) -> Self | None:
        """The tip in the meter's input; None where the input is none. Raises `BadBroadcast`."""
        if "tip" not in event:
            return None
        tip = event["tip"]
        keys = tip.get("keys", []) if isinstance(tip, Mapping) else None
        if event.get("version") != 1 or not isinstance(keys, list) or not all(isinstance(one, str) for one in keys):
            raise BadBroadcast('a tip is {"version": 1, "tip": {"keys": [<digest>, ...], "content": <bool>}}')
        if len(keys) > cls.MOST:
            raise BadBroadcast(f"tip.keys: at most {cls.MOST}, got {len(keys)}")
        return cls(tuple(keys), tip.get("content") is True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
