"""The workload's lineage as account and ledger show it together, and the caps that it shares.

A step is an invocation of its own and can be handed nothing; so each reads what its own decision rests on, and no more:
createSecret all keys of the workspace, since whatever bears the workload's name shares its cap; testSecret the key that
is to be replaced. Lists are borrowed from an earlier step where the same container ran it (`lists`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from governor.account.workspaces import meant
from governor.keys.caps import caps_of
from governor.keys.lineage import Lineage
from governor.policy import Workload
from key_rotation.adopting import held
from key_rotation.decide import Facts, former, guardrail
from key_rotation.lists import Lists
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
    workload, lineage, lists = rotating.workload, rotating.lineage(), Lists.of(rotating, account)
    workspaces, place = _place(workload, lists)
    guardrails = lists.guardrails(place) if place else []
    capped = bool(caps_of(workload.key, guardrail(workload, guardrails)))
    in_secret = held(rotating, account, place) if place and lineage.current is None else None
    own = _keys(rotating, account, place, lineage, in_secret, capped=capped) if place else []
    found = Read(Facts(workload, workspaces, guardrails, own, lineage, rotating.causes(), held=in_secret), place)
    old = former(found.facts)
    return _with_guardrails(lists, found, [old.hash] if old else [])


def review(rotating: Rotating, account: Account) -> Read:
    """The current key and its guardrail. The causes come last, as in `survey`."""
    lineage, lists = rotating.lineage(), Lists.of(rotating, account)
    workspaces, place = _place(rotating.workload, lists)
    guardrails = lists.guardrails(place) if place else []
    current = _key(account, lineage.current.hash) if lineage.current and place else None
    keys = [current] if current else []
    found = Read(Facts(rotating.workload, workspaces, guardrails, keys, lineage, rotating.causes()), place)
    return _with_guardrails(lists, found, [key.hash for key in keys])


def _keys(
    rotating: Rotating, account: Account, place: str, lineage: Lineage, in_secret: "ApiKey | None", *, capped: bool
) -> "list[ApiKey]":
    """The keys of the lineage, and what bears its name. A borrowed list will do while one key alone can spend: its
    limit is set and read back before a new key is made, or, where no cap is, it is asked for here.

    `in_secret`: the key to be replaced where the lineage has none yet, as just read.
    """
    lists, replaced = Lists.of(rotating, account), lineage.current or in_secret
    alone = lineage.rotation is None and not any(key.state in ("overlap", "pending") for key in lineage.keys)
    listed, borrowed = lists.keys(place, fresh=replaced is None or not alone)
    if borrowed and replaced:
        asked = {key.hash for key in lineage.keys if not capped or key.hash != replaced.hash}
        own = _own(rotating, account, lineage, [key for key in listed if key.hash not in asked])
        if any(not key.disabled for key in own if key.hash != replaced.hash):
            listed, borrowed = lists.keys(place, fresh=True)
    if not borrowed:
        own = _own(rotating, account, lineage, listed)
    return [in_secret, *(key for key in own if key.hash != in_secret.hash)] if in_secret else own


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


def _place(workload: Workload, lists: Lists) -> "tuple[Sequence[Workspace], str]":
    workspaces = lists.workspaces()
    found = meant(workload.workspace, workspaces)
    return workspaces, found[0].id if len(found) == 1 else ""


def _key(account: Account, hash: str) -> "ApiKey | None":
    """The key, in whatever workspace it is; None only when OpenRouter answers 404."""
    try:
        return account.keys.get(hash)
    except NotFound:
        return None


def _with_guardrails(lists: Lists, found: Read, hashes: Sequence[str]) -> Read:
    if not hashes:
        return found
    wanted = found.guardrail
    return replace(
        found, facts=replace(found.facts, assigned=lists.guardrails_of(hashes, wanted.id if wanted else None))
    )
