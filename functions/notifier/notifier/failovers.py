"""What people read about provider keys of our own: their health, gaps, leaks, drills and reviews."""

from collections.abc import Callable, Mapping
from typing import cast

from governor.events import DetailType
from governor.events.byok_evidence import (
    Bench,
    CredentialHealth,
    CreditsLeak,
    DrillResult,
    FailoverGap,
    OfDecision,
    ReviewDue,
)
from governor.slack.channel import escape
from notifier.case import Case
from notifier.phrases import mention, money, share, span, utc
from notifier.words import GREEN, ORANGE, RED, YELLOW, Words

MOST_CHAINS = 8
_ABOUT_THE_CHECK = "probe_"
"""Rules that begin so are about the probe, not about failover itself."""


def unhealthy(case: Case) -> Words:
    evidence = cast(CredentialHealth, case.evidence)
    icon, colour = ("🔴", RED) if evidence.judgement == "invalid" else ("🟠", ORANGE)
    then = {
        "bench": " Governor disables it, so that requests no longer try it first.",
        "withheld": " Governor leaves it enabled: without it nothing of our own, or nothing at all, would be left.",
    }.get(evidence.action, " Requests go on to what comes after it, which may be paid credits.")
    headline = f"{icon} {_who(evidence)} is {evidence.judgement}: {escape(evidence.detail)}.{then}{_owner(evidence)}"
    return Words(headline, colour, (), "Replace its key at OpenRouter, or in its secret if the policy names one.")


def recovered(case: Case) -> Words:
    evidence = cast(CredentialHealth, case.evidence)
    return Words(f"🟢 {_who(evidence)} works again.", GREEN)


def benched(case: Case) -> Words:
    evidence = cast(Bench, case.evidence)
    headline = f"🟠 {_one(evidence)} is disabled by Governor: its provider refuses it.{_owner(evidence)}"
    todo = (
        "Replace its key; Governor tries it at the next run and enables it once it serves. To keep it disabled for "
        "good, take Governor's mark off its name."
    )
    return Words(headline, ORANGE, (), todo)


def unbenched(case: Case) -> Words:
    evidence = cast(Bench, case.evidence)
    return Words(f"🟢 Governor no longer holds {_one(evidence)} disabled.", GREEN, case.why)


def gap_found(case: Case) -> Words:
    evidence = cast(FailoverGap, case.evidence)
    of = f"`{escape(evidence.name)}`"
    if evidence.rule.startswith(_ABOUT_THE_CHECK):
        headline = f"🟡 The failover of {of} cannot be checked: {escape(evidence.detail)}.{_owner(evidence)}"
        return Words(headline, YELLOW, (), escape(evidence.todo))
    headline = f"🟠 Failover of {of} would not work as the policy expects: {escape(evidence.detail)}.{_owner(evidence)}"
    return Words(headline, ORANGE, _chain(evidence.chain), escape(evidence.todo))


def gap_closed(case: Case) -> Words:
    evidence = cast(FailoverGap, case.evidence)
    since = f" It was open for {span(case.event.occurred_at - evidence.since)}." if evidence.since else ""
    return Words(
        f"🟢 A gap in the failover of `{escape(evidence.name)}` is closed: {escape(evidence.detail)}.{since}", GREEN
    )


def leak_suspected(case: Case) -> Words:
    evidence = cast(CreditsLeak, case.evidence)
    headline = (
        f"🔴 Requests that our own {escape(evidence.provider)} key should serve are paid with credits: "
        f"{money(evidence.lost_usd)} since {utc(evidence.started_at)}, about {money(evidence.rate_usd_per_hour)}/h. "
        f"Own keys serve {share(evidence.share)} of the spend, and {share(evidence.habit)} is usual.{_owner(evidence)}"
    )
    return Words(headline, RED, _about(evidence), "See which credential of the workspace is dead, disabled or full.")


def leak_ended(case: Case) -> Words:
    evidence = cast(CreditsLeak, case.evidence)
    headline = (
        f"🟢 Our own keys serve `{escape(evidence.name)}` again. The leak cost {money(evidence.lost_usd)} of credits "
        f"in {span(case.event.occurred_at - evidence.started_at)}."
    )
    return Words(headline, GREEN, _about(evidence))


def drill_passed(case: Case) -> Words:
    evidence = cast(DrillResult, case.evidence)
    headline = f"🟢 Failover drill of `{escape(evidence.name)}`: passed. {escape(case.event.reason)}"
    return Words(headline, GREEN, _measured(evidence))


def drill_failed(case: Case) -> Words:
    evidence = cast(DrillResult, case.evidence)
    headline = f"🔴 Failover drill of `{escape(evidence.name)}`: failed. {escape(case.event.reason)}{_owner(evidence)}"
    todo = "docs/operations.md, “Drill Failed”, has the fix for the rule that is named below."
    return Words(headline, RED, _measured(evidence), todo)


def review_due(case: Case) -> Words:
    evidence = cast(ReviewDue, case.evidence)
    whom = mention([evidence.slack]) if evidence.slack else escape(evidence.owner)
    headline = (
        f"🗓 {whom}: is our own key for `{escape(evidence.name)}` still needed? It was to be removed when: "
        f"{escape(evidence.exit)}."
    )
    todo = (
        "If that has happened, remove the decision from the policy and the credential from OpenRouter. Else leave both."
    )
    return Words(headline, YELLOW, (f"*Why it is there:* {escape(evidence.reason)}",), todo)


def _who(evidence: CredentialHealth) -> str:
    names = ", ".join(escape(one.name) for one in evidence.among)
    which = names if len(evidence.among) == 1 else f"One of {names} (OpenRouter does not say which)"
    return f"{which}, our own key for `{escape(evidence.name)}`,"


def _one(evidence: Bench) -> str:
    return f"{escape(evidence.credential.name)}, our own key for `{escape(evidence.name)}`,"


def _owner(evidence: OfDecision) -> str:
    return f" Owner: {escape(evidence.owner)}." if evidence.owner else ""


def _about(evidence: CreditsLeak) -> tuple[str, ...]:
    named = (("Workloads", evidence.workloads), ("Providers", evidence.providers))
    return tuple(f"*{title}:* {', '.join(map(escape, names))}" for title, names in named if names)


def _chain(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"• {escape(line)}" for line in lines[:MOST_CHAINS])


def _measured(evidence: DrillResult) -> tuple[str, ...]:
    facts = [f"*Asked by:* {escape(evidence.by)}"]
    if evidence.served_by:
        facts.append(f"*Served by:* {escape(evidence.served_by)}")
    if evidence.probes:
        probes = "one probe" if evidence.probes == 1 else f"{evidence.probes} probes"
        facts.append(f"*Cost:* {money(evidence.cost_usd)}, {probes}")
    if evidence.credential and not evidence.back:
        facts.append(f"*{escape(evidence.credential.name)} is still disabled*, by somebody else than Governor.")
    return (*facts, *_chain(evidence.chain))


WORDS: Mapping[DetailType, Callable[[Case], Words]] = {
    DetailType.CREDENTIAL_UNHEALTHY: unhealthy,
    DetailType.CREDENTIAL_RECOVERED: recovered,
    DetailType.CREDENTIAL_BENCHED: benched,
    DetailType.CREDENTIAL_UNBENCHED: unbenched,
    DetailType.FAILOVER_GAP_FOUND: gap_found,
    DetailType.FAILOVER_GAP_CLOSED: gap_closed,
    DetailType.CREDITS_LEAK_SUSPECTED: leak_suspected,
    DetailType.CREDITS_LEAK_ENDED: leak_ended,
    DetailType.DRILL_PASSED: drill_passed,
    DetailType.DRILL_FAILED: drill_failed,
    DetailType.BYOK_REVIEW_DUE: review_due,
}
