"""What a step of a rotation may do and why. Pure: facts in, a decision out.

Where the token stands in Secrets Manager's contract; the first rule that applies decides:
 1. `rotation_cancelled`  rotation of the secret was switched off since
 2. `unknown_token`       the secret has no such version
 3. `current`             the version is AWSCURRENT: the rotation is over; finishSecret still tells of it
 4. `not_pending`         the version is not AWSPENDING: another rotation took the label
 5. `go`

Which key a new one replaces: the current one. While it has no current key, the one that its secret holds (`adopting`:
`key_unknown` when it cannot be told, `key_of_another` when it is another workload's), else the one that bears its name
(`adopted_missing` when `key.adopts` declares a name that no key bears).

Whether a new key may be made:
 1. `workspace_missing`, `workspace_ambiguous`, `guardrail_missing`   the policy names what the account does not have
 2. `lineage_disabled`    a cause holds the lineage (promise 7): a rotation revives nothing. A leak is the exception:
                          its keys are disabled already, and a new one is just what is wanted
 3. `foreign`             somebody else has disabled the current key: it is theirs to enable
 4. `cap_undeclared`, `guardrail_undeclared`   the current key is bound by what the policy does not name, so that a new
                          key would not be
 5. `creator_unknown`     the key to be replaced is gone, and nobody noted whose it was: a new one would be nobody's
 6. `key_ambiguous`       several keys made by hand bear the workload's name; `key.adopts` must say which
 7. `cap_used_up`         a cap that is never reset is spent: the new key could spend nothing
 8. `go`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from governor.account.workspaces import meant
from governor.keys.caps import used_up
from governor.keys.causes import Causes
from governor.keys.lineage import Attribution, Lineage, LineageKey, Why
from governor.policy import NOBODY, Workload
from governor.secrets.versions import SecretState

if TYPE_CHECKING:
    from governor.keys.caps import Cap
    from management_api import ApiKey, Guardrail, Workspace


@dataclass(frozen=True)
class Decision:
    """`action`: go on, nothing left to do, or refuse."""

    action: Literal["go", "done", "refuse"]
    rule: str
    reason: str = ""


GO = Decision("go", "go")


def stand(secret: SecretState, token: str) -> Decision:
    """Where the token stands, by the first list."""
    if not secret.rotation_enabled:
        return Decision(
            "refuse",
            "rotation_cancelled",
            f"Rotation of secret {secret.name} was cancelled; ask for a rotation to switch it on again.",
        )
    stages = secret.stages.get(token)
    if stages is None:
        return Decision("refuse", "unknown_token", f"Secret {secret.name} has no version {token}; ask for a rotation.")
    if "AWSCURRENT" in stages:
        return Decision("done", "current")
    if "AWSPENDING" not in stages:
        return Decision(
            "refuse",
            "not_pending",
            f"Version {token} of secret {secret.name} is not pending any more: another rotation is under way.",
        )
    return GO


@dataclass(frozen=True)
class Facts:
    """All that bears on a new key. `keys`: of the lineage, as OpenRouter has them. `guardrails`: the workspace's.

    `assigned`: the guardrail's id of each key that has one, as far as it was asked for. `held`: the key that the secret
    holds, of a workload that has no current one yet.
    """

    workload: Workload
    workspaces: Sequence["Workspace"]
    guardrails: Sequence["Guardrail"]
    keys: Sequence["ApiKey"]
    lineage: Lineage
    causes: Causes
    assigned: Mapping[str, str] = field(default_factory=dict)
    held: "ApiKey | None" = None


def decide(facts: Facts) -> Decision:
    """Whether to make a new key, by the second list."""
    return (
        _misplaced(facts)
        or _unguarded(facts.workload, facts.guardrails)
        or _held(facts.workload, facts.causes)
        or _foreign(facts)
        or _unbound(facts)
        or _unattributed(facts)
        or _ambiguous(facts)
        or GO
    )


def attachable(workload: Workload, guardrails: Sequence["Guardrail"], causes: Causes) -> Decision:
    """Whether lists may be changed for a key that is made already, by those of the second list that may have come true
    since and need no key to be read. The rest is testSecret's, before anybody is given the key."""
    return _unguarded(workload, guardrails) or _held(workload, causes) or GO


def affords(facts: Facts, caps: "Sequence[Cap]", deleted: Sequence[LineageKey], now: datetime) -> Decision:
    """Whether a new key could spend anything, before one is made: rule `cap_used_up`. Asked of createSecret alone: a
    key that is made already has its share."""
    found = used_up(caps, facts.keys, deleted, now)
    if found is None:
        return GO
    cap, spent = found
    workload, own = facts.workload, facts.workload.key.limit_usd == cap.limit_usd
    source = "key.limit_usd" if own else f"the budget of guardrail {workload.key.guardrail}"
    reset = "set key.limit_reset" if own else "give that budget a reset interval"
    return Decision(
        "refuse",
        "cap_used_up",
        f"The keys of {workload.name} have spent ${spent:,.2f} of a cap of ${cap.limit_usd:,.2f} that is never reset "
        f"({source}): a new key could spend nothing. Raise the cap above ${spent:,.2f}, or {reset}; then rotate again. "
        f"No key was made or changed.",
    )


def why(lineage: Lineage, causes: Causes) -> Why:
    """Why the rotation runs: a leak that stands says it by itself, the planner by its note, a person not at all."""
    if any(row.cause == "exposed" for row in causes.standing()):
        return "exposed"
    if lineage.asked and lineage.asked.why != "exposed":
        return lineage.asked.why
    return "asked" if lineage.current else "provision"


def former(facts: Facts) -> "ApiKey | None":
    """The key to be replaced: the lineage's current one, or one that was made by hand, of which the secret's own goes
    before names; None when there is none."""
    current = facts.lineage.current
    if current:
        return next((key for key in facts.keys if key.hash == current.hash), None)
    if facts.held:
        return facts.held
    found = _adoptable(facts)
    return found[0] if found else None


def attribution(facts: Facts) -> Attribution | None:
    """Whose the new key is to be: the policy's word on its creator, else as the key that it replaces; None: unknown."""
    old, current, declared = former(facts), facts.lineage.current, facts.workload.key.creator_user_id
    known = Attribution.of(old) if old else current.attribution if current else Attribution()
    if declared is None:
        return known
    return replace(known or Attribution(), creator_user_id=None if declared == NOBODY else declared)


def guardrail(workload: Workload, guardrails: Sequence["Guardrail"]) -> "Guardrail | None":
    """The guardrail that the policy names, by id or name."""
    return next((one for one in guardrails if workload.key.guardrail in (one.id, one.name)), None)


def _misplaced(facts: Facts) -> Decision | None:
    workload = facts.workload
    found = meant(workload.workspace, facts.workspaces)
    if not found:
        return Decision(
            "refuse",
            "workspace_missing",
            f"The account has no workspace {workload.workspace}, where the policy places {workload.name}; "
            f"fix workloads[].workspace.",
        )
    if len(found) > 1:
        return Decision(
            "refuse",
            "workspace_ambiguous",
            f"{len(found)} workspaces are called {workload.workspace}; give {workload.name} the slug or id of its own.",
        )
    return None


def _unguarded(workload: Workload, guardrails: Sequence["Guardrail"]) -> Decision | None:
    if not workload.key.guardrail or guardrail(workload, guardrails):
        return None
    return Decision(
        "refuse",
        "guardrail_missing",
        f"Workspace {workload.workspace} has no guardrail {workload.key.guardrail}, which the policy wants for "
        f"{workload.name}; make it, or fix key.guardrail.",
    )


def _held(workload: Workload, causes: Causes) -> Decision | None:
    standing = [row.cause for row in causes.standing()]
    if not standing or standing == ["exposed"]:
        return None
    return Decision(
        "refuse",
        "lineage_disabled",
        f"{workload.name} is disabled ({', '.join(sorted(standing))}): a rotation would give it a live key. "
        f"Restore it first.",
    )


def _foreign(facts: Facts) -> Decision | None:
    current = former(facts)
    if current is None or not current.disabled:
        return None
    if facts.causes.known(current.hash) or facts.causes.leaked(current.hash):
        return None
    return Decision(
        "refuse",
        "foreign",
        f"Somebody else has disabled {current.name}: enable it in OpenRouter, or report it as leaked, then rotate.",
    )


def _unbound(facts: Facts) -> Decision | None:
    """A new key takes its bounds from the policy: what binds the old one and is not declared there would be lost."""
    workload, current = facts.workload, former(facts)
    if current is None:
        return None
    if current.limit is not None and not workload.key.limit_usd:
        return Decision(
            "refuse",
            "cap_undeclared",
            f"{current.name} has a limit of ${current.limit:,.2f} that the policy does not declare: give "
            f"{workload.name} its key.limit_usd and limit_reset.",
        )
    wanted, has = guardrail(workload, facts.guardrails), facts.assigned.get(current.hash)
    if has and (wanted is None or wanted.id != has):
        name = next((one.name for one in facts.guardrails if one.id == has), has)
        return Decision(
            "refuse",
            "guardrail_undeclared",
            f"{current.name} is under guardrail {name}, and the policy names {wanted.name if wanted else 'none'} for "
            f"{workload.name}: fix key.guardrail.",
        )
    return None


def _unattributed(facts: Facts) -> Decision | None:
    if attribution(facts):
        return None
    name, gone = facts.workload.name, facts.lineage.current.name if facts.lineage.current else "its key"
    return Decision(
        "refuse",
        "creator_unknown",
        f"{gone} is gone, and Governor never saw whose it was. A new key without its creator would not be under that "
        f"member's guardrail. Declare key.creator_user_id of {name}: a member's id, or {NOBODY}; then rotate again.",
    )


def _ambiguous(facts: Facts) -> Decision | None:
    if facts.lineage.current or facts.held:
        return None
    adopts, found = facts.workload.key.adopts, _adoptable(facts)
    if adopts and not found:
        return Decision(
            "refuse",
            "adopted_missing",
            f"Workspace {facts.workload.workspace} has no key {adopts}, which the policy says {facts.workload.name} "
            f"uses today: somebody renamed, moved or deleted it. A new key would leave it alive with a cap of its own. "
            f"Put its plaintext into secret {facts.workload.secret}, by which Governor finds it, or fix key.adopts.",
        )
    if len(found) > 1:
        return Decision(
            "refuse",
            "key_ambiguous",
            f"{len(_adoptable(facts))} keys are called {facts.workload.key.adopts or facts.workload.name}: rename all "
            f"but the one that {facts.workload.name} uses.",
        )
    return None


def _adoptable(facts: Facts) -> list["ApiKey"]:
    """Keys made by hand that the workload may take over: of its own name without a tag, or of the name it adopts."""
    names = {facts.workload.name, facts.workload.key.adopts}
    known = {key.hash for key in facts.lineage.keys}
    return [key for key in facts.keys if key.name in names and key.hash not in known]
