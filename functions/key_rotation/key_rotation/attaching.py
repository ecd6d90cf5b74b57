"""setSecret: the new key may do what the old one may. testSecret: proof of it, with the new key itself."""

from typing import TYPE_CHECKING

from governor.attachments import AllowlistFull, attach
from governor.attachments import read as read_attachments
from governor.caps import caps_of
from governor.lineage import Lineage
from governor.secret_versions import WorkloadSecret
from key_rotation.decide import decide
from key_rotation.lineages import Read, read
from key_rotation.ports import Account, Refused, Rotating
from management_api import AuthenticationFailed, NotFound

if TYPE_CHECKING:
    from management_api import ApiKey, CurrentKey

CENT = 0.005


def set_up(rotating: Rotating) -> None:
    """Guardrail, BYOK allowlists and observability filters follow. Idempotent. Raises `Refused`."""
    pending = _pending(rotating)
    account = rotating.account()
    found = _allowed(rotating, account)
    guardrail = found.guardrail
    old = _former(found.lineage, pending.hash)
    try:
        attach(account, found.workspace_id, pending.hash, like=old, guardrail_id=guardrail.id if guardrail else None)
    except AllowlistFull as full:
        raise Refused("allowlist_full", f"{rotating.workload.name} cannot have a new key: {full}.") from full


def test(rotating: Rotating) -> None:
    """Asks OpenRouter with the pending key itself, and compares. Writes nothing. Raises `Refused`."""
    pending = _pending(rotating)
    account = rotating.account()
    found = _allowed(rotating, account)
    try:
        seen = account.with_key(pending.api_key).current_key()
    except AuthenticationFailed as error:
        raise Refused(
            "key_dead", f"The new key {pending.name} does not work: it was deleted or disabled meanwhile. Rotate again."
        ) from error
    try:
        key = account.keys.get(pending.hash)
    except NotFound as error:
        raise Refused("key_dead", f"The new key {pending.name} was deleted meanwhile. Rotate again.") from error
    fault = _fault(rotating, found, key, seen) or _unattached(account, found, key)
    if fault:
        raise Refused("key_differs", f"The new key {pending.name} is not as it must be: {fault}.")


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


def _allowed(rotating: Rotating, account: Account) -> Read:
    found = read(rotating, account)
    decision = decide(found.facts)
    if decision.action == "refuse":
        raise Refused(decision.rule, decision.reason)
    return found


def _former(lineage: Lineage, pending: str) -> str | None:
    current = lineage.current
    return current.hash if current and current.hash != pending else None


def _fault(rotating: Rotating, found: Read, key: "ApiKey", seen: "CurrentKey") -> str | None:
    workload = rotating.workload
    if found.workspace_id not in (seen.workspace_id or key.workspace_id, key.workspace_id):
        return "it is in another workspace"
    shared = caps_of(workload.key, found.guardrail)
    if shared and (seen.limit is None or seen.limit > min(cap.limit_usd for cap in shared) + CENT):
        return f"its limit is {seen.limit}, above the cap"
    if workload.key.limit_usd and seen.include_byok_in_limit != workload.key.include_byok_in_limit:
        return "BYOK spend does not count as the policy says"
    guard = found.guardrail
    if guard and guard.limit_usd and guard.id not in {one.guardrail_id for one in seen.budgets}:
        return f"guardrail {guard.name} is not among its budgets"
    return None


def _unattached(account: Account, found: Read, key: "ApiKey") -> str | None:
    has = read_attachments(account, found.workspace_id, key.hash)
    guard = found.guardrail
    if guard and has.guardrail_id != guard.id:
        return f"guardrail {guard.name} is not assigned to it"
    old = _former(found.lineage, key.hash)
    if old is None:
        return None
    wanted = read_attachments(account, found.workspace_id, old)
    missing = sorted((wanted.byok - has.byok) | (wanted.destinations - has.destinations))
    if missing:
        return f"{len(missing)} lists that name the old key do not name it ({', '.join(missing)})"
    if not guard and wanted.guardrail_id and has.guardrail_id != wanted.guardrail_id:
        return "the old key's guardrail is not assigned to it"
    return None
