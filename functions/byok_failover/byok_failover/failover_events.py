"""The function's events: each one's id follows from the fact alone, so that the same fact is told once. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from byok_failover.chain import called
from byok_failover.decide import Health
from byok_failover.gaps import Finding
from byok_failover.probing import among
from byok_failover.shares import Leak
from governor.clock import format_instant
from governor.events import DetailType, Event, event_id
from governor.events.byok_evidence import (
    Bench,
    CredentialHealth,
    CredentialRef,
    CreditsLeak,
    DrillResult,
    FailoverGap,
    ReviewDue,
)
from governor.events.evidence import Evidence
from governor.policy import Byok

if TYPE_CHECKING:
    from byok_failover.drill_rules import Result
    from management_api import ByokKey


def ref(credential: "ByokKey") -> CredentialRef:
    return CredentialRef(id=credential.id, name=called(credential), fallback=credential.is_fallback)


def gap(kind: DetailType, finding: Finding, byok: Byok | None, since: datetime, now: datetime) -> Event:
    """`byok`: None for a decision that the policy holds no more."""
    found = kind is DetailType.FAILOVER_GAP_FOUND
    workspace, _, provider = finding.decision.rpartition("/")
    evidence = FailoverGap(
        name=finding.decision, workspace=workspace, provider=provider, owner=byok.owner if byok else "",
        rule=finding.rule, detail=finding.detail, todo=finding.todo, chain=finding.chain, since=since,
    )  # fmt: skip
    return _event(kind, finding.decision, now, finding.detail, evidence, finding.key, format_instant(since), found)


def health(
    byok: Byok,
    subjects: "Sequence[ByokKey]",
    after: Health,
    detail: str,
    action: Literal["alert", "bench", "withheld"],
    turn: int,
    now: datetime,
) -> Event:
    """`turn`: how often this subject's verdict has changed, which tells one illness from the next."""
    kind = DetailType.CREDENTIAL_UNHEALTHY if after.ill else DetailType.CREDENTIAL_RECOVERED
    refs = [ref(one) for one in subjects]
    evidence = CredentialHealth(
        **_of(byok), judgement=after.verdict, among=refs, detail=detail, action=action, since=now
    )
    who = f"{among(subjects)} of {byok.name}"
    reason = f"{who} is {after.verdict}: {detail}." if after.ill else f"{who} works again."
    ids = ",".join(sorted(one.id for one in subjects))
    return _event(kind, byok.name, now, reason, evidence, ids, turn, after.verdict)


ENDED = {
    "served": "it serves again",
    "enabled": "somebody enabled it",
    "foreign": "somebody took Governor's mark off its name, so it stays disabled",
    "gone": "it was deleted",
    "not_benched": "the policy no longer lets Governor disable it",
}
"""Why Governor no longer holds a credential disabled, by the rule of Credential Unbenched."""


def bench(kind: DetailType, byok: Byok, credential: CredentialRef, since: datetime, rule: str, now: datetime) -> Event:
    evidence = Bench(**_of(byok), credential=credential, rule=rule, since=since)
    benched = kind is DetailType.CREDENTIAL_BENCHED
    reason = (
        f"{credential.name} of {byok.name} is disabled: the provider refuses it, and every request paid for asking."
        if benched
        else f"{credential.name} of {byok.name}: {ENDED[rule]}."
    )
    return _event(kind, byok.name, now, reason, evidence, credential.id, format_instant(since))


def leaked(kind: DetailType, byok: Byok, found: Leak, rate: float, now: datetime) -> Event:
    evidence = CreditsLeak(
        **_of(byok), source=found.source, share=found.share, habit=found.habit, lost_usd=round(found.lost, 4),
        rate_usd_per_hour=round(rate, 4), started_at=found.since, observed_at=now,
        workloads=found.workloads, providers=found.providers,
    )  # fmt: skip
    reason = (
        f"Own keys serve {found.share:.0%} of the spend of {byok.workspace}, and {found.habit:.0%} is the habit; "
        f"${found.lost:,.2f} of credits went beyond it since {format_instant(found.since)}."
    )
    return _event(kind, byok.name, now, reason, evidence, byok.workspace, format_instant(found.since))


def drilled(begun: Mapping[str, Any], result: "Result", now: datetime) -> Event:
    kind = DetailType.DRILL_PASSED if result.rule == "passed" else DetailType.DRILL_FAILED
    evidence = DrillResult(
        name=begun["decision"], workspace=begun["workspace"], provider=begun["provider"], owner=begun["owner"],
        rule=result.rule, by=begun["by"], order=begun["order"], credential=result.credential, expected=result.expected,
        served_by=result.served_by, seconds=result.seconds, cost_usd=round(result.cost_usd, 8), probes=result.probes,
        back=result.back, chain=result.chain,
    )  # fmt: skip
    return _event(kind, begun["decision"], now, result.reason, evidence, begun["order"])


def review(byok: Byok, due: str, now: datetime) -> Event:
    evidence = ReviewDue(**_of(byok), reason=byok.reason, exit=byok.exit, due=due, slack=byok.slack)
    reason = f"Is it time to give up our own key for {byok.name}? It goes when: {byok.exit}"
    return _event(DetailType.BYOK_REVIEW_DUE, byok.name, now, reason, evidence, due)


def _of(byok: Byok) -> dict[str, str]:
    return {"name": byok.name, "workspace": byok.workspace, "provider": byok.provider, "owner": byok.owner}


def _event(
    kind: DetailType, subject: str, now: datetime, reason: str, evidence: Evidence, *parts: str | int | float
) -> Event:
    id = event_id(kind, subject, *parts)
    return Event(kind, id, subject, now, reason, evidence.model_dump(mode="json"))
