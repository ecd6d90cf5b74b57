"""Keeps the copies of a secret in step with it: consumers who read one there must have the new key before the old one
goes."""

from collections.abc import Callable
from dataclasses import dataclass

from governor.secrets import SecretUnavailable
from key_retirement.ports import Tending


class CopyFailed(Exception):
    """A copy of a secret could not be brought up to date; the old key lives on until it is."""


@dataclass(frozen=True)
class Behind:
    """A copy that does not hold what the secret holds. `error`: why not, empty while it is on its way."""

    where: str
    error: str = ""


def copy(tending: Tending) -> tuple[Behind, ...]:
    """Writes every copy that differs, and tells which are behind all the same. Idempotent: a copy is a whole value."""
    copies, secret = tending.workload.copies, tending.workload.secret
    if copies is None or secret is None:
        return ()
    found = [_tried(copies.parameter, tending, _parameter)] if copies.parameter else []
    found += [_tried(region, tending, _replica) for region in copies.regions]
    return tuple(one for one in found if one)


def _tried(where: str, tending: Tending, copied: Callable[[str, Tending], bool]) -> Behind | None:
    """One copy's failure is none of the others'."""
    try:
        return None if copied(where, tending) else Behind(where)
    except SecretUnavailable as error:
        return Behind(where, f"{error}")


def _parameter(name: str, tending: Tending) -> bool:
    value = tending.ports.secrets.value(tending.workload.secret or "")
    if value is None or not value.api_key.get_secret_value():
        return True  # nothing to copy: the first key is not made yet
    if tending.ports.copies.parameter(name) == value:
        return True
    tending.ports.copies.put_parameter(name, value)
    return tending.ports.copies.parameter(name) == value


def _replica(region: str, tending: Tending) -> bool:
    state = tending.ports.secrets.describe(tending.workload.secret or "")
    if region not in (state.replicas or {}):
        tending.ports.copies.replicate(state.name, region)
    return tending.ports.copies.current_in(state.name, region) == state.holder("AWSCURRENT")
