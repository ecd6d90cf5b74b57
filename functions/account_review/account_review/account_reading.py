"""Reads the account, part by part: a part that fails is unknown, hides no other, and ends no finding.

Raises what keeps the review from seeing anything at all: a 401, or a list of workspaces that cannot be read. Nothing is
written at OpenRouter.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from account_review.analytics_questions import Asker
from account_review.costs import windows
from account_review.facts import Facts, ManagementKey, Place, Price
from account_review.finding import ACCOUNT
from management_api import OpenRouterError, Read

if TYPE_CHECKING:
    from management_api import OpenRouter, Preset, Workspace, WorkspaceReading


class Reader:
    """One run's reading. `asker`: its questions to analytics."""

    def __init__(self, account: "OpenRouter", asker: Asker, since: Callable[[], datetime]) -> None:
        """`since`: when the management key's secret was last written."""
        self._account = account
        self._asker = asker
        self._since = since
        self._unread: dict[tuple[str, str], str] = {}

    def read(self, now: datetime, prices_before: Mapping[str, Price]) -> Facts:
        account = self._account
        workspaces = account.workspaces.list()
        readings = account.read_account([one.id for one in workspaces])
        places = [self._place(one, readings[one.id]) for one in workspaces]
        spans = windows(now.date())
        asked = self._asker
        apps = asked.apps_by_key(spans[-1][0], spans[0][1])
        if "apps of keys" in asked.unknown:
            self._unread["apps", ACCOUNT] = asked.unknown["apps of keys"]
        assigned = self._part("assignments", ACCOUNT, account.guardrails.assignments, [])
        members_assigned = self._part("assignments", ACCOUNT, account.guardrails.member_assignments, [])
        members = self._part("members", ACCOUNT, account.organization.members, [])
        if not members and ("members", ACCOUNT) not in self._unread:
            # An organization has its administrator: an empty list is a personal account's, or a fault.
            self._unread["members", ACCOUNT] = "the list of members is empty"
        return Facts(
            now=now,
            places=places,
            assigned={one.key_hash: one.guardrail_id for one in assigned},
            members_assigned={one.user_id: one.guardrail_id for one in members_assigned},
            members=frozenset(one.id for one in members),
            providers={one.slug: one.name for one in self._part("providers", ACCOUNT, account.providers, [])},
            models={one.id: one for one in self._part("models", ACCOUNT, account.models, [])},
            prices_before=prices_before,
            activity=self._part("activity", ACCOUNT, lambda: account.activity(group_by="workspace"), []),
            apps=apps,
            credits=self._part("credits", ACCOUNT, account.credits, None),
            management_key=self._part("management_key", ACCOUNT, self._management_key, None),
            unread=self._unread,
        )

    def _place(self, workspace: "Workspace", reading: "WorkspaceReading") -> Place:
        account, slug = self._account, workspace.slug or workspace.id
        if not isinstance(reading, Read):
            self._unread["keys", slug] = f"{reading.error}"
        elif reading.unreadable:
            self._unread["keys", slug] = f"{len(reading.unreadable)} keys cannot be read"
        return Place(
            workspace=workspace,
            keys=reading.keys if isinstance(reading, Read) else (),
            budgets=self._part("budgets", slug, lambda: account.workspaces.budgets(workspace.id).data, []),
            guardrails=self._part("guardrails", slug, lambda: account.guardrails.list(workspace.id), []),
            byok=self._part("byok", slug, lambda: account.byok.list(workspace.id), []),
            destinations=self._part("destinations", slug, lambda: account.destinations.list(workspace.id), []),
            presets=self._part("presets", slug, lambda: self._presets(workspace.id), []),
        )

    def _presets(self, workspace_id: str) -> "list[Preset]":
        """With the version that each serves, which the list leaves out."""
        listed = self._account.presets.list(workspace_id)
        return [self._account.presets.get(one.slug, workspace_id) for one in listed]

    def _management_key(self) -> ManagementKey:
        return ManagementKey(self._since(), self._account.current_key().expires_at)

    def _part[T, D](self, part: str, place: str, read: Callable[[], T], otherwise: D) -> T | D:
        try:
            return read()
        except OpenRouterError as error:
            if error.status == 401:
                raise
            self._unread[part, place] = f"{error}"
            return otherwise


LONGEST = timedelta(days=90)
"""How far back the account's days are asked for: three months of trials for the forecast."""
