"""A rotation whose process died, whose secret was cancelled, or whose key was deleted by hand comes to an end here."""

from dataclasses import replace
from datetime import timedelta

from governor.completion import abandoned
from governor.lineage import Lineage
from governor.secret_versions import SecretMissing
from key_retirement.following import find
from key_retirement.ports import Tending

SETTLED = timedelta(hours=1)
"""Secrets Manager may still be trying; a rotation younger than this is its own affair."""
GIVEN_UP = timedelta(days=1)
"""Secrets Manager has stopped trying by now, whatever the key says."""


def reconcile(tending: Tending, lineage: Lineage) -> Lineage:
    """The lineage with its rotation completed, still in hand, or abandoned. Raises `LedgerConflict`.

    The label goes before the row: a death in between leaves a token that is not pending, which is abandoned next time.
    """
    rotation = lineage.rotation
    secret_name = tending.workload.secret
    if rotation is None or secret_name is None:
        return lineage
    secret = tending.ports.secrets.describe(secret_name)
    stages = secret.stages.get(rotation.token, frozenset())
    if "AWSCURRENT" in stages:
        return tending.finishing.complete(lineage)
    age = tending.now - rotation.started_at
    if age < SETTLED:
        return lineage
    if "AWSPENDING" in stages:
        value = tending.ports.secrets.value(secret_name, rotation.token, "AWSPENDING")
        live = find(tending, value.hash) if value else None
        if live and not live.disabled and age < GIVEN_UP:
            return lineage
        if value and not rotation.hash:
            lineage = tending.finishing.record(rotation.token, value)
        tending.ports.secrets.move(secret_name, "AWSPENDING", to=None, off=rotation.token)
    tending.ports.log.warning(
        "a rotation that will not end is abandoned", extra={"workload": lineage.workload, "token": rotation.token}
    )
    return tending.ports.lineages.write(abandoned(lineage, tending.now))


def unblock(tending: Tending, lineage: Lineage) -> Lineage:
    """Rid of a rotation that was refused before it made anything. Raises `LedgerConflict`.

    Its empty version stays AWSPENDING, and while it does, Secrets Manager starts no other rotation.
    """
    if lineage.rotation or not tending.workload.secret:
        return lineage
    try:
        secret = tending.ports.secrets.describe(tending.workload.secret)
    except SecretMissing:
        return lineage  # the planner makes it
    pending = secret.holder("AWSPENDING")
    if pending in (None, secret.holder("AWSCURRENT")):
        return lineage
    begun = [at for at in (secret.changed_at, lineage.asked.at if lineage.asked else None) if at]
    if not begun or tending.now - max(begun) < SETTLED or tending.ports.secrets.value(secret.arn, pending) is not None:
        return lineage
    tending.ports.secrets.move(secret.arn, "AWSPENDING", to=None, off=pending)
    tending.ports.log.warning("a rotation that was refused is cleared away", extra={"workload": lineage.workload})
    return tending.ports.lineages.write(replace(lineage, asked=None)) if lineage.asked else lineage
