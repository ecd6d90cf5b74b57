"""Which key a workload's secret holds, when Governor has not made or adopted one yet.

What consumers read is the secret, so the key in it is the workload's whatever it is called and wherever it is: its name
and its workspace are what people change. OpenRouter documents a key's hash as a SHA-256 (`GET /activity`), and does not
say of what; so the hash of the plaintext is looked up, and believed only because OpenRouter answers with a key. Else
the key is asked for its masked label, which has to be one key's only.
"""

import hashlib
from typing import TYPE_CHECKING

from governor.secrets.versions import WorkloadSecret
from key_rotation.ports import Account, Refused, Rotating
from management_api import AuthenticationFailed, NotFound

if TYPE_CHECKING:
    from management_api import ApiKey, CurrentKey


def held(rotating: Rotating, account: Account, place: str) -> "ApiKey | None":
    """The key in AWSCURRENT; None when it holds none, or one that does not work. `place`: the workload's workspace.

    Two requests, and one list where the hash is not that of the plaintext. Raises `Refused` for a key that works and
    cannot be told, or that is another workload's: a new key beside it would leave it alive with a cap of its own.
    """
    value = rotating.ports.secrets.value(rotating.secret.arn, stage="AWSCURRENT")
    if value is None or not value.api_key.get_secret_value():
        return None
    found = _by_hash(account, hashlib.sha256(value.api_key.get_secret_value().encode()).hexdigest())
    if found is None:
        try:
            seen = account.with_key(value.api_key).current_key()
        except AuthenticationFailed:
            return None
        found = _by_label(rotating, account, value, seen, place)
    _require_own(rotating, found)
    return found


def _by_hash(account: Account, hash: str) -> "ApiKey | None":
    try:
        return account.keys.get(hash)
    except NotFound:
        return None


def _by_label(rotating: Rotating, account: Account, value: WorkloadSecret, seen: "CurrentKey", place: str) -> "ApiKey":
    noted = _by_hash(account, value.hash) if value.hash else None
    listed = [noted] if noted else account.keys.list(seen.workspace_id or place)
    found = [key for key in listed if key.label and key.label == seen.label]
    if len(found) == 1:
        # A list may be stale, and what the key has spent is noted from this reading (promise 6).
        return noted or _by_hash(account, found[0].hash) or found[0]
    name, secret = rotating.workload.name, rotating.secret.name
    raise Refused(
        "key_unknown",
        f"Secret {secret} holds a key that works ({seen.label or 'without a label'}), and Governor cannot tell which "
        f"key of the account it is. A new key for {name} would leave that one alive, with a cap of its own: none was "
        f'made. Put its hash, which GET /keys lists, into the secret beside it: {{"api_key": "...", "hash": "..."}}. '
        f"Then rotate again.",
    )


def _require_own(rotating: Rotating, key: "ApiKey") -> None:
    name, policy = rotating.workload.name, rotating.ports.policy
    rows = {one.hash: row.workload for row in rotating.ports.lineages.all() for one in row.keys}
    owner = rows.get(key.hash) or policy.lineage_of(key.name)
    if owner != name and (key.hash in rows or policy.workload(owner)):
        raise Refused(
            "key_of_another",
            f"Secret {rotating.secret.name} holds {key.name}, which is {owner}'s key. To rotate {name} would take it "
            f"away from {owner}: give {name} a key of its own in OpenRouter, put that into the secret, and rotate "
            f"again.",
        )
