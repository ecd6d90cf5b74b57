"""Which workload each key is of, by its hash, as the ledger's lineages have it.

Names are what people may change at any time; the hash of a key is its own for life. Whoever assigns a key to a workload
looks here first, and at the name only of keys that no lineage holds.
"""

from governor.ledger import Ledger
from governor.lineage import PK


def owners(ledger: Ledger) -> dict[str, str]:
    """Workload by hash, without deleted keys. One query; a row that cannot be read is left out."""
    found: dict[str, str] = {}
    for row in ledger.rows(PK):
        keys = row.data.get("keys")
        for key in keys if isinstance(keys, list) else ():
            if isinstance(key, dict) and isinstance(key.get("hash"), str) and key.get("state") != "deleted":
                found[key["hash"]] = row.sk
    return found
