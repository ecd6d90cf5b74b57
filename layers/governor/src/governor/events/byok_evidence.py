"""The evidence of events about provider keys of our own (BYOK): health, gaps, leaks, drills. See `evidence.py`.

Money is in USD. `name` is the policy's decision: workspace and provider.
"""

from datetime import datetime
from typing import Literal

from governor.events.evidence import Evidence

Verdict = Literal["healthy", "degraded", "invalid", "unknown"]


class OfDecision(Evidence):
    """What every one of them says: whose decision it is about."""

    name: str
    workspace: str
    provider: str
    owner: str


class CredentialRef(Evidence):
    """One BYOK credential."""

    id: str
    name: str
    fallback: bool = False


class CredentialHealth(OfDecision):
    """Credential Unhealthy and Recovered. `among`: several, where no source says which of them it was.

    `action`: `alert`, `bench`, or `withheld` where the policy says bench and it would have been the last one standing.
    """

    judgement: Verdict
    among: list[CredentialRef]
    detail: str
    action: Literal["alert", "bench", "withheld"] = "alert"
    since: datetime | None = None


class FailoverGap(OfDecision):
    """Failover Gap Found and Closed. `rule`: see docs/operations.md. `chain`: what OpenRouter tries, in order.

    `todo`: what mends it.
    """

    rule: str
    detail: str
    todo: str = ""
    chain: tuple[str, ...] = ()
    since: datetime | None = None


class CreditsLeak(OfDecision):
    """Credits Leak Suspected and Ended. `share`: of spend that our own keys serve, now; `habit`: its own record.

    `lost_usd`: credits spent beyond the habit since `started_at`. `source`: what showed it. `workloads`: whose fell.
    """

    source: Literal["counters", "analytics", "both"]
    share: float
    habit: float
    lost_usd: float
    rate_usd_per_hour: float
    started_at: datetime
    observed_at: datetime
    workloads: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()


class DrillRequested(Evidence):
    """Drill Requested, from outside: the subject is the decision, workspace and provider."""

    requested_by: str


class DrillResult(OfDecision):
    """Drill Passed and Failed. `rule`: `passed`, or why not. `by`: who asked or approved, or `schedule`.

    `order`: the id of the request or the decision, or the schedule's day. `seconds`: from the disabling until the next
    had served. `back`: the credential is enabled again.
    """

    rule: str
    by: str
    order: str = ""
    credential: CredentialRef | None = None
    expected: str = ""
    served_by: str = ""
    seconds: float | None = None
    cost_usd: float = 0.0
    probes: int = 0
    back: bool = True
    chain: tuple[str, ...] = ()


class Bench(OfDecision):
    """Credential Benched (disabled so that requests stop paying for it) and Unbenched.

    `rule`: why it ended: `served`, `enabled`, `foreign`, `gone` or `not_benched`.
    """

    credential: CredentialRef
    rule: str = ""
    since: datetime | None = None


class ReviewDue(OfDecision):
    """Byok Review Due: is the exit criterion met? Once a year. `slack`: the owner's user id."""

    reason: str
    exit: str
    due: str
    slack: str | None = None
