"""One event as the wording sees it: its typed evidence, the policy it is read under, its incident's dollars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from governor.events import DetailType, Event
from governor.events.evidence import Disable, KeyOutcome, KeyReading, Runaway
from governor.policy import Policy, Workload
from governor.slack.channel import escape
from notifier.kinds import evidence_of
from notifier.phrases import key_link, mention, money, plain, sparkline

MAX_KEYS = 10


@dataclass(frozen=True)
class Figures:
    """What an incident's events know of money, in USD. `times`: how often the habit; `minutes`: the last hour.

    `disabled`: the incident has seen a key disabled.
    """

    spent: float | None = None
    rate: float | None = None
    times: float | None = None
    minutes: tuple[float, ...] = ()
    disabled: bool = False

    @property
    def bars(self) -> str:
        """The last hour, a bar a minute; empty when nobody measured it."""
        if not self.minutes:
            return ""
        top = money(max(self.minutes))
        return f"`{sparkline(self.minutes)}` last {len(self.minutes)} min, at most {top} a minute"


def figures(events: Sequence[Event]) -> Figures:
    """The figures of these events; the newest that knows one wins, but an end does not hide what it ended."""
    found: dict[str, Any] = {"disabled": any(event.detail_type is DetailType.KEY_DISABLED for event in events)}
    for event in events:
        evidence = evidence_of(event)
        if not isinstance(evidence, Runaway | Disable):
            continue
        if evidence.spend_by_minute:
            found["minutes"] = tuple(evidence.spend_by_minute)
        if event.detail_type is DetailType.RUNAWAY_ENDED:
            found["spent"] = max(found.get("spent", 0.0), evidence.spent_usd or 0.0)
            continue
        known = {"spent": evidence.spent_usd, "rate": evidence.rate_usd_per_hour}
        found |= {name: value for name, value in known.items() if value is not None}
        if isinstance(evidence, Runaway) and evidence.baseline_usd > 0:
            found["times"] = evidence.spent_usd / evidence.baseline_usd
    return Figures(**found)


@dataclass(frozen=True)
class Case:
    """`evidence` is the model of the event's type (`notifier.kinds.MODELS`)."""

    event: Event
    evidence: Any
    policy: Policy
    figures: Figures

    @property
    def workload(self) -> Workload | None:
        return self.policy.workload(self.event.subject)

    @property
    def who(self) -> str:
        """The workload; an undeclared key by its name and the start of its hash."""
        subject = self.event.subject
        if isinstance(self.evidence, Runaway) and self.evidence.scope != "keys":
            return "the account" if self.evidence.scope == "account" else f"workspace {escape(self.evidence.name)}"
        if self.workload or len(subject) != 64:
            return escape(subject)
        name = getattr(self.evidence, "name", "")
        return f"{escape(name)} (undeclared key {subject[:8]}…)" if name else f"the undeclared key {subject[:8]}…"

    @property
    def what(self) -> str:
        """The workload or key, and its workspace, in plain text: for a question that a button asks."""
        subject = self.event.subject
        if self.workload:
            return f"{plain(subject)} (workspace {plain(self.workload.workspace)})"
        if len(subject) != 64:
            return plain(subject)
        name = getattr(self.evidence, "name", "")
        places = {key.workspace_id for key in getattr(self.evidence, "keys", ())}
        where = f" in workspace {plain(min(places))}" if len(places) == 1 else ""
        return f"{plain(name)} (undeclared key {subject[:8]}…{where})" if name else f"the undeclared key {subject[:8]}…"

    @property
    def owner(self) -> str:
        """A sentence that notifies the owner; Slack notifies nobody whom only an attachment mentions."""
        return (
            f" Owner: {mention([self.workload.owner.slack])}." if self.workload else " No workload declares this key."
        )

    @property
    def approvers(self) -> str:
        approvals = self.policy.approvals
        return mention(approvals.approvers) if approvals else "an approver (the policy names none: add `approvals`)"

    def governor_disables(self, cause: Literal["runaway", "exposed"]) -> bool:
        limits = self.policy.for_subject(self.event.subject)
        mode = limits.runaway.mode if cause == "runaway" else limits.exposed.mode
        return mode == "disable" and not self._tier_zero

    @property
    def restraint(self) -> str:
        """Why Governor will not disable this key by itself."""
        if self._tier_zero:
            return "it is tier 0, which Governor never disables without a human"
        return "the policy says to alert only"

    @property
    def _tier_zero(self) -> bool:
        return self.workload is not None and self.workload.tier == 0

    @property
    def burning(self) -> str:
        """`$498/h (20× its habit)`, as far as it is known."""
        if self.figures.rate is None:
            return "more than it should"
        times = self.figures.times
        habit = f" ({times:,.0f}× its habit)" if times and times >= 1.5 else ""
        return f"{money(self.figures.rate)}/h{habit}"

    @property
    def lost(self) -> str:
        return f" Lost: {money(self.figures.spent)}." if self.figures.spent is not None else ""

    @property
    def why(self) -> tuple[str, ...]:
        return (f"*Why:* {escape(self.event.reason)}",) if self.event.reason else ()

    def keys(self, keys: Sequence[KeyOutcome | KeyReading]) -> tuple[str, ...]:
        """One line a key: its page at OpenRouter, and what became of it."""
        return tuple(
            f"• {key_link(key.hash, key.name)}" + (f": {key.state}" if isinstance(key, KeyOutcome) else "")
            for key in keys[:MAX_KEYS]
        )

    @staticmethod
    def keys_are(state: Literal["disabled", "enabled"], keys: Sequence[KeyOutcome]) -> str:
        """`Its key is disabled.`, or how many of its keys are."""
        done = sum(key.state == state for key in keys)
        if not keys:
            return "It has no live key."
        if len(keys) == 1:
            return f"Its key is {state}." if done else f"Its key is {keys[0].state}."
        return (
            f"All its {done} keys are {state}." if done == len(keys) else f"{done} of its {len(keys)} keys are {state}."
        )
