"""The outside world of the meter, and what others tell its detector in the ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from governor.clock import parse_instant
from governor.events import Publisher
from governor.ledger import Ledger
from governor.reading_store import ReadingStore
from governor.secrets import Secrets
from management_api import OpenRouter
from spend_meter.facts import Due
from spend_meter.periods import minute_of

DETECTOR = "detector"
"""The ledger's partition of what others tell the detector: `<subject>`, from when on to learn afresh
(`{"kind": "rebaseline", "at": ...}`), and `<subject>#expected`, until when its spend is meant (`{"kind": "expected",
"until": ...}`), and `<subject>#due#<cause>`, which disable was withheld and when it is asked again (`kind` `due`)."""


@dataclass(frozen=True)
class Ports:
    """`connect`: a client for a key. `woken`, `watch`: what is kept for readings between two minutes; None: there are
    none."""

    store: ReadingStore
    ledger: Ledger
    publisher: Publisher
    secrets: Secrets
    connect: Callable[[SecretStr], OpenRouter]
    woken: ReadingStore | None = None
    watch: ReadingStore | None = None


def told_by(ledger: Ledger) -> tuple[Mapping[str, str], Mapping[str, int], Mapping[str, Sequence[Due]]]:
    """By subject: the instant a human last restored it, the minute until which its spend is meant, and the disables
    that the kill switch withheld for now."""
    rows = ledger.rows(DETECTOR)
    rebaselines = {row.sk: str(row.data["at"]) for row in rows if row.data.get("kind") == "rebaseline"}
    expected = {
        row.sk.removesuffix("#expected"): minute_of(parse_instant(row.data["until"]))
        for row in rows
        if row.data.get("kind") == "expected"
    }
    due: dict[str, list[Due]] = {}
    for row in rows:
        if row.data.get("kind") == "due":
            one = Due(row.data["cause"], row.data["trigger"], minute_of(parse_instant(row.data["again_at"])))
            due.setdefault(row.data["subject"], []).append(one)
    return rebaselines, expected, due
