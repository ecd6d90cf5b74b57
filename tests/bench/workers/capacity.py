"""What calls to DynamoDB are billed: units of capacity, by the size of what is read and written. Standard library only.

A consistent read takes a unit for 4 KB of what it answers, an eventual one half; a write takes one for 1 KB, in a
transaction two. A delete is billed by the item's size, which nobody is told here: it counts as 1 KB.
"""

from collections.abc import Mapping
from typing import Any

READ_BYTES, WRITE_BYTES = 4096, 1024


class Capacity:
    """Units since they were cleared."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.read = self.written = 0.0

    def count(self, operation: str, given: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Adds what one call to DynamoDB takes; calls to other services take none."""
        match operation:
            case "GetItem" | "Query":
                items = [answer["Item"]] if "Item" in answer else answer.get("Items", ())
                units = _units(sum(map(size, items)), READ_BYTES)
                self.read += units if given.get("ConsistentRead") else units / 2
            case "PutItem" | "DeleteItem":
                self.written += _units(size(given.get("Item", {})), WRITE_BYTES)
            case "TransactWriteItems":
                for write in given["TransactItems"]:
                    self.written += 2 * _units(size(write.get("Put", {}).get("Item", {})), WRITE_BYTES)


def size(item: Mapping[str, Mapping[str, str]]) -> int:
    """Bytes of an item of texts and numbers: of its attributes' names and values. A number counts as its digits."""
    return sum(len(f"{name}{text}".encode()) for name, value in item.items() for text in value.values())


def _units(amount: int, unit: int) -> int:
    return max(1, -(-amount // unit))
