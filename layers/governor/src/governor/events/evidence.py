"""What an event's `evidence` holds, one model per shape: the published contract of the bus.

Money is in USD, instants are ISO 8601 in UTC, rates are USD per hour. Unknown fields are tolerated by every reader.
A little over 300 lines: one flat model for each shape.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from governor.events import BadEvent, Event
from governor.events.credits_evidence import CreditsLeft

Cause = Literal["runaway", "budget", "exposed", "operator", "rotation", "foreign"]
Scope = Literal["key_limit", "workload", "guardrail", "member", "workspace", "credits"]


class Evidence(BaseModel):
    """Base: immutable, tolerant of unknown fields, validator built on first use (cold start)."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def of(cls, event: Event) -> Self:
        """What the event holds. Raises `BadEvent`, which names the field and quotes nothing that the sender wrote."""
        try:
            return cls.model_validate(event.evidence)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, fault["loc"]))
            raise BadEvent(f"detail.evidence.{where}: {fault['msg']}; fix the sender") from None


class KeyReading(Evidence):
    """One key as it was read. Counters are OpenRouter's own: lifetime, and since UTC midnight.

    `window_start_usd`: the lifetime counter (BYOK included where it counts) when the judged window opened.
    """

    hash: str
    name: str
    workspace_id: str
    disabled: bool = False
    counted_usd: float = 0.0
    window_start_usd: float | None = None


class BudgetReached(Evidence):
    """Budget Threshold Reached. `threshold` is a share of `limit_usd` (0.8 is 80 %).

    Scope `workload`: the policy's cap for a declared workload; what its whole lineage has spent counts.
    Scope `member`: the guardrail of the member `scope_id`, which counts all the keys that they created; alerts only.
    Scope `credits`: `credits` says what was reached; `threshold` is only the share of all credits ever bought.
    `also_crossed`: lower thresholds crossed in the same run.
    `runs_out_at`: when the rest is gone at `rate_usd_per_hour`.
    `blocks_first`: the layer that OpenRouter will enforce first, where the workload's own key could be asked.
    `disable`: the policy's `disable_at` is reached.
    """

    scope: Scope
    scope_id: str
    scope_name: str
    period: str
    threshold: float
    also_crossed: list[float] = []
    spent_usd: float
    limit_usd: float
    resets_at: datetime | None = None
    rate_usd_per_hour: float | None = None
    runs_out_at: datetime | None = None
    blocks_first: str | None = None
    disable: bool = False
    keys: list[KeyReading] = []
    credits: CreditsLeft | None = None


class RunawayRule(StrEnum):
    """The detector's rules; docs/detection.md says what each compares. Each suspicion or incident has one.

    1. `habit`      more in a window than the largest days ever held
    2. `hours`      more than this hour of this kind of day ever held
    3. `on_end`     a stretch that does not end as such stretches do
    4. `month`      a month's money in 6 or 24 hours
    5. `cold`       a key with few days of spend, over a share of its budget: suspected only
    6. `new`        a key in the first day of its life: suspected only
    7. `leak`       two to three times the habit for days: suspected only
    8. `allowance`  what OpenRouter lets the key spend is used up while it is suspected
    """

    HABIT = "habit"
    COLD = "cold"
    HOURS = "hours"
    ON_END = "on_end"
    MONTH = "month"
    NEW = "new"
    LEAK = "leak"
    ALLOWANCE = "allowance"


class ExpectedWindow(Evidence):
    """A window of the policy's `runaway.expect`: up to `up_to_usd` is meant in it. `spent_usd`: of its last 24 hours.

    `counts`: more was spent, so all of it counts against the workload's habit.
    """

    name: str
    started_at: datetime
    ends_at: datetime
    up_to_usd: float
    spent_usd: float
    counts: bool


class Contributor(Evidence):
    """A workload or key with a part in what a workspace or the account spent. `usual_usd`: its habit for the window."""

    subject: str
    name: str
    spent_usd: float
    usual_usd: float


class RequestKinds(Evidence):
    """The requests of a suspected spend, from analytics, beside those of the fortnight before (`usual_`).

    `new_models`, `new_apps`: (name, USD) of those that were not used then; an app that sends no name is `unknown`.
    `usual_usd_per_request`: None where nothing was requested.
    """

    requests_per_minute: float
    usual_requests_per_minute: float
    usd_per_request: float
    usual_usd_per_request: float | None = None
    new_models: list[tuple[str, float]] = []
    new_apps: list[tuple[str, float]] = []


class Runaway(Evidence):
    """Runaway Suspected, Confirmed and Ended.

    `scope`: whose spend it is; `workspace` and `account` are sums, only ever suspected: the event's subject is the
    workspace's id or `account`, and `contributors` has the largest of those that spend.

    `floor_usd` is what the window's spend had to pass, by `rule` (docs/detection.md); `baseline_usd` is the subject's
    own habit for that window.
    `spend_by_minute`: the last hour, oldest first, the judged minute last.
    `expected`: the policy's windows of expected spend that the last 24 hours touched. `requests`: of a suspicion, where
    analytics answered in time.
    """

    scope: Literal["keys", "workspace", "account"] = "keys"
    name: str
    window_minutes: int
    spent_usd: float
    floor_usd: float
    baseline_usd: float
    rate_usd_per_hour: float
    rule: RunawayRule = RunawayRule.HABIT
    started_at: datetime
    observed_at: datetime
    spend_by_minute: list[float] = []
    expected: list[ExpectedWindow] = []
    contributors: list[Contributor] = []
    requests: RequestKinds | None = None
    keys: list[KeyReading]


class KeyOutcome(Evidence):
    """What became of one key. `state` is what a read after the deed said."""

    hash: str
    name: str
    workspace_id: str
    state: Literal["disabled", "enabled", "foreign", "gone"]


class Disable(Evidence):
    """Key Disabled and Disable Withheld. `trigger`: the id of the event that asked.

    `by_morning_usd`: what the present rate would have cost until 08:00 UTC.
    `rule`: the kill switch's rule that decided. `missing`: fields that could not be filled, and why.
    """

    name: str
    cause: Cause
    trigger: str
    rule: str
    keys: list[KeyOutcome]
    started_at: datetime | None = None
    spent_usd: float | None = None
    rate_usd_per_hour: float | None = None
    by_morning_usd: float | None = None
    spend_by_minute: list[float] = []
    top_models: list[tuple[str, float]] = []
    top_apps: list[tuple[str, float]] = []
    missing: list[str] = []


class Restore(Evidence):
    """Key Restored and Restore Refused. `standing`: causes that still hold the keys disabled."""

    name: str
    cause: Cause
    requested_by: str
    rule: str
    keys: list[KeyOutcome]
    standing: list[Cause] = []


class RestoreRequested(Evidence):
    """Restore Requested, from outside: lift this one cause.

    `requested_by`: a Slack user id among the policy's approvers.
    """

    cause: Cause
    requested_by: str


class Exposed(Evidence):
    """Key Exposed, from outside. The subject names the workload or the key's hash; an event never holds the key.

    `requested_by`: one of the policy's approvers, whose order passes `exposed.mode`, tier and rate limit.
    """

    source: str = "unknown"
    url: str | None = None
    requested_by: str | None = None


class Blind(Evidence):
    """Monitor Blind and Monitor Recovered. `scope`: a workspace id, `account`, or the list in question. `name`: the
    same for people.

    `kind`: `unread`: it is not metered until Monitor Recovered. Of the others nothing follows, or what `reason` says:
    `stored_reading`: what was remembered is lost in part; `clock`: the clock went back; `partial_list`: a list that is
    read beside the keys is not taken over, because it leaves out or holds what it cannot; `broadcast_content`: what
    OpenRouter pushes holds prompts or completions, and is dropped. `broadcast_silent`: money is spent in a workspace
    and nothing of it is pushed; `broadcast_drifted`: Broadcast is not set up there as it must be. After these two
    Monitor Recovered follows; spend is metered every minute meanwhile.
    """

    scope: str
    name: str
    kind: Literal[
        "unread",
        "stored_reading",
        "clock",
        "partial_list",
        "broadcast_content",
        "broadcast_silent",
        "broadcast_drifted",
    ] = "unread"
    last_reading_at: datetime | None
    error: str


class KeyRef(Evidence):
    """One key of a lineage. `limit_usd`: its cap as set in this step, for the period it is in."""

    hash: str
    name: str
    limit_usd: float | None = None


class Rotated(Evidence):
    """Rotation Started, Key Rotated, Rotation Failed, Rotation Rolled Back and Rollback Refused.

    `why`: `provision`, `due`, `expiry`, `asked` or `exposed`. `step` and `rule`: where and by which rule it failed or
    was refused. `secret`: its name in Secrets Manager, where consumers read the new key. `overlap_until`: until when
    both keys work at the least. `requested_by`: who decided a rollback; None where a name in an event is not believed.
    `order`: the id of the bulk order that a rotation is part of, which tells of it; empty for a rotation by itself.
    """

    name: str
    workspace_id: str = ""
    secret: str
    why: str
    step: str = ""
    rule: str = ""
    new: KeyRef | None = None
    old: KeyRef | None = None
    overlap_until: datetime | None = None
    requested_by: str | None = None
    order: str = ""


class Drain(Evidence):
    """Drain Blocked: a replaced key is still used. `deadline`: when it is disabled all the same.

    `spent_usd`: since it was replaced. `missing`: fields that could not be filled, and why. `behind`: copies of the
    secret that do not hold the new key; the old one stays enabled until they do, deadline or not. `rule`: `last_key`
    when the old key is kept, deadline or not, because the current one does not work; `put_back`, because the secret
    holds the old one again; `federated` when the deadline does not count, because callers come by a federation policy
    that cannot follow the secret. `current`: what replaced it.
    """

    name: str
    key: KeyRef
    since: datetime
    deadline: datetime
    last_used_at: datetime | None = None
    spent_usd: float | None = None
    top_models: list[tuple[str, float]] = []
    top_apps: list[tuple[str, float]] = []
    top_users: list[tuple[str, float]] = []
    missing: list[str] = []
    behind: list[str] = []
    rule: str = ""
    current: KeyRef | None = None


class Retired(Evidence):
    """Key Retired (disabled, taken out of every list, kept for its quarantine, deleted) and Orphan Removed.

    `order`: the id of the bulk order by which the key was replaced; empty for a rotation by itself.
    """

    name: str
    workspace_id: str = ""
    key: KeyRef
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    forced: bool = False
    order: str = ""


class Drift(Evidence):
    """Key Drifted: a live key is not as the policy says.

    `field`: OpenRouter's own name of what differs (`limit`, `disabled`, `workspace_id`, `allowed_api_key_hashes`, ...;
    `hash` for a key that is gone), `guardrail`, `list` for a key that its workspace's list leaves out, `orphan_in_use`.
    `repair`: what Governor does, empty for nothing. `former`: the one that can come back where the current one is gone.
    """

    name: str
    field: str
    policy: str
    live: str
    key: KeyRef | None = None
    repair: str = ""
    former: KeyRef | None = None


class Expiring(Evidence):
    """Key Expiring: the management key, which no API replaces, expires soon (`why`: `expiry`), lives longer
    than the organization allows (`lifetime`), or is old (`age`).

    `secret`: where its successor is put. `since`: when the present one was put there.
    """

    name: str
    why: str
    secret: str
    since: datetime
    expires_at: datetime | None = None


class CredentialRotated(Evidence):
    """Credential Rotated and Credential Rotation Failed: a provider's key in a BYOK credential was replaced, or not.

    `proof`: `served` by one of our own credentials, or `unknown`. `rule`: why it failed. `owner`: the policy's.
    """

    name: str
    workspace: str
    provider: str
    secret: str
    owner: str
    credential_id: str = ""
    proof: str = ""
    rule: str = ""


class RotationRequested(Evidence):
    """Rotation Requested, from outside: replace this workload's key now."""

    requested_by: str


class RollbackRequested(Evidence):
    """Rollback Requested, from outside. `requested_by`: an approver; it counts with `approvals.by_event` only."""

    requested_by: str


class PresetPromotionRequested(Evidence):
    """Preset Promotion Requested, from outside: check the staging preset, and ask for its promotion.

    `loosen`: it may be looser about data than production. `override_of`: the promotion whose failed checks shall not
    block it.
    """

    requested_by: str
    loosen: bool = False
    override_of: str | None = None
