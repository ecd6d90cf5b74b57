"""The workload's lineage as account and ledger show it together, and the caps that it shares.

A step is a process of its own and can be handed nothing; so each reads what its own decision rests on, and no more:
createSecret all keys of the workspace, since whatever bears the workload's name shares its cap; testSecret the key that
is to be replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from governor.attachments import guardrails_of
from governor.lineage import Lineage
from governor.workspaces import meant
from key_rotation.adopting import held
from key_rotation.decide import Facts, former, guardrail
from key_rotation.ports import Account, Rotating
from management_api import NotFound

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail, Workspace


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

    @property
    def former(self) -> str | None:
        """The hash of the key to be replaced, though somebody may have deleted it."""
        current = self.lineage.current
        return current.hash if current else None


def survey(rotating: Rotating, account: Account) -> Read:
    """Every key of the workload. Account first, causes after: a key that the kill switch disables meanwhile is then
    known to be its. The lineage before both: where limits are set meanwhile, the write that rests on it is refused."""
    workload, lineage = rotating.workload, rotating.lineage()
    workspaces, place = _place(rotating, account)
    keys: Sequence[ApiKey] = account.keys.list(place) if place else ()
    guardrails = account.guardrails.list(place) if place else []
    own = _own(rotating, account, lineage, keys) if place else []
    in_secret = held(rotating, account, place) if place and lineage.current is None else None
    if in_secret:
        own = [in_secret, *(key for key in own if key.hash != in_secret.hash)]
    found = Read(Facts(workload, workspaces, guardrails, own, lineage, rotating.causes(), held=in_secret), place)
    old = former(found.facts)
    return _with_guardrails(account, found, [old.hash] if old else [])


def review(rotating: Rotating, account: Account, pending: str) -> Read:
    """The current key, and the guardrails of it and of the pending one. The causes come last, as in `survey`."""
    lineage = rotating.lineage()
    workspaces, place = _place(rotating, account)
    guardrails = account.guardrails.list(place) if place else []
    current = _key(account, lineage.current.hash) if lineage.current and place else None
    keys = [current] if current else []
    found = Read(Facts(rotating.workload, workspaces, guardrails, keys, lineage, rotating.causes()), place)
    return _with_guardrails(account, found, [pending, *(key.hash for key in keys)] if place else [])


def _own(rotating: Rotating, account: Account, lineage: Lineage, listed: "Sequence[ApiKey]") -> "list[ApiKey]":
    """The keys of the lineage by their hashes, wherever they are and whatever they are called; then what bears the
    workload's name. A list that leaves out a key of the lineage does not make it gone: each is asked for by its hash.
    """
    by_hash = {key.hash: key for key in listed}
    found: dict[str, ApiKey] = {}
    for known in lineage.keys:
        if known.state == "deleted":
            continue
        key = by_hash.get(known.hash) or _key(account, known.hash)
        if key:
            found[key.hash] = key
    named = (key for key in listed if rotating.ports.policy.lineage_of(key.name) == rotating.workload.name)
    return [*{**found, **{key.hash: key for key in named}}.values()]


def _place(rotating: Rotating, account: Account) -> "tuple[list[Workspace], str]":
    workspaces = account.workspaces.list()
    found = meant(rotating.workload.workspace, workspaces)
    return workspaces, found[0].id if len(found) == 1 else ""


def _key(account: Account, hash: str) -> "ApiKey | None":
    """The key, in whatever workspace it is; None only when OpenRouter answers 404."""
    try:
        return account.keys.get(hash)
    except NotFound:
        return None


def _with_guardrails(account: Account, found: Read, hashes: Sequence[str]) -> Read:
    if not hashes:
        return found
    wanted = found.guardrail
    assigned = guardrails_of(account, hashes, wanted.id if wanted else None)
    return replace(found, facts=replace(found.facts, assigned=assigned))
