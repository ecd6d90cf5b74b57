"""Keeps the copies of a secret in step with it: consumers who read one there must have the new key before the old one
goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from governor.policy import Workload
from governor.secrets import SecretUnavailable
from key_retirement.ports import Ports


class CopyFailed(Exception):
    """A copy of a secret could not be brought up to date; the old key lives on until it is."""


@dataclass(frozen=True)
class Behind:
    """A copy that does not hold what the secret holds. `error`: why not, empty while it is on its way."""

    where: str
    error: str = ""


def copy(ports: Ports, workload: Workload) -> tuple[Behind, ...]:
    """Writes every copy that differs, and tells which are behind all the same. Idempotent: a copy is a whole value."""
    copies, secret = workload.copies, workload.secret
    if copies is None or secret is None:
        return ()
    found = [_tried(copies.parameter, ports, secret, _parameter)] if copies.parameter else []
    found += [_tried(region, ports, secret, _replica) for region in copies.regions]
    return tuple(one for one in found if one)


def _tried(where: str, ports: Ports, secret: str, copied: Callable[[str, Ports, str], bool]) -> Behind | None:
    """One copy's failure is none of the others'."""
    try:
        return None if copied(where, ports, secret) else Behind(where)
    except SecretUnavailable as error:
        return Behind(where, f"{error}")


def _parameter(name: str, ports: Ports, secret: str) -> bool:
    value = ports.secrets.value(secret)
    if value is None or not value.api_key.get_secret_value():
        return True  # nothing to copy: the first key is not made yet
    if ports.copies.parameter(name) == value:
        return True
    ports.copies.put_parameter(name, value)
    return ports.copies.parameter(name) == value


def _replica(region: str, ports: Ports, secret: str) -> bool:
    state = ports.secrets.describe(secret)
    if region not in (state.replicas or {}):
        ports.copies.replicate(state.name, region)
    return ports.copies.current_in(state.name, region) == state.holder("AWSCURRENT")


def require(workload: str, behind: Sequence[Behind]) -> None:
    """Raises `CopyFailed` when a copy could not be written."""
    failed = [f"{one.where} ({one.error})" for one in behind if one.error]
    if failed:
        raise CopyFailed(f"the secret of {workload} is not copied to {', '.join(failed)}")
