"""The live read that decides: which keys a subject has at this moment, from the API (promise 2)."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governor.events import BadEvent
from governor.policy import Limits, Policy, Workload
from kill_switch.claims import Guard
from kill_switch.ports import Account
from management_api import NotFound

if TYPE_CHECKING:
    from management_api import ApiKey

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Reading:
    """A subject and its keys as they are, disabled and expired ones too. `subject`: the workload's name where one
    declares the key, so that a workload's tier and causes hold however it is named.

    `tier`: that of the workload whose name the key bears. In another workspace (it was renamed, or the key moved) the
    key is no workload's, but tier 0 protects it still.
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
    """Reads the account as the policy divides it into subjects. Raises from `management_api.errors`."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

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
        workload = self._policy.workload(self._policy.lineage_of(key.name))
        if workload:
            keys = self._lineage(account, workload)
            if any(one.hash == subject for one in keys):
                return self._reading(workload, keys)
        return Reading(subject, None, self._policy.defaults, (key,), workload.tier if workload else 1)

    def guard(self, account: Account, id: str) -> Guard | None:
        """A guardrail and the keys it governs now; None when it is gone."""
        try:
            guardrail = account.guardrails.get(id)
        except NotFound:
            return None
        assigned = account.guardrails.assignments()
        return Guard(guardrail, frozenset(one.key_hash for one in assigned if one.guardrail_id == id))

    def counts_byok(self, key: "ApiKey") -> bool:
        """Whether the key's BYOK usage is spend: its own setting says so, or the policy's for its workload."""
        workload = self._policy.workload(self._policy.lineage_of(key.name))
        return key.include_byok_in_limit or (workload is not None and workload.key.include_byok_in_limit)

    def _reading(self, workload: Workload, keys: tuple["ApiKey", ...]) -> Reading:
        return Reading(workload.name, workload, self._policy.for_subject(workload.name), keys, workload.tier)

    def _lineage(self, account: Account, workload: Workload) -> tuple["ApiKey", ...]:
        places = [
            place.id for place in account.workspaces.list() if workload.workspace in (place.id, place.name, place.slug)
        ]
        keys = (key for place in places for key in account.keys.list(place))
        return tuple(key for key in keys if self._policy.lineage_of(key.name) == workload.name)


def is_hash(subject: str) -> bool:
    """Whether the subject is a key's hash rather than a workload's name."""
    return _HASH.fullmatch(subject) is not None
