"""The account's lists as a step sees them: read once, and borrowed by the steps that follow in the same process.

What a stale copy could do, and which read finds it out:
- workspaces, guardrails: one that is gone is refused by the write that names it; one that is not there yet is a
  refusal, and nothing is refused by a borrowed list (`service`). A guardrail's changed budget reaches the new key at
  the retirement's next run, as it does every other key.
- a guardrail's keys: only whether the old key is under it. A key that it does not name is looked for in a fresh list.
- keys: only for a lineage whose one live key is the current one, which is read back by its hash before a new one is
  made; every other key of the lineage is asked for by its hash (`lineages`).
- allowlists and filters: no longer than the steps of one rotation take, and never past a write of our own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from governor.account.leases import Leases
from governor.clock import Clock
from governor.keys.lists import Lists as HashLists
from governor.keys.lists import lists_of
from key_rotation.ports import Account, Rotating

if TYPE_CHECKING:
    from management_api import ApiKey, Guardrail, Workspace

PLACES = timedelta(seconds=60)
ATTACHED = timedelta(seconds=15)


@dataclass(frozen=True)
class Lists:
    """Every method reads at most one list. Raises what reading raises."""

    account: Account
    leases: Leases
    clock: Clock

    @classmethod
    def of(cls, rotating: Rotating, account: Account) -> "Lists":
        return cls(account, rotating.ports.leases, rotating.ports.clock)

    def workspaces(self) -> "Sequence[Workspace]":
        return self.leases.read("workspaces", PLACES, self.clock(), self.account.workspaces.list)

    def guardrails(self, workspace_id: str) -> "Sequence[Guardrail]":
        """The workspace's."""
        return self.leases.read(
            ("guardrails", workspace_id), PLACES, self.clock(), lambda: self.account.guardrails.list(workspace_id)
        )

    def keys(self, workspace_id: str, *, fresh: bool) -> "tuple[Sequence[ApiKey], bool]":
        """The workspace's keys, and whether they were borrowed."""
        name, now = ("keys", workspace_id), self.clock()
        if fresh:
            self.leases.drop(name)
        borrowed = self.leases.has(name, now)
        return self.leases.read(name, PLACES, now, lambda: self.account.keys.list(workspace_id)), borrowed

    def guardrails_of(self, hashes: Collection[str], expected: str | None) -> dict[str, str]:
        """The guardrail's id of each of the keys that has one, by the list of the guardrail where they should be.

        What a borrowed list does not name is looked for in a fresh one; what that does not name either, in the
        account's whole list, which is longer by all other keys.
        """
        while expected:
            name, now = ("assigned", expected), self.clock()
            borrowed = self.leases.has(name, now)
            if self._assigned(expected).issuperset(hashes):
                return dict.fromkeys(hashes, expected)
            if not borrowed:
                break
            self.leases.drop(name)
        return {
            one.key_hash: one.guardrail_id for one in self.account.guardrails.assignments() if one.key_hash in hashes
        }

    def _assigned(self, id: str) -> frozenset[str]:
        return self.leases.read(
            ("assigned", id),
            PLACES,
            self.clock(),
            lambda: frozenset(one.key_hash for one in self.account.guardrails.assigned(id)),
        )

    def attached(self, workspace_id: str) -> tuple[HashLists, HashLists]:
        """The allowlists and the filters of the workspace, by the id of what holds each."""
        return self.leases.read(
            ("attached", workspace_id), ATTACHED, self.clock(), lambda: lists_of(self.account, workspace_id)
        )

    def written(self, workspace_id: str) -> None:
        """A list of the workspace was written, or may have been: whoever reads next reads it back."""
        self.leases.drop(("attached", workspace_id))
