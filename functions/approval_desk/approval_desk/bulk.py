"""What a bulk order would rotate, in which order, and what may break: the preview. Pure.

Of the workloads of the scope, the first rule that applies leaves one out:
 1. `no_secret`    the policy has no `secret` for it, where a new key could be put
 2. `held`         a cause other than a leak holds it disabled: a new key would revive it
 3. `under_way`    a rotation is replacing its key already
The others are rotated: those that leaked first, then by tier, then by name. Who may ask, and of how many:
 1. `unknown`      the scope names nothing in the policy
 2. `not_theirs`   neither an approver nor the owner of a workload asks
 3. `no_approvers`, `not_enough_approvers`   two approvers besides whoever asks must be there
 4. `nothing`      nothing is left to rotate
 5. `too_many`     more than an order may hold
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from approval_desk.parsing import nearest
from governor.keys.bulk_order import APPROVALS, MOST, BulkOrder, Frozen, Scope, entitled
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage
from governor.policy import Policy, Workload

REQUESTS = 7
"""Of OpenRouter's, for each rotation in bulk until the new key is out (functions/key_rotation/README.md)."""
NAMED = 5
"""Names that a line of the preview gives; of more it says how many."""
LEFT = {
    "no_secret": "because the policy gives no `secret`, so replace it by hand",
    "held": "because it is disabled for another reason than a leak, and a new key would spend again; restore first",
    "under_way": "because another rotation is replacing its key",
}


@dataclass(frozen=True)
class Pace:
    """Of the account, for rotations: requests a second, and how many seconds the next turn is away."""

    requests_per_second: float
    backlog_seconds: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """Why nothing is asked for. `why`: for the person, in plain text."""

    rule: str
    why: str


@dataclass(frozen=True)
class Preview:
    """`lineages`: in their order. `exposed`: how many of them leaked. `left`: names by rule. `risks`: lines for people.

    `seconds`: what the requests take at the account's pace; the time of a rotation itself is not in it.
    """

    lineages: tuple[Frozen, ...]
    exposed: int
    left: Mapping[str, tuple[str, ...]]
    risks: tuple[str, ...]
    seconds: float
    at_once: int

    @property
    def shown(self) -> tuple[str, ...]:
        """For people, risks first."""
        order = f"{self.exposed} that leaked first, then by tier" if self.exposed else "by tier, tier 0 first"
        count = f"{len(self.lineages)} {'key is' if len(self.lineages) == 1 else 'keys are'}"
        how = f"{count} replaced, {order}, at most {self.at_once} at once."
        time = f"That takes at least {_span(self.seconds)} at the account's present pace."
        left = tuple(f"Not replaced, {LEFT[rule]}: {_names(names)}." for rule, names in self.left.items() if names)
        none = "Keys that no workload of the policy declares are not touched."
        old = "The old keys work on during their overlaps; what leaked is disabled for good."
        return (*self.risks, how, time, *left, none, old)


def selected(policy: Policy, scope: Scope, of: str) -> tuple[Workload, ...]:
    """The workloads of the scope, as the policy has them."""
    match scope:
        case "workspace":
            return tuple(one for one in policy.workloads if one.workspace == of)
        case "owner":
            return tuple(one for one in policy.workloads if one.owner.slack == of)
        case "all":
            return policy.workloads
        case "member":
            return ()  # the policy does not know whose keys are whose: `approval_desk.departed`


def preview(
    policy: Policy,
    workloads: Sequence[Workload],
    lineages: Mapping[str, Lineage],
    causes: Mapping[str, Causes],
    pace: Pace,
    now: datetime,
) -> Preview:
    """What would be done with these workloads. `causes`: of each of them; unknown is not nothing."""
    left: dict[str, list[str]] = {rule: [] for rule in LEFT}
    chosen: list[tuple[Workload, Lineage]] = []
    for workload in workloads:
        lineage = lineages.get(workload.name, Lineage(workload.name))
        rule = _left(workload, lineage, causes[workload.name], now)
        if rule:
            left[rule].append(workload.name)
        else:
            chosen.append((workload, lineage))
    leaked = {workload.name for workload, _ in chosen if causes[workload.name].standing()}
    chosen.sort(key=lambda one: (one[0].name not in leaked, one[0].tier, one[0].name))
    return Preview(
        tuple(Frozen.at(lineage) for _, lineage in chosen),
        len(leaked),
        {rule: tuple(sorted(names)) for rule, names in left.items()},
        _risks(policy, chosen, now),
        pace.backlog_seconds + len(chosen) * REQUESTS / pace.requests_per_second,
        policy.rotations.at_once,
    )


def refusal(policy: Policy, scope: Scope, of: str, by: str, seen: Preview | None) -> Refusal | None:
    """Why `by` cannot ask for it, by the second list. `seen`: None where the scope names nothing."""
    if seen is None:
        if scope == "member":
            return Refusal("unknown", f"No workload's key that works is in the name of {of[:80]}.")
        named = {one.workspace if scope == "workspace" else one.owner.slack for one in policy.workloads}
        return Refusal("unknown", f"The policy has no workload of {scope} {of[:80]}.{nearest(of, sorted(named))}")
    approvers = policy.approvals.approvers if policy.approvals else ()
    if not approvers:
        return Refusal("no_approvers", "The policy names no approvers (`approvals`), so nobody could approve this.")
    if by not in (*approvers, *(one.owner.slack for one in policy.workloads)):
        return Refusal("not_theirs", "Only an approver or the owner of a workload can ask for keys in bulk.")
    others = entitled(approvers, approvers, by)
    if len(others) < APPROVALS:
        why = f"It takes {APPROVALS} approvers besides you, and the policy names {len(others)}. "
        return Refusal("not_enough_approvers", f"{why}Let the owner of a workload ask, or add approvers.")
    if not seen.lineages:
        lines = [f"{LEFT[rule]}: {_names(names)}" for rule, names in seen.left.items() if names]
        return Refusal("nothing", f"No key is left to replace. {'; '.join(lines)}.")
    if len(seen.lineages) > MOST:
        return Refusal("too_many", f"{len(seen.lineages)} keys are more than the {MOST} of one order: go by workspace.")
    return None


def order_of(id: str, scope: Scope, of: str, because: str, seen: Preview) -> BulkOrder:
    """What is frozen."""
    return BulkOrder(id, scope, of, because, seen.lineages, (f"Because: {because}", *seen.shown))


def _left(workload: Workload, lineage: Lineage, causes: Causes, now: datetime) -> str:
    if workload.secret is None:
        return "no_secret"
    if any(row.cause != "exposed" for row in causes.standing()):
        return "held"
    return "under_way" if lineage.is_under_way(now) else ""


def _risks(policy: Policy, chosen: Sequence[tuple[Workload, Lineage]], now: datetime) -> tuple[str, ...]:
    def named(text: str, names: Sequence[str]) -> tuple[str, ...]:
        return (f"⚠ {text}: {_names(names)}.",) if names else ()

    strange = [one.name for one, lineage in chosen if not _has_picked_up(lineage)]
    draining = [one.name for one, lineage in chosen if any(key.state == "overlap" for key in lineage.keys)]
    federated = [one.name for one, _ in chosen if one.key.federated]
    once = [one.name for one, _ in chosen if one.key.limit_usd is not None and one.key.limit_reset is None]
    frozen = [one.reason for one in policy.rotations.freezes if one.start <= now < one.end]
    return (
        *named("No consumer has picked up a new key from the secret yet", strange),
        *named("A former key is still in overlap and could not be given back afterwards", draining),
        *named("A federation policy acts as the key and has to be moved by hand", federated),
        *named("The cap never resets, and gives a new key only what is left of it", once),
        *named("Now is a freeze, which holds for planned rotations only", frozen),
    )


def _has_picked_up(lineage: Lineage) -> bool:
    """Whether a key of Governor's took another's place before, and the other fell quiet."""
    current = lineage.current
    return bool(current and current.token) and not any(key.state == "overlap" for key in lineage.keys)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _span(seconds: float) -> str:
    minutes = int(-(-seconds // 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
