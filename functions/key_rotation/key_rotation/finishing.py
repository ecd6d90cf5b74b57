"""finishSecret: the label moves, then the ledger says so and the bus. Nothing here asks OpenRouter.

A death after the label has moved leaves a row that says "rotation in hand" for a version that is AWSCURRENT: the same
step again, the next rotation, or the retirement's beat completes it under the same event id.
"""

from key_rotation.ports import Rotating


def finish(rotating: Rotating) -> None:
    """Idempotent for each token. Raises `LedgerConflict`."""
    holder = rotating.secret.holder("AWSCURRENT")
    if holder != rotating.token:
        rotating.ports.secrets.move(rotating.secret.arn, "AWSCURRENT", to=rotating.token, off=holder)
    lineage = rotating.ports.lineages.get(rotating.workload.name)
    if lineage.rotation and lineage.rotation.token == rotating.token:
        rotating.finishing.complete(lineage)
