"""The workload's lineage as account and ledger show it together, and the caps that it shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governor.causes import Causes
from governor.lineage import Lineage
from key_rotation.decide import Facts, guardrail, places
from key_rotation.ports import Account, Rotating

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail


@dataclass(frozen=True)
class Read:
    """One reading. `workspace_id`: where the policy places the workload, empty when that is not one place."""

    facts: Facts
    workspace_id: str

    @property
    def lineage(self) -> Lineage:
        return self.facts.lineage

    @property
    def guardrail(self) -> "Guardrail | None":
        return guardrail(self.facts.workload, self.facts.guardrails)


def read(rotating: Rotating, account: Account) -> Read:
    """Account first, ledger after: a key that the kill switch disables meanwhile is then known to be its."""
    workload = rotating.workload
    workspaces = account.workspaces.list()
    found = places(workload, workspaces)
    place = found[0].id if len(found) == 1 else ""
    keys: Sequence[ApiKey] = account.keys.list(place) if place else ()
    guardrails = account.guardrails.list(place) if place else []
    assigned = {one.key_hash: one.guardrail_id for one in account.guardrails.assignments()} if place else {}
    lineage, causes = after(rotating)
    own = [key for key in keys if rotating.ports.policy.lineage_of(key.name) == workload.name]
    return Read(Facts(workload, workspaces, guardrails, own, lineage, causes, assigned), place)


def after(rotating: Rotating) -> tuple[Lineage, Causes]:
    name = rotating.workload.name
    return rotating.ports.lineages.get(name), rotating.ports.causes.causes(name)
