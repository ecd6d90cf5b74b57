"""Brings keys to the state that the ledger asks for, and believes only what a read says afterwards (promise 4)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from governor.events.evidence import KeyOutcome
from governor.keys.causes import Causes, CauseStore
from governor.ledger import LedgerConflict
from management_api import KeyPatch, NotFound, OpenRouterError, OutcomeUnknown

if TYPE_CHECKING:
    from management_api import ApiKey

_ROUNDS = 4


class Keys(Protocol):
    def get(self, hash: str) -> "ApiKey": ...
    def update(self, hash: str, patch: "KeyPatch") -> "ApiKey": ...


class Account(Protocol):
    """The part of an account that settling touches."""

    @property
    def keys(self) -> Keys: ...


@dataclass(frozen=True)
class Settled:
    """`keys` as read last; a hash without one is gone."""

    keys: dict[str, "ApiKey"]
    causes: Causes


def settle(
    account: Account, store: CauseStore, subject: str, hashes: Sequence[str], live: Collection[str] = ()
) -> Settled:
    """Disables each key that a cause holds, enables each that none does; reads each back.

    The ledger is read again after the last change and the round repeated if it asks for something else by then. Every
    intent is in the ledger before its first PATCH, so of two that work beside each other, the one to PATCH last sees
    what both intend. `live`: keys just read as enabled, PATCHed without another look. One key's failure does not spare
    the others: all are tried, then the first error is raised.
    """
    causes = store.causes(subject)
    for _ in range(_ROUNDS):
        keys = _round(account, causes, hashes, live)
        after = store.causes(subject)
        if all(after.holds(hash) == causes.holds(hash) for hash in hashes):
            return Settled(keys, after)
        causes, live = after, ()
    raise LedgerConflict(f"the causes of {subject} keep changing")


def outcome(hash: str, key: "ApiKey | None", causes: Causes) -> KeyOutcome:
    """What became of a key, from its last reading."""
    if key is None:
        return KeyOutcome(hash=hash, name="", workspace_id="", state="gone")
    state = "enabled" if not key.disabled else "disabled" if causes.known(hash) else "foreign"
    return KeyOutcome(hash=hash, name=key.name, workspace_id=key.workspace_id, state=state)


def _round(account: Account, causes: Causes, hashes: Sequence[str], live: Collection[str]) -> dict[str, "ApiKey"]:
    errors: list[OpenRouterError] = []
    keys: dict[str, ApiKey] = {}
    touched = [hash for hash in hashes if _attempt(account, hash, causes.holds(hash), hash in live, errors)]
    for hash in touched:
        try:
            key = account.keys.get(hash)
        except NotFound:
            continue
        except OpenRouterError as error:
            errors.append(error)
            continue
        if key.disabled != causes.holds(hash):
            errors.append(OutcomeUnknown(f"{key.name} does not show disabled={causes.holds(hash)}"))
        keys[hash] = key
    if errors:
        raise errors[0]
    return keys


def _attempt(account: Account, hash: str, disabled: bool, is_live: bool, errors: list[OpenRouterError]) -> bool:
    """PATCHes a key that is not as it should be; whether it is worth reading back."""
    try:
        if not (is_live and disabled) and account.keys.get(hash).disabled == disabled:
            return True
        account.keys.update(hash, KeyPatch(disabled=disabled))
    except OutcomeUnknown:
        pass  # the read back will tell
    except NotFound:
        return False
    except OpenRouterError as error:
        errors.append(error)
        return False
    return True
