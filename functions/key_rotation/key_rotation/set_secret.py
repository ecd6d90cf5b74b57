"""setSecret: the new key may do what the old one may. testSecret: proof of it, with the new key itself."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from governor.keys.attachments import NOTHING, Attachments, attach, guardrail_of_member, missing
from governor.keys.caps import caps_of
from governor.keys.lineage import Attribution
from governor.keys.lists import AllowlistFull
from governor.secrets.versions import WorkloadSecret
from key_rotation.decide import Decision, attachable, attribution, decide, guardrail
from key_rotation.lineages import Read, review
from key_rotation.lists import Lists
from key_rotation.ports import Account, Refused, Rotating
from management_api import AuthenticationFailed, NotFound, Rejected

if TYPE_CHECKING:
    from management_api import ApiKey, CurrentKey, Guardrail

CENT = 0.005


def set_up(rotating: Rotating) -> None:
    """Guardrail, BYOK allowlists and observability filters follow, and the row knows them. Idempotent.

    Raises `Refused`, and `LedgerConflict`.
    """
    pending = _pending(rotating)
    account, workload = rotating.account(), rotating.workload
    lists = Lists.of(rotating, account)
    guardrails = lists.guardrails(pending.workspace_id) if workload.key.guardrail else []
    current = rotating.lineage().current
    _require(attachable(workload, guardrails, rotating.causes()))
    guard = guardrail(workload, guardrails)
    try:
        follows = attach(
            account,
            pending.workspace_id,
            pending.hash,
            like=current.hash if current else None,
            guardrail_id=guard.id if guard else None,
            known=Attachments.noted(current.attached or ()) if current else NOTHING,
            listed=partial(lists.attached, pending.workspace_id),
        )
    except AllowlistFull as full:
        raise Refused("allowlist_full", f"{workload.name} cannot have a new key: {full}.") from full
    if follows.names():
        lists.written(pending.workspace_id)
    _note(rotating, pending.hash, follows)


def test(rotating: Rotating) -> None:
    """Asks OpenRouter with the pending key itself, and compares. Writes nothing. Raises `Refused`."""
    pending = _pending(rotating)
    account = rotating.account()
    found, lists = review(rotating, account), Lists.of(rotating, account)
    _require(decide(found.facts))
    seen = _proven(rotating, account, pending)
    fault = _misplaced(found, account, pending, seen) or _misattributed(found, account, pending, seen)
    fault = fault or _fault(rotating, found, seen) or _ungoverned(found, account, seen)
    fault = fault or _unattached(account, lists, found, pending.hash, seen)
    if fault:
        raise Refused("key_differs", f"The new key {pending.name} is not as it must be: {fault}.")


def _note(rotating: Rotating, hash: str, follows: Attachments) -> None:
    """The row keeps what the key is in: the next rotation may meet a list that leaves some of it out."""
    lineage = rotating.lineage()
    made = lineage.key(hash)
    if made and made.attached != follows.names():
        rotating.ports.lineages.write(lineage.with_key(replace(made, attached=follows.names())))


def _pending(rotating: Rotating) -> WorkloadSecret:
    pending = rotating.ports.secrets.value(rotating.secret.arn, rotating.token, "AWSPENDING")
    if pending is None:
        raise Refused(
            "pending_empty",
            f"Version {rotating.token} of secret {rotating.secret.name} has no value yet: createSecret must go first.",
        )
    if not pending.hash:
        raise Refused(
            "pending_foreign",
            f"Version {rotating.token} of secret {rotating.secret.name} was not put there by Governor; take AWSPENDING "
            f"off it and rotate again.",
        )
    return pending


def _require(decision: Decision) -> None:
    if decision.action == "refuse":
        raise Refused(decision.rule, decision.reason)


def _made(account: Account, pending: WorkloadSecret) -> "ApiKey":
    """The new key as the account has it: `GET /key` does not show all of it."""
    try:
        return account.keys.get(pending.hash)
    except NotFound as error:
        raise Refused("key_dead", f"The new key {pending.name} was deleted meanwhile. Rotate again.") from error


def _proven(rotating: Rotating, account: Account, pending: WorkloadSecret) -> "CurrentKey":
    """What OpenRouter tells the new key of itself. A key that the account shows as good and that is refused all the
    same is not taken for a bad one: a rule of the organization stands in its way."""
    try:
        return account.with_key(pending.api_key).current_key()
    except (AuthenticationFailed, Rejected) as error:
        if error.status not in (401, 403):
            raise
        made, now = _made(account, pending), rotating.ports.clock()
        if error.status == 401 and (made.disabled or (made.expires_at and made.expires_at <= now)):
            raise Refused(
                "key_dead", f"The new key {pending.name} does not work: it was disabled meanwhile. Rotate again."
            ) from error
        raise Refused(
            "proof_refused",
            f"OpenRouter answered {error.status} to the new key {pending.name}, which is enabled ({error.message}). "
            f"The present key goes on. An IP allowlist may not name the address that Governor calls from (Settings > "
            f"Security), the key's expiry may lie beyond the organization's maximum API key lifetime (Settings > "
            f"Privacy: set key.expires_in within it), or a budget or guardrail may refuse it. Fix that; the rotation "
            f"is tried again, or rotate again.",
        ) from error


def _misplaced(found: Read, account: Account, pending: WorkloadSecret, seen: "CurrentKey") -> str | None:
    """By the key's own word, and by the account's where that says anything else."""
    if seen.workspace_id == found.workspace_id or _made(account, pending).workspace_id == found.workspace_id:
        return None
    return "it is in another workspace"


def _misattributed(found: Read, account: Account, pending: WorkloadSecret, seen: "CurrentKey") -> str | None:
    """A key follows its creator's guardrail, budget and BYOK access; without the creator it would be wider. `GET /key`
    tells of the creator, and of no external user."""
    wanted = attribution(found.facts) or Attribution()
    if wanted == Attribution(seen.creator_user_id):
        return None
    has = Attribution.of(_made(account, pending))
    if wanted.creator_user_id != has.creator_user_id:
        return f"its creator is {has.creator_user_id or 'nobody'}, not {wanted.creator_user_id or 'nobody'}"
    if wanted.external_user != has.external_user:
        return f"its external user is {has.external_user or 'nobody'}, not {wanted.external_user or 'nobody'}"
    return None


def _ungoverned(found: Read, account: Account, seen: "CurrentKey") -> str | None:
    """Whether the budget of the creator's guardrail binds the key, by the key's own word."""
    creator = (attribution(found.facts) or Attribution()).creator_user_id
    if not creator:
        return None
    id = guardrail_of_member(account, creator)
    if id is None or any(one.guardrail_id == id and one.scope == "member" for one in seen.budgets):
        return None
    guard = account.guardrails.get(id)
    return f"guardrail {guard.name} of its creator is not among its budgets" if guard.limit_usd else None


def _fault(rotating: Rotating, found: Read, seen: "CurrentKey") -> str | None:
    workload = rotating.workload
    shared = caps_of(workload.key, found.guardrail)
    if shared and (seen.limit is None or seen.limit > min(cap.limit_usd for cap in shared) + CENT):
        return f"its limit is {seen.limit}, above the cap"
    if workload.key.limit_usd and seen.include_byok_in_limit != workload.key.include_byok_in_limit:
        return "BYOK spend does not count as the policy says"
    guard = found.guardrail
    if guard and guard.limit_usd and guard.id not in {one.guardrail_id for one in seen.budgets}:
        return f"guardrail {guard.name} is not among its budgets"
    return None


def _unattached(account: Account, lists: Lists, found: Read, hash: str, seen: "CurrentKey") -> str | None:
    guard = found.guardrail
    if guard and not _binds(guard, seen) and lists.guardrails_of([hash], guard.id).get(hash) != guard.id:
        return f"guardrail {guard.name} is not assigned to it"
    if found.former is None:
        return None
    former = found.facts.lineage.key(found.former)
    known = Attachments.noted(former.attached or ()) if former else NOTHING
    ids = missing(account, hash, found.former, known, lists.attached(found.workspace_id))
    if ids:
        return f"{len(ids)} lists that name the old key do not name it ({', '.join(ids)})"
    return None


def _binds(guard: "Guardrail", seen: "CurrentKey") -> bool:
    """Whether the key itself says that the guardrail is assigned to it, which it does where that has a budget: the
    scope `api_key` is the assignment's own. It spares a list that is as long as the guardrail has keys."""
    return any(one.guardrail_id == guard.id and one.scope == "api_key" for one in seen.budgets)
