"""Who spends: which workload a key belongs to, and what the policy says of it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from governor.events.evidence import KeyReading
from governor.keys.owners import Owned
from governor.policy import Limits, Policy, Workload

if TYPE_CHECKING:
    from management_api import ApiKey
    from spend_meter.state import Guard


class Subjects:
    """The policy as seen from a key. `workspaces`: id to (name, slug), by any of which a policy may mean it.

    `owners`: the keys of the ledger's lineages, by hash. They go before names: a key that a person renamed or moved is
    watched as before.
    """

    def __init__(
        self,
        policy: Policy,
        workspaces: Mapping[str, tuple[str, str]],
        owners: Mapping[str, Owned] = MappingProxyType({}),
    ) -> None:
        self._policy = policy
        self.lineage_of = policy.lineage_of
        self._workloads = {
            (workspace_id, workload.name): workload
            for workload in policy.workloads
            for workspace_id, (name, slug) in workspaces.items()
            if workload.workspace in (workspace_id, name, slug)
        }
        self._places = {workspace_id for workspace_id, _ in self._workloads}
        self.capped = {place: one for place, one in self._workloads.items() if one.key.limit_usd}
        """Workloads whose cap counts over all keys of their lineage, rotated or not, by (workspace id, name)."""
        self._declared = {workload.name: workload for workload in policy.workloads}
        self.with_allowance = [one for one in policy.workloads if one.key.allowance]
        """Workloads whose keys' limits are held to an allowance."""
        self._owned = {hash: one for hash, one in owners.items() if one.workload in self._declared}
        self._owners = {hash: one.workload for hash, one in self._owned.items()}
        self._hashes: dict[str, set[str]] = {}
        for hash, owner in self._owners.items():
            self._hashes.setdefault(owner, set()).add(hash)
        self._home = {name: workspace_id for workspace_id, name in self._workloads}
        self._limits: dict[str, Limits] = {name: policy.for_subject(name) for name in self._declared}
        rules = [limits.budget for limits in (policy.defaults, *self._limits.values())]
        shares = [share for rule in rules for share in (*rule.alert_at, rule.disable_at) if share is not None]
        self.lowest_threshold = min(shares, default=None)
        """The lowest share of any limit that anybody wants to hear of; None: nobody does."""

    def of(self, key: "ApiKey", workspace_id: str) -> str:
        """The workload whose lineage holds the key's hash, wherever it is; the one whose name the key bears in the
        workload's own workspace; else the key's hash."""
        owner = self._owners.get(key.hash)
        if owner or workspace_id not in self._places:
            return owner or key.hash
        name = self.lineage_of(key.name)
        return name if (workspace_id, name) in self._workloads else key.hash

    def by_workload(self, listed: Mapping[str, Sequence["ApiKey"] | None]) -> "Mapping[str, Lineage]":
        """The keys of each of the policy's workloads, as `of` tells them."""
        found: dict[str, list[tuple[ApiKey, str]]] = {}
        for workspace_id, keys in listed.items():
            if not self._owners and workspace_id not in self._places:
                continue
            for key in keys or ():
                subject = self.of(key, workspace_id)
                if subject != key.hash:
                    found.setdefault(subject, []).append((key, workspace_id))
        return found

    def of_hash(self, hash: str) -> str:
        """The subject of a key of which only the hash is known."""
        return self._owners.get(hash, hash)

    def place_of(self, key: "ApiKey", workspace_id: str) -> tuple[str, str]:
        """(workspace id, workload's name) under which the key's spend counts for a cap."""
        owner = self._owners.get(key.hash)
        return (self._home.get(owner, workspace_id), owner) if owner else (workspace_id, self.lineage_of(key.name))

    def has_shared_limit(self, key: "ApiKey", workspace_id: str, guard: "Guard | None") -> bool:
        """Whether the key's own limit is no budget, but a share that Governor gives it of the workload's cap.

        That cap is the policy's, or the guardrail's where the policy gives the workload of this lineage no other. Then
        a limit that Governor did not set is a person's. `guard`: the guardrail that is assigned to the key.
        """
        if self.place_of(key, workspace_id) in self.capped:
            return True
        owned = self._owned.get(key.hash)
        if owned is None or self._declared[owned.workload].key.guardrail is None:
            return False
        whole = guard is not None and (guard.limit_usd, guard.reset_interval) == (key.limit, key.limit_reset)
        return whole or owned.is_given(key.limit, key.limit_reset)

    def is_given(self, key: "ApiKey") -> bool:
        """Whether Governor may have set the key's limit itself; what a person set is theirs."""
        owned = self._owned.get(key.hash)
        return owned is not None and owned.is_given(key.limit, key.limit_reset)

    def guarded(self, hash: str, guard_id: str, guard: "Guard") -> str | None:
        """The workload of whose lineage the key is, where the policy puts that workload under this guardrail."""
        owner = self._owners.get(hash)
        if owner is None or self._declared[owner].key.guardrail not in (guard_id, guard.name):
            return None
        return owner

    def hashes_of(self, workload: str) -> set[str]:
        """The keys of the workload's lineage, as the ledger has them."""
        return self._hashes.get(workload, set())

    @property
    def declared(self) -> AbstractSet[str]:
        """The names of the policy's workloads."""
        return self._declared.keys()

    def may_miss_keys(self, subject: str, listed: Mapping[str, Sequence["ApiKey"] | None]) -> bool:
        """Whether a workspace that could not be read may hold keys of this workload."""
        unread = {workspace_id for workspace_id, keys in listed.items() if keys is None}
        if not unread or subject not in self._declared:
            return False
        if self._home.get(subject) in unread:
            return True
        seen = {key.hash for keys in listed.values() for key in keys or ()}
        return any(name == subject and hash not in seen for hash, name in self._owners.items())

    def workload(self, subject: str) -> Workload | None:
        return self._declared.get(subject)

    def limits(self, subject: str) -> Limits:
        return self._limits.get(subject, self._policy.defaults)

    def time_zone(self, subject: str) -> str:
        """In which the times of the subject's `runaway.expect` are."""
        workload = self._declared.get(subject)
        return (workload and workload.time_zone) or self._policy.time_zone

    @property
    def defaults(self) -> Limits:
        return self._policy.defaults

    def counts_byok(self, key: "ApiKey") -> bool:
        """Whether the key's BYOK usage is spend: its own setting says so, or the policy's for its workload."""
        if key.include_byok_in_limit:
            return True
        workload = self._declared.get(self._owners.get(key.hash) or self.lineage_of(key.name))
        return workload is not None and workload.key.include_byok_in_limit

    def counted(self, key: "ApiKey") -> float:
        """The lifetime counter that spend is reckoned from, in USD."""
        return key.usage + (key.byok_usage if self.counts_byok(key) else 0.0)


def limits_moved(listed: Mapping[str, Sequence["ApiKey"] | None], policy: Policy, owners: Mapping[str, Owned]) -> bool:
    """Whether a key whose cap is a guardrail's alone, or that has an allowance, shows a limit that the lineages, as
    last read, do not know.

    Governor notes a limit before it sets it, so lineages that are read after the keys tell whose limit it is.
    """
    alone = {one.name for one in policy.workloads if one.key.allowance or (one.key.guardrail and not one.key.limit_usd)}
    noted = {hash: one for hash, one in owners.items() if one.given and one.workload in alone}
    if not noted:
        return False
    return any(
        key.hash in noted and not noted[key.hash].is_given(key.limit, key.limit_reset)
        for keys in listed.values()
        for key in keys or ()
    )


def key_reading(
    key: "ApiKey", workspace_id: str, subjects: Subjects, window_start_usd: float | None = None
) -> KeyReading:
    """The key as evidence."""
    return KeyReading(
        hash=key.hash,
        name=key.name,
        workspace_id=workspace_id,
        disabled=key.disabled,
        counted_usd=round(subjects.counted(key), 9),
        window_start_usd=None if window_start_usd is None else round(window_start_usd, 9),
    )


type Lineage = Sequence[tuple["ApiKey", str]]
"""A subject's keys, each with its workspace's id."""
type LineageOf = Callable[[str], Lineage]


def lineages(listed: Mapping[str, Sequence["ApiKey"] | None], subjects: Subjects) -> LineageOf:
    """Looks up a subject's keys in a reading.

    Workloads have an index of their own, and each index is built when first asked: to tell of every key which subject
    it is of costs as much as judging all of them.
    """
    workloads, hashes = cache(lambda: subjects.by_workload(listed)), cache(lambda: _by_hash(listed))

    def lineage(subject: str) -> Lineage:
        if subject in subjects.declared:
            return workloads().get(subject, ())
        return [(key, place) for key, place in hashes().get(subject, ()) if subjects.of(key, place) == subject]

    return lineage


def _by_hash(listed: Mapping[str, Sequence["ApiKey"] | None]) -> Mapping[str, Lineage]:
    found: dict[str, list[tuple[ApiKey, str]]] = {}
    for workspace_id, keys in listed.items():
        for key in keys or ():
            found.setdefault(key.hash, []).append((key, workspace_id))
    return found
