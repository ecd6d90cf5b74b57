"""A rotation whose process died, whose secret was cancelled, or whose key was deleted by hand comes to an end here."""

from dataclasses import replace
from datetime import timedelta

from governor.keys.lineage import Lineage
from governor.keys.succession import abandoned
from governor.secrets.versions import SecretMissing
from key_retirement.following import find
from key_retirement.ports import LineageRun

SETTLED = timedelta(hours=1)
"""Secrets Manager may still be trying; a rotation younger than this is its own affair."""
GIVEN_UP = timedelta(days=1)
"""Secrets Manager has stopped trying by now, whatever the key says."""


def reconcile(run: LineageRun, lineage: Lineage) -> Lineage:
    """The lineage with its rotation completed, still in hand, or abandoned. Raises `LedgerConflict`.

    The label goes before the row: a death in between leaves a token that is not pending, which is abandoned next time.
    """
    rotation = lineage.rotation
    secret_name = run.workload.secret
    if rotation is None or secret_name is None:
        return lineage
    secret = run.ports.secrets.describe(secret_name)
    stages = secret.stages.get(rotation.token, frozenset())
    if "AWSCURRENT" in stages:
        return run.finishing.complete(lineage)
    age = run.now - rotation.started_at
    if age < SETTLED:
        return lineage
    if "AWSPENDING" in stages:
        value = run.ports.secrets.value(secret_name, rotation.token, "AWSPENDING")
        live = find(run, value.hash) if value else None
        if live and not live.disabled and age < GIVEN_UP:
            return lineage
        if value and not rotation.hash:
            lineage = run.finishing.record(rotation.token, value)
        run.ports.secrets.move(secret_name, "AWSPENDING", to=None, off=rotation.token)
    run.ports.log.warning(
        "a rotation that will not end is abandoned", extra={"workload": lineage.workload, "token": rotation.token}
    )
    return run.ports.lineages.write(abandoned(lineage, run.now))


def unblock(run: LineageRun, lineage: Lineage) -> Lineage:
    """Rid of a rotation that was refused before it made anything. Raises `LedgerConflict`.

    Its empty version stays AWSPENDING, and while it does, Secrets Manager starts no other rotation.
    """
    if lineage.rotation or not run.workload.secret:
        return lineage
    try:
        secret = run.ports.secrets.describe(run.workload.secret)
    except SecretMissing:
        return lineage  # the planner makes it
    pending = secret.holder("AWSPENDING")
    if pending in (None, secret.holder("AWSCURRENT")):
        return lineage
    begun = [at for at in (secret.changed_at, lineage.asked.at if lineage.asked else None) if at]
    if not begun or run.now - max(begun) < SETTLED or run.ports.secrets.value(secret.arn, pending) is not None:
        return lineage
    run.ports.secrets.move(secret.arn, "AWSPENDING", to=None, off=pending)
    run.ports.log.warning("a rotation that was refused is cleared away", extra={"workload": lineage.workload})
    return run.ports.lineages.write(replace(lineage, asked=None)) if lineage.asked else lineage
