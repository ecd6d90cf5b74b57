"""Whose each thing of a Terraform state is, beside a policy. Pure.

Each thing has one owner (docs/terraform.md). A key that no workload claims is left to Terraform, as are workspaces,
budgets and guardrails. A key that a workload claims may stay Terraform's while the workload only watches it; a workload
that rotates it would delete what Terraform then makes anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cli.account import Account
from cli.terraform import Managed
from governor.account.workspaces import meant
from governor.policy import Policy, Workload
from management_api import ApiKey

KEY = "openrouter_api_key"
NOUNS = {
    "openrouter_workspace": "workspace",
    "openrouter_workspace_budget": "budget",
    "openrouter_guardrail": "guardrail",
    "openrouter_guardrail_key_assignment": "guardrail assignment",
    "openrouter_byok_key": "BYOK credential",
    KEY: "key",
}


@dataclass(frozen=True)
class Claimed:
    """A key of Terraform's that a workload claims. `is_rotated`: the workload would replace it."""

    address: str
    key: str
    workload: str
    is_rotated: bool


@dataclass(frozen=True)
class Owners:
    """`left`: what stays Terraform's alone. `claimed`: keys that a workload has to do with, too."""

    left: Sequence[Managed]
    claimed: Sequence[Claimed]

    @property
    def disputed(self) -> list[Claimed]:
        """Keys with two owners: each would undo what the other does."""
        return [one for one in self.claimed if one.is_rotated]

    def counts(self) -> dict[str, int]:
        """How many of each kind are left to Terraform, by noun."""
        found = {noun: sum(NOUNS[one.kind] == noun for one in self.left) for noun in NOUNS.values()}
        return {noun: number for noun, number in found.items() if number}


def owners(resources: Iterable[Managed], policy: Policy, account: Account) -> Owners:
    """Whose each resource is. Data sources are none, and are not in `resources`."""
    keys = {key.hash: key for key in account.keys}
    left: list[Managed] = []
    claimed: list[Claimed] = []
    for one in resources:
        key = keys.get(one.id) if one.kind == KEY else None
        workload = _claiming(policy, account, key) if key else None
        if key and workload:
            claimed.append(Claimed(one.address, key.name, workload.name, workload.rotation is not None))
        else:
            left.append(one)
    return Owners(left, claimed)


def _claiming(policy: Policy, account: Account, key: ApiKey) -> Workload | None:
    """By the name, or by the one that the policy says it adopts, in the workload's workspace."""
    workload = policy.workload(policy.lineage_of(key.name))
    places = {place.id for place in meant(workload.workspace, account.workspaces)} if workload else set()
    return workload if key.workspace_id in places else None
