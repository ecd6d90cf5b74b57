"""Which lineages a run looks at, and in which order."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from governor.keys.allowance import Needs
from governor.keys.lineage import Lineage, LineageKey
from governor.policy import Policy, Workload
from key_retirement.allowances import is_due
from key_retirement.settings import Tick

SETTLING = timedelta(hours=1)
"""So long after a key was disabled or deleted every run looks at all of it; after that the first of an hour does."""


def looked_at(
    policy: Policy, lineages: Mapping[str, Lineage], needs: Needs | None, tick: Tick, now: datetime, *, hourly: bool
) -> list[Workload]:
    """Every workload with a secret, in the first run of an hour; else those with something under way, and the one that
    the run names. Whichever has waited longest comes first.
    """
    chosen = [
        workload
        for workload in policy.workloads
        if workload.secret
        and tick.workload in (None, workload.name)
        and (
            hourly
            or tick.workload
            or _is_open(lineages.get(workload.name), now)
            or is_due(workload, lineages.get(workload.name), needs, now)
        )
    ]
    return sorted(chosen, key=lambda workload: _waiting_since(lineages.get(workload.name)))


def _is_open(lineage: Lineage | None, now: datetime) -> bool:
    """Whether anything of the lineage is under way that cannot wait for the next hour's first run.

    A deleted key's spend bears on the cap until its month is over, which ends on the hour.
    """
    return lineage is not None and (lineage.rotation is not None or any(_is_tended(key, now) for key in lineage.keys))


def _is_tended(key: LineageKey, now: datetime) -> bool:
    return key.state not in ("current", "deleted") or (key.state == "deleted" and now - key.since < SETTLING)


def _waiting_since(lineage: Lineage | None) -> float:
    seen = [key.seen.at.timestamp() for key in lineage.keys if key.seen] if lineage else []
    return max(seen, default=0.0)
