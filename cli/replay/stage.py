"""The account in its past as the kill switch sees it, and the analytics that the meter would have learned from then."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from cli.account import Account
from cli.replay.history import HOUR, History
from cli.replay.past import Past
from governor.clock import format_instant
from management_api import (
    AnalyticsQuery,
    AnalyticsResult,
    ApiKey,
    Deadline,
    Guardrail,
    KeyAssignment,
    KeyPatch,
    Metric,
    NotFound,
    Workspace,
)
from spend_meter.periods import minute_of, moment_of

if TYPE_CHECKING:
    from management_api import OpenRouter


class Stage:
    """`kill_switch.ports.Account` over the past: reads show the minute that is played, a PATCH changes what follows."""

    def __init__(self, account: Account, past: Past) -> None:
        self._account = account
        self.keys = _Keys(past)
        self.workspaces = _Workspaces(account.workspaces)
        self.guardrails = Lists(account)
        self.analytics = PastAnalytics(past.history, lambda: past.minute)

    def within(self, deadline: Deadline) -> "Stage":
        return self

    def as_client(self) -> "OpenRouter":
        """For the meter's own learning, which asks a client nothing but analytics."""
        return cast("OpenRouter", self)


class PastAnalytics:
    """Answers the meter's question about a subject's hours, as analytics would have at the minute `now`.

    Every other question has no rows: which models and apps spent is not in the history.
    """

    def __init__(self, history: History, now: Callable[[], int]) -> None:
        self._history = history
        self._now = now

    def query(self, question: AnalyticsQuery) -> AnalyticsResult:
        asked = question.time_range
        if question.granularity != "hour" or question.dimensions or asked is None:
            return AnalyticsResult(rows=[], truncated=False)
        hashes = [str(hash) for one in question.filters if isinstance(one.value, list) for hash in one.value]
        start, end = (minute_of(at) // HOUR for at in (asked.start, asked.end))
        rows = []
        for hour in range(max(start, self._history.start), min(end, self._now() // HOUR)):
            spent = [self._history.hour(hash, hour) for hash in hashes]
            credits, byok = sum(one for one, _ in spent), sum(one for _, one in spent)
            if credits or byok:
                known: Mapping[str, float] = {Metric.CREDITS_USAGE: credits, Metric.BYOK_USAGE: byok}
                amounts = {metric: known[metric] for metric in question.metrics}
                rows.append({"date__hour": format_instant(moment_of(hour * HOUR)), **amounts})
        return AnalyticsResult(rows=rows, truncated=False)


class _Keys:
    def __init__(self, past: Past) -> None:
        self._past = past

    def list(self, workspace_id: str) -> "list[ApiKey]":
        return list(self._past.listed.get(workspace_id, ()))

    def get(self, hash: str) -> ApiKey:
        held = self._past.by_hash.get(hash)
        if held is None:
            raise NotFound("no such key at that time", request="GET /keys/{hash}", status=404)
        return cast(ApiKey, held.key)

    def update(self, hash: str, patch: KeyPatch) -> ApiKey:
        """The kill switch changes nothing else."""
        if patch.disabled is not None:
            self._past.disable(hash, patch.disabled)
        return self.get(hash)


class _Workspaces:
    def __init__(self, workspaces: tuple[Workspace, ...]) -> None:
        self._workspaces = workspaces

    def list(self) -> "list[Workspace]":
        return list(self._workspaces)

    def get(self, id: str) -> Workspace:
        for one in self._workspaces:
            if one.id == id:
                return one
        raise NotFound("no such workspace", request="GET /workspaces/{id}", status=404)


class Lists:
    """Guardrails and what they are assigned to, as the account has them today."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def get(self, id: str) -> Guardrail:
        found = self._account.guardrail_by_id.get(id)
        if found is None:
            raise NotFound("no such guardrail", request="GET /guardrails/{id}", status=404)
        return found

    def assignments(self) -> list[KeyAssignment]:
        return [
            KeyAssignment(id=hash, guardrail_id=id, key_hash=hash, created_at=self._account.begun)
            for hash, id in self._account.guardrail_of_key.items()
        ]

    def assigned(self, id: str) -> list[KeyAssignment]:
        return [one for one in self.assignments() if one.guardrail_id == id]
