"""Keys over their whole life.

`lineage`: a workload's keys, one row. `succession`: how the current key passes to the next, pure. `rotation_end`: the
end of a rotation. `rollback`: a former key comes back. `causes`: why keys are disabled. `reconcile`: brings keys to the
state that the ledger asks for. `attachments` and `lists`: what points at a key. `caps`, `limit_claim`, `allowance`,
`known_spend`: its limit and its spend. `bulk_order`: many rotations that two people approved. `owners`: whose a key is.
`sighting`: when it was used.
"""
