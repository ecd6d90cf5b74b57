"""Which workload each key is of, by its hash, as the ledger's lineages have it.

Names are what people may change at any time; the hash of a key is its own for life. Whoever assigns a key to a workload
looks here first, and at the name only of keys that no lineage holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from governor.keys.lineage import PK, Limit
from governor.ledger import Ledger


@dataclass(frozen=True)
class Owned:
    """A key of a workload's lineage. `given`: the limits that Governor set last, empty where it set none."""

    workload: str
    given: tuple[Limit, ...] = ()

    def is_given(self, limit_usd: float | None, limit_reset: str | None) -> bool:
        """Whether Governor may have set this limit itself: always, where it noted none."""
        return not self.given or any(
            one.limit_reset == limit_reset and _same(one.limit_usd, limit_usd) for one in self.given
        )


_CENT = 0.01


def owned(ledger: Ledger) -> dict[str, Owned]:
    """The keys of all lineages by hash, without deleted ones. One query; a row that cannot be read is left out."""
    return {key["hash"]: Owned(workload, _given(key.get("given"))) for workload, key in _keys(ledger)}


def owners(ledger: Ledger) -> dict[str, str]:
    """Workload by hash, without deleted keys. One query; a row that cannot be read is left out."""
    return {key["hash"]: workload for workload, key in _keys(ledger)}


def _keys(ledger: Ledger) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in ledger.rows(PK):
        keys = row.data.get("keys")
        for key in keys if isinstance(keys, list) else ():
            if isinstance(key, dict) and isinstance(key.get("hash"), str) and key.get("state") != "deleted":
                yield row.sk, key


def _given(limits: Any) -> tuple[Limit, ...]:
    """What cannot be read counts as not noted."""
    try:
        return tuple(Limit(None if usd is None else float(usd), reset) for usd, reset in limits or ())
    except (TypeError, ValueError):
        return ()


def _same(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) < _CENT
