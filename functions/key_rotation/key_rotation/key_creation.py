"""The POST of a new key, and what its refusal may mean.

OpenRouter names no stable code for why a key is not made. So the refusal lists what in this request may be refused, and
says for certain only what a read shows. No key is ever asked for again without its creator: it would be a wider one.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from governor.keys.lineage import Attribution, Limit
from governor.policy import NOBODY, Workload
from key_rotation.ports import Account, Refused
from management_api import External, NewKey, OpenRouterError, Rejected, WriteForbidden

if TYPE_CHECKING:
    from management_api import CreatedKey


def make(
    account: Account,
    workload: Workload,
    name: str,
    limit: Limit,
    attribution: Attribution,
    workspace_id: str,
    now: datetime,
) -> "CreatedKey":
    """The new key. Raises `Refused` for what OpenRouter refuses, and all else that the call raises."""
    life = workload.key.expires_in
    wanted = NewKey(
        name=name,
        limit=limit.limit_usd,
        limit_reset=limit.limit_reset,
        include_byok_in_limit=workload.key.include_byok_in_limit,
        expires_at=(now + life).replace(microsecond=0) if life else None,
        workspace_id=workspace_id,
        **_attributed(attribution),
    )
    try:
        return account.keys.create(wanted)
    except Rejected as error:
        raise _refused(account, workload, attribution, error) from error


def _attributed(attribution: Attribution) -> dict[str, str | External]:
    """Only what there is: a personal account knows no creators, and `external` takes no null."""
    fields: dict[str, str | External] = {}
    if attribution.creator_user_id:
        fields["creator_user_id"] = attribution.creator_user_id
    if attribution.external_user:
        fields["external"] = External(user=attribution.external_user)
    return fields


def _refused(account: Account, workload: Workload, attribution: Attribution, error: Rejected) -> Refused:
    creator = attribution.creator_user_id
    if creator and _is_gone(account, creator):
        return Refused(
            "creator_gone",
            f"OpenRouter refused a new key for {workload.name}, because {creator}, who created the present one, is no "
            f"member of the organization any more ({error}). A key without a creator is under no member's guardrail, "
            f"so none was made. Declare key.creator_user_id of {workload.name}: another member's id, or {NOBODY}.",
        )
    causes = []
    if creator:
        causes.append(f"the management key may not name {creator} as its creator (key.creator_user_id)")
    if attribution.external_user:
        causes.append("the external user of the present key is not taken")
    life = "never expires" if workload.key.expires_in is None else f"expires after {workload.key.expires_in.days} days"
    causes.append(
        f"the key {life} and the organization sets a shorter maximum API key lifetime (Settings > Privacy): set "
        f"key.expires_in within it"
    )
    return Refused(
        "new_key_refused",
        f"OpenRouter refused a new key for {workload.name} ({error}). The present key goes on. It may "
        f"{'also ' if isinstance(error, WriteForbidden) else ''}be that {'; or '.join(causes)}.",
    )


def _is_gone(account: Account, user_id: str) -> bool:
    """Whether the members could be read, and the user is none of them."""
    try:
        return all(member.id != user_id for member in account.organization.members())
    except OpenRouterError:
        return False
