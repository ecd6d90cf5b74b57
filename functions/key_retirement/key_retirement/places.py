"""Workspaces as one run reads them, each once."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from governor.account.workspaces import meant
from governor.keys.attachments import Attachments
from governor.keys.attachments import read as read_attachments
from governor.policy import Workload
from key_retirement.lazy import LaterMapping, LaterSequence
from key_retirement.ports import Place

if TYPE_CHECKING:
    from management_api import OpenRouter, Workspace


class WorkloadUnknown(Exception):
    """A request names no workload of the policy, or one without a secret. Fix the sender, or the policy."""


class Places:
    """Each workspace, and the account's list of assignments, read once a run however many lineages there are, and
    however many threads.

    Keys at once; guardrails, and what points at a key, when a lineage needs them: while old keys merely drain, a run
    polls one list a workspace.
    """

    def __init__(self, account: "OpenRouter") -> None:
        self._account = account
        self._workspaces: list[Workspace] | None = None
        self._assigned: dict[str, str] | None = None
        self._read: dict[str, Place] = {}
        self._one_reads, self._one_assigns = threading.Lock(), threading.Lock()

    def of(self, workload: Workload) -> Place:
        """Raises `WorkloadUnknown` when the policy's workspace is not one place."""
        with self._one_reads:
            return self._of(workload)

    def _of(self, workload: Workload) -> Place:
        if self._workspaces is None:
            self._workspaces = self._account.workspaces.list()
        found = [one.id for one in meant(workload.workspace, self._workspaces)]
        if len(found) != 1:
            raise WorkloadUnknown(
                f"the account has {len(found)} workspaces {workload.workspace!r}, where the policy places "
                f"{workload.name}; fix workloads[].workspace"
            )
        if found[0] not in self._read:
            self._read[found[0]] = self._reading(found[0])
        return self._read[found[0]]

    def _reading(self, id: str) -> Place:
        account = self._account
        keys = {key.hash: key for key in account.keys.list(id)}
        guardrails = LaterSequence(lambda: account.guardrails.list(id))
        return Place(id, keys, guardrails, LaterMapping(lambda: self._attachments(id)))

    def _attachments(self, id: str) -> Mapping[str, Attachments]:
        with self._one_assigns:
            if self._assigned is None:
                self._assigned = {one.key_hash: one.guardrail_id for one in self._account.guardrails.assignments()}
        return read_attachments(self._account, id, self._assigned)
