"""What was decided and done: rows that are written only if nobody wrote them meanwhile. `rows` is re-exported here;
`dynamodb` is the adapter.
"""

from governor.ledger.rows import ABSENT, Delete, Ledger, LedgerConflict, MemoryLedger, Put, Row

__all__ = ["ABSENT", "Delete", "Ledger", "LedgerConflict", "MemoryLedger", "Put", "Row"]
