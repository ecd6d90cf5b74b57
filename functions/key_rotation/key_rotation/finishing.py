"""finishSecret: the label moves, then the ledger says so and the bus. Nothing here asks OpenRouter.

A death after the label has moved leaves a row that says "rotation in hand" for a version that is AWSCURRENT: the same
step again, the next rotation, or the retirement's beat completes it under the same event id.
"""

from key_rotation.ports import Refused, Rotating


def finish(rotating: Rotating) -> None:
    """Idempotent for each token. Raises `Refused` and `LedgerConflict`."""
    holder = rotating.secret.holder("AWSCURRENT")
    lineage = rotating.ports.lineages.get(rotating.workload.name)
    in_hand = lineage.rotation is not None and lineage.rotation.token == rotating.token
    if holder != rotating.token:
        if not (in_hand and lineage.rotation and lineage.rotation.hash):
            # AWSCURRENT on a version without a value would leave the workload without a key.
            raise Refused("not_created", f"{rotating.workload.name} has no new key yet: finishSecret came too early.")
        rotating.ports.secrets.move(rotating.secret.arn, "AWSCURRENT", to=rotating.token, off=holder)
    if in_hand:
        rotating.finishing.complete(lineage)
