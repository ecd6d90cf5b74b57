"""finishSecret: the label moves, then the ledger says so and the bus. Nothing here asks OpenRouter.

A death after the label has moved leaves a row that says "rotation in hand" for a version that is AWSCURRENT: the same
step again, the next rotation, or the retirement's run completes it under the same event id.
"""

from key_rotation.ports import Refused, Rotating


def finish(rotating: Rotating) -> None:
    """Idempotent for each token. Raises `Refused` and `LedgerConflict`."""
    lineage = rotating.ports.lineages.get(rotating.workload.name)
    rotation = lineage.rotation if lineage.rotation and lineage.rotation.token == rotating.token else None
    holder = rotating.secret.holder("AWSCURRENT")
    if rotation is None:
        # A copy of this step beside it may have come to the end meanwhile: the labels are older than the row.
        holder = rotating.ports.secrets.describe(rotating.secret.arn).holder("AWSCURRENT")
    if holder != rotating.token:
        if rotation is None or not rotation.hash:
            # AWSCURRENT on a version without a value would leave the workload without a key.
            raise Refused("not_created", f"{rotating.workload.name} has no new key yet: finishSecret came too early.")
        rotating.ports.secrets.move(rotating.secret.arn, "AWSCURRENT", to=rotating.token, off=holder)
    if rotation:
        rotating.finishing.complete(lineage)
