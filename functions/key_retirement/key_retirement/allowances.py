"""Which allowance the keys of a lineage have now: by the meter's word on what they need, and what the row remembers."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governor.keys.allowance import Need, Needs

if TYPE_CHECKING:
    from governor.keys.lineage import Lineage
    from governor.policy import Workload
    from key_retirement.ports import LineageRun, Ports

RESTORED = timedelta(minutes=12)
"""So long after a person's restore a limit is raised though the meter has not looked again: a little over a run."""


def known_needs(ports: "Ports") -> Needs | None:
    """What the meter says that allowances need, where the policy gives any. Not to know it stops no run."""
    if not any(workload.key.allowance for workload in ports.policy.workloads):
        return None
    try:
        return ports.needs()
    except Exception as error:  # noqa: BLE001 - drains and rotations do not wait for it; the limits stay as they are
        ports.log.warning("what allowances need could not be read", extra={"error": f"{error}"})
        return None


def need_of(run: "LineageRun", lineage: "Lineage", *, decided: bool) -> Need | None:
    """The need by which the lineage's limits are held to an allowance; None: they are the caps' own.

    Without a fresh word of the meter the last allowance stands, and nothing is raised: nobody looks. `decided`: people
    have decided that a key of it works again.
    """
    if run.workload.key.allowance is None:
        return None
    needs, now = run.needs, run.now
    causes = run.ports.causes.causes(lineage.workload)
    restored = decided or any(row.lifted_at and now - row.lifted_at < RESTORED for row in causes.rows.values())
    if needs is None or not needs.is_fresh(now):
        return Need(lineage.allowance, renew=restored) if lineage.allowance else None
    need = needs.by_workload.get(lineage.workload)
    return Need(need.usd, need.renew or restored, need.due) if need else None


def is_due(workload: "Workload", lineage: "Lineage | None", needs: Needs | None, now: datetime) -> bool:
    """Whether a run must look at the lineage for its allowance: a limit may have to move, or to be the cap again."""
    if lineage is None:
        return False
    if workload.key.allowance is None:
        return lineage.allowance is not None
    if needs is None or not needs.is_fresh(now):
        return False
    need = needs.by_workload.get(workload.name)
    return need.due if need else lineage.allowance is not None
