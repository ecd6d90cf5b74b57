"""One request of DynamoDB after the other, so that a conditional write is judged and written in one step, as in AWS.

moto judges a condition and writes in two steps: two threads could both pass it. It undoes a transaction by putting a
copy of the whole table back: what another thread wrote meanwhile would be gone.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import DynamoDBBackend

REQUESTS = ("get_item", "query", "scan", "put_item", "update_item", "delete_item", "transact_write_items")
_ONE_AT_A_TIME = threading.RLock()
"""Entered again by the writes of a transaction."""


def make_requests_atomic() -> None:
    """For the whole process, since moto's state is the process's. Idempotent."""
    if hasattr(DynamoDBBackend.put_item, "__wrapped__"):
        return
    for name in REQUESTS:
        setattr(DynamoDBBackend, name, _alone(getattr(DynamoDBBackend, name)))


def _alone(request: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(request)
    def alone(*arguments: Any, **named: Any) -> Any:
        with _ONE_AT_A_TIME:
            return request(*arguments, **named)

    return alone
