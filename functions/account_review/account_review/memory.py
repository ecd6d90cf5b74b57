"""What a review remembers for the next one: findings, prices, and how far its own delivery has come. JSON.

`run`: the last run; `before`: what was remembered when it began, so that the run, begun again, finds the same news.
`delivered`: the steps of the run that are done.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from account_review.facts import Price
from account_review.standing import Known


class BadMemory(Exception):
    """The stored memory is not what a review wrote: delete the object; the next review tells everything anew."""


@dataclass(frozen=True)
class Remembered:
    """Findings by id, and what each model in use cost."""

    findings: Mapping[str, Known] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        return {
            "findings": {
                id: {"since": f"{one.since}", "told": one.told, "place": one.place} for id, one in self.findings.items()
            },
            "prices": {id: [None if one is None else f"{one}" for one in price] for id, price in self.prices.items()},
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Remembered":
        return cls(
            {
                id: Known(date.fromisoformat(one["since"]), bool(one["told"]), str(one["place"]))
                for id, one in data["findings"].items()
            },
            {
                id: Price(Decimal(one[0]), Decimal(one[1]), None if one[2] is None else Decimal(one[2]))
                for id, one in data["prices"].items()
            },
        )


@dataclass(frozen=True)
class Memory:
    """The stored object."""

    run: str = ""
    before: Remembered = Remembered()
    now: Remembered = Remembered()
    delivered: Sequence[str] = ()

    def starting(self, run: str) -> Remembered:
        """What is known when `run` begins: the same when it begins again."""
        return self.before if run == self.run else self.now

    def ended(self, run: str, now: Remembered) -> "Memory":
        """After `run` has found what it found; nothing of it delivered yet, unless it was before."""
        return Memory(run, self.starting(run), now, self.delivered if run == self.run else ())

    def with_step(self, step: str) -> "Memory":
        return replace(self, delivered=(*self.delivered, step))

    def encode(self) -> bytes:
        data = {
            "version": 1,
            "run": self.run,
            "before": self.before.data(),
            "now": self.now.data(),
            "delivered": list(self.delivered),
        }
        return json.dumps(data, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, content: bytes) -> "Memory":
        """Raises `BadMemory`."""
        try:
            data = json.loads(content)
            return cls(data["run"], Remembered.of(data["before"]), Remembered.of(data["now"]), tuple(data["delivered"]))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, InvalidOperation) as error:
            raise BadMemory(f"the review's memory cannot be read ({type(error).__name__}: {error})") from error
