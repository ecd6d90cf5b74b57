"""The live read that decides: which keys a subject has at this moment, from the API (promise 2)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governor.account.workspaces import is_gone, meant
from governor.events import BadEvent
from governor.policy import Limits, Policy, Workload
from kill_switch.claims import Guard
from kill_switch.ports import Account
from management_api import NotFound, Rejected

if TYPE_CHECKING:
    from management_api import ApiKey

_HASH = re.compile(r"[0-9a-f]{64}")
NAMED_AT_MOST = 20
"""Keys that an event names and no list has, which are asked for by their hashes: anybody may name a thousand."""


@dataclass(frozen=True)
class Reading:
    """A subject and its keys as they are, disabled and expired ones too. `subject`: the workload's name where one
    declares the key, so that a workload's tier and causes hold however it is named.

    `tier`: that of the workload whose name the key bears. A key of that name that no lineage holds, in another
    workspace, is not a workload's, but tier 0 protects it still.
    """

    subject: str
    workload: Workload | None
    limits: Limits
    keys: tuple["ApiKey", ...]
    tier: int = 1

    @property
    def name(self) -> str:
        return self.workload.name if self.workload else self.keys[0].name if self.keys else self.subject


class Truth:
    """Reads the account as the policy divides it into subjects. Raises from `management_api.errors`.

    `owners`: which workload a key is of, by hash, as the ledger's lineages have it. They go before names and before
    lists: a key that a person renamed or moved, or that a list leaves out, is disabled with its workload.

    `named`: hashes that the trigger names. They are no proof of anything, but a reason to ask for the keys that a list
    leaves out: each is the workload's if its lineage, or its name and its workspace, say so.
    """

    def __init__(self, policy: Policy, owners: Mapping[str, str], named: Collection[str] = ()) -> None:
        self._policy = policy
        self._owners = owners
        self._named = named

    def read(self, account: Account, subject: str) -> Reading:
        """Raises `BadEvent` for a subject that is neither a declared workload nor a key's hash."""
        workload = self._policy.workload(subject)
        if workload:
            return self._reading(workload, self._lineage(account, workload))
        if not is_hash(subject):
            raise BadEvent(f"detail.subject: {subject!r} is neither a declared workload nor a key's 64-digit hash")
        try:
            key = account.keys.get(subject)
        except NotFound:
            return Reading(subject, None, self._policy.defaults, ())
        workload = self._workload(key)
        if workload:
            keys = self._lineage(account, workload, subject)
            if any(one.hash == subject for one in keys):
                return self._reading(workload, keys)
        return Reading(subject, None, self._policy.defaults, (key,), workload.tier if workload else 1)

    def guard(self, account: Account, id: str) -> Guard | None:
        """A guardrail and the keys it governs now; None when it is gone.

        Where its own list has none of the keys that the trigger names, the account's list is asked as well.
        """
        try:
            guardrail = account.guardrails.get(id)
            hashes = {one.key_hash for one in account.guardrails.assigned(id)}
        except NotFound:
            return None
        if hashes.isdisjoint(self._named):
            hashes |= {one.key_hash for one in account.guardrails.assignments() if one.guardrail_id == id}
        return Guard(guardrail, frozenset(hashes))

    def counts_byok(self, key: "ApiKey") -> bool:
        """Whether the key's BYOK usage is spend: its own setting says so, or the policy's for its workload."""
        workload = self._workload(key)
        return key.include_byok_in_limit or (workload is not None and workload.key.include_byok_in_limit)

    def _reading(self, workload: Workload, keys: tuple["ApiKey", ...]) -> Reading:
        return Reading(workload.name, workload, self._policy.for_subject(workload.name), keys, workload.tier)

    def _workload(self, key: "ApiKey") -> Workload | None:
        """The workload whose lineage holds the key's hash; else the one whose name it bears."""
        return self._policy.workload(self._owners.get(key.hash, "")) or self._policy.workload(
            self._policy.lineage_of(key.name)
        )

    def _lineage(self, account: Account, workload: Workload, subject: str = "") -> tuple["ApiKey", ...]:
        """The workload's keys where the policy places it, and by one GET each those of its lineage that are elsewhere,
        and the subject and the keys that the trigger names where no list has them.

        A 404 is the only answer by which a key is gone, and a workspace with all of its keys.
        """
        places = [place.id for place in meant(workload.workspace, account.workspaces.list())]
        listed = [key for place in places for key in _listed(account, place) if self._workload(key) == workload]
        found = {key.hash: key for key in listed}
        for hash in (hash for hash, name in self._owners.items() if name == workload.name and hash not in found):
            if key := _key(account, hash):
                found[hash] = key
        unlisted = [hash for hash in dict.fromkeys((subject, *self._named)) if is_hash(hash) and hash not in found]
        for hash in unlisted[:NAMED_AT_MOST]:
            key = _key(account, hash)
            if key and self._workload(key) == workload and _is_in(account, key.workspace_id, places, workload):
                found[hash] = key
        return tuple(found.values())


def _listed(account: Account, workspace_id: str) -> "list[ApiKey]":
    """The workspace's keys; none where it was deleted since it was listed. Raises what refused the list otherwise."""
    try:
        return account.keys.list(workspace_id)
    except Rejected:
        if is_gone(account.workspaces, workspace_id):
            return []
        raise


def _key(account: Account, hash: str) -> "ApiKey | None":
    """The key, in whatever workspace it is; None only when OpenRouter answers 404."""
    try:
        return account.keys.get(hash)
    except NotFound:
        return None


def _is_in(account: Account, workspace_id: str, places: Collection[str], workload: Workload) -> bool:
    """Whether a workspace is the workload's; one that the list of workspaces left out is asked for by its id."""
    if workspace_id in places:
        return True
    try:
        return bool(meant(workload.workspace, [account.workspaces.get(workspace_id)]))
    except NotFound:
        return False


def is_hash(subject: str) -> bool:
    """Whether the subject is a key's hash rather than a workload's name."""
    return _HASH.fullmatch(subject) is not None
