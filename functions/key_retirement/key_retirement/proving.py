"""Whether the workload has a key that works, asked with the key itself: `GET /key`, which is free.

The management API would only say that a key is enabled. The plaintext in the secret is what consumers use, and the role
of this function may read it for a rollback in any case.
"""

import hashlib
from datetime import timedelta

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Drain, KeyRef
from governor.keys.lineage import Lineage, LineageKey
from governor.keys.rotation_end import key_ref
from governor.secrets import SecretMalformed, SecretUnavailable
from governor.secrets.versions import SecretMissing, WorkloadSecret
from key_retirement.decide import Proof
from key_retirement.ports import LineageRun
from management_api import AuthenticationFailed, OpenRouterError


def prove(run: LineageRun, lineage: Lineage, key: LineageKey) -> Proof:
    """Whether the secret holds a working key other than `key`, which is to be retired or deleted.

    `works` as well for a key that nobody was ever given, of a workload that never had another. What could not be read
    is `unknown`, never `dead`. One read of the secret and one request to OpenRouter.
    """
    try:
        value = run.ports.secrets.value(run.workload.secret or "")
    except (SecretUnavailable, SecretMalformed, SecretMissing) as error:
        run.ports.log.warning("the current key was not proven", extra={"error": f"{error}"})
        return "unknown"
    if lineage.current is None and key.until == key.since and (value is None or value.hash != key.hash):
        return "works"
    if value is None or not value.api_key.get_secret_value():
        return "dead"
    if _is_of(value, key):
        return "put_back"
    try:
        seen = run.account.with_key(value.api_key).current_key()
    except AuthenticationFailed:
        return "dead"
    except OpenRouterError as error:
        run.ports.log.warning("the current key was not proven", extra={"error": f"{error}"})
        return "unknown"
    return "put_back" if seen.label and _labels(run, lineage, key).get(seen.label) == key.hash else "works"


def _is_of(value: WorkloadSecret, key: LineageKey) -> bool:
    """Whether the secret is known to hold the key. A hash that is equal to the plaintext's proves it; one that is not
    proves nothing (see `key_rotation/adopting.py`)."""
    hashed = hashlib.sha256(value.api_key.get_secret_value().encode()).hexdigest()
    return key.hash in (value.hash, hashed) or (not value.hash and not key.token)


def _labels(run: LineageRun, lineage: Lineage, key: LineageKey) -> dict[str, str]:
    """The hashes of the key and of the current one by their masked labels; the current one's goes first."""
    both = [key.hash, *([lineage.current.hash] if lineage.current else [])]
    return {run.place.keys[hash].label: hash for hash in both if hash in run.place.keys}


def kept(run: LineageRun, lineage: Lineage, key: LineageKey, rule: str) -> Event:
    """Drain Blocked, rule `last_key` or `put_back`: why an old key is neither retired nor deleted, and what to do.

    Once a day.
    """
    name, current = run.workload.name, lineage.current
    quarantined = key.state == "quarantined"
    evidence = Drain(
        name=name,
        key=KeyRef(hash=key.hash, name=key.name),
        since=key.since,
        deadline=(key.until or key.since) + (timedelta(0) if quarantined else run.rules.drain_deadline),
        rule=rule,
        current=key_ref(current),
    )
    dead = f"The key in secret {run.workload.secret} ({current.name if current else 'none'}) does not work."
    fate = f"The former key {key.name} is {'disabled, but not deleted' if quarantined else 'not disabled'}, however old"
    todo = f"Roll {name} back to the former key, or rotate it now."
    if rule == "put_back":
        dead = f"Somebody put the former key {key.name} back into secret {run.workload.secret} by hand."
        fate = "It is disabled, so that consumers have no key that works" if quarantined else "It stays enabled"
        todo = (
            f"If {name} is to go on with it, roll {name} back, so that Governor takes it for the current key; else put "
            f"{current.name if current else 'the newer key'} back into the secret, or rotate {name} now."
        )
    kind = DetailType.DRAIN_BLOCKED
    id = event_id(kind, key.hash, rule, f"{run.now:%Y-%m-%d}")
    return Event(kind, id, name, run.now, f"{dead} {fate}. {todo}", evidence.model_dump(mode="json"))
