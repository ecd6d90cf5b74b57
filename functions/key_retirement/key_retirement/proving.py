"""Whether the workload has a key that works, asked with the key itself: `GET /key`, which is free.

The management API would only say that a key is enabled. The plaintext in the secret is what consumers use, and the role
of this function may read it for a rollback in any case.
"""

from datetime import timedelta

from governor.events import DetailType, Event, event_id
from governor.evidence import Drain, KeyRef
from governor.finishing import key_ref
from governor.lineage import Lineage, LineageKey
from governor.secret_versions import SecretMissing
from governor.secrets import SecretMalformed, SecretUnavailable
from key_retirement.decide import Proof
from key_retirement.ports import Tending
from management_api import AuthenticationFailed, OpenRouterError


def prove(tending: Tending, lineage: Lineage, key: LineageKey) -> Proof:
    """Whether the secret holds a working key other than `key`, which is to be retired or deleted.

    `works` as well for a key that nobody was ever given, of a workload that never had another. What could not be read
    is `unknown`, never `dead`. One read of the secret and one request to OpenRouter.
    """
    try:
        value = tending.ports.secrets.value(tending.workload.secret or "")
    except (SecretUnavailable, SecretMalformed, SecretMissing) as error:
        tending.ports.log.warning("the current key was not proven", extra={"error": f"{error}"})
        return "unknown"
    if lineage.current is None and key.until == key.since and (value is None or value.hash != key.hash):
        return "works"
    if value is None or not value.api_key.get_secret_value():
        return "dead"
    if value.hash == key.hash or (not value.hash and not key.token):
        return "dead"  # the secret holds the very key: a rollback that is not in its row yet
    try:
        tending.account.with_key(value.api_key).current_key()
    except AuthenticationFailed:
        return "dead"
    except OpenRouterError as error:
        tending.ports.log.warning("the current key was not proven", extra={"error": f"{error}"})
        return "unknown"
    return "works"


def kept(tending: Tending, lineage: Lineage, key: LineageKey) -> Event:
    """Drain Blocked, rule `last_key`: why an old key is neither retired nor deleted, and what to do. Once a day."""
    name, current = tending.workload.name, lineage.current
    quarantined = key.state == "quarantined"
    evidence = Drain(
        name=name,
        key=KeyRef(hash=key.hash, name=key.name),
        since=key.since,
        deadline=(key.until or key.since) + (timedelta(0) if quarantined else tending.rules.drain_deadline),
        rule="last_key",
        current=key_ref(current),
    )
    dead = f"The key in secret {tending.workload.secret} ({current.name if current else 'none'}) does not work."
    fate = f"The former key {key.name} is {'disabled, but not deleted' if quarantined else 'not disabled'}, however old"
    todo = f"Roll {name} back to the former key, or rotate it now."
    kind = DetailType.DRAIN_BLOCKED
    id = event_id(kind, key.hash, "last_key", f"{tending.now:%Y-%m-%d}")
    return Event(kind, id, name, tending.now, f"{dead} {fate}. {todo}", evidence.model_dump(mode="json"))
