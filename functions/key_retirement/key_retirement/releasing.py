"""Limits held to an allowance, of a workload that the policy has no more: each key's own share of the caps again.

The policy that said what the caps are is gone, so the row's `share` says it: what the caps alone gave when the limits
were set last. Whoever dies before the PATCH finds the row as it was, and whoever dies after it finds the limit set: the
allowance goes from the row last. A limit that a person set is a person's, and a key that another lineage has taken over
(the workload was renamed) is that one's.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from governor.keys.lineage import Limit, Lineage, LineageKey
from key_retirement.balancing import is_given, is_same
from key_retirement.ports import Ports
from management_api import AuthenticationFailed, KeyPatch, NotFound

if TYPE_CHECKING:
    from management_api import OpenRouter


def release_all(ports: Ports, account: "OpenRouter", lineages: Mapping[str, Lineage]) -> list[Exception]:
    """Every lineage with an allowance whose workload the policy has no more; what kept one from it, to be raised once
    all others had their turn. Raises `AuthenticationFailed`."""
    errors: list[Exception] = []
    for name, lineage in lineages.items():
        if lineage.allowance is None or ports.policy.workload(name) is not None:
            continue
        taken_over = {key.hash for other, one in lineages.items() if other != name for key in one.keys}
        try:
            release(ports, account, lineage, taken_over)
        except AuthenticationFailed:
            raise
        except Exception as error:  # noqa: BLE001 - raised by the run, when every lineage has had its turn
            ports.log.warning("an allowance could not be released", extra={"workload": name, "error": f"{error}"})
            errors.append(error)
    return errors


def release(ports: Ports, account: "OpenRouter", lineage: Lineage, taken_over: Collection[str]) -> None:
    """Sets each key's limit to its share, but of those that another lineage has taken over, and takes the allowance out
    of the row. Raises `LedgerConflict`, and what OpenRouter raises; all of it may be run again."""
    for key in lineage.keys:
        if key.state in ("current", "overlap") and key.share and key.hash not in taken_over:
            lineage = _released(ports, account, lineage, key, key.share)
    ports.lineages.write(replace(lineage, allowance=None))
    ports.log.info("an allowance was released: the policy has no such workload", extra={"workload": lineage.workload})


def _released(ports: Ports, account: "OpenRouter", lineage: Lineage, key: LineageKey, share: Limit) -> Lineage:
    try:
        live = account.keys.get(key.hash)
    except NotFound:
        return lineage
    if not is_given(key, live) or is_same(live, share):
        return lineage
    before = Limit(live.limit, live.limit_reset)
    lineage = ports.lineages.write(lineage.with_key(replace(key, given=(before, share))))
    account.keys.update(key.hash, KeyPatch(limit=share.limit_usd, limit_reset=share.limit_reset))
    return lineage
