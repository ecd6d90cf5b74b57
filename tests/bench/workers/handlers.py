"""Worker: a shipped function's own handler, invoked with events; counts what of it AWS would bill.

AWS calls are counted where every boto3 client makes them; they go wherever `AWS_ENDPOINT_URL` says.
"""

import importlib
import io
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.client import BaseClient
from capacity import Capacity  # type: ignore[import-not-found]  # beside this script

calls: Counter[str] = Counter()
capacity = Capacity()
_make: Any = vars(BaseClient)["_make_api_call"]


def _counted(self: BaseClient, operation: str, given: Any) -> Any:
    items = len(given["TransactItems"]) if operation == "TransactWriteItems" else 1
    entries = len(given["Entries"]) if operation == "PutEvents" else 1
    calls[f"{self.meta.service_model.service_name}:{operation}"] += items * entries
    answer = _make(self, operation, given)
    capacity.count(operation, given, answer)
    return answer


class Context:
    """What a handler asks of Lambda's context."""

    function_name = memory_limit_in_mb = invoked_function_arn = "bench"
    aws_request_id = str(uuid.UUID(int=0))

    def get_remaining_time_in_millis(self) -> int:
        return 240_000


def parse(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def forgetful() -> Callable[[], None]:
    """What makes every reader of secrets, made from here on, forget what it has read."""
    from governor.secrets import SecretsManager

    made: list[SecretsManager] = []
    make: Any = SecretsManager.__init__

    def noted(self: SecretsManager, client: Any) -> None:
        make(self, client)
        made.append(self)

    def forget() -> None:
        for one in made:
            one._provider.clear_cache()

    SecretsManager.__init__ = noted  # type: ignore[method-assign]  # there is no seam for it, nor need
    return forget


class Function:
    """One function in one container."""

    forget: Callable[[], None] = staticmethod(lambda: None)

    def start(self, function: str, apart: bool = False) -> dict[str, Any]:
        """`apart`: every invocation comes so long after the one before that no secret is remembered, and at the time
        that its schedule says, if it has one."""
        module: Any = importlib.import_module(f"{function}.handler")
        self.handler = module.lambda_handler
        if apart:
            wired: Any = module if hasattr(module, "utc_now") else importlib.import_module(f"{function}.wiring")
            now = wired.utc_now
            wired.utc_now = lambda: parse(self.scheduled) if self.scheduled else now()
            self.forget = forgetful()
        return {}

    def invoke(self, event: Any) -> dict[str, Any]:
        """`cpu`: seconds of processor time; `lived`: of the whole process so far, its start included."""
        self.scheduled = event.get("scheduled_time", "")
        self.forget()
        calls.clear()
        capacity.clear()
        printed.seek(0)
        printed.truncate()
        cpu = time.process_time()
        answer = self.handler(event, Context())
        lines = printed.getvalue().splitlines()
        return {
            "cpu": time.process_time() - cpu,
            "lived": time.process_time(),
            "answer": answer,
            "calls": dict(calls),
            "read": capacity.read,
            "written": capacity.written,
            "lines": lines,
        }

    def ripen(self, minute: int) -> dict[str, Any]:
        """Gives every key the meter's memory of 28 days, in the store where the meter keeps it."""
        from memory import ripe  # type: ignore[import-not-found]  # beside this script

        from spend_meter.codec import Codec
        from spend_meter.handler import build

        store = build()[0]._ports.store
        stored = store.get()
        assert stored
        content = Codec().encode(ripe(Codec().decode(stored.content or b""), minute))
        store.put(content, stored.etag)
        return {}

    def facts(self) -> dict[str, Any]:
        """How long a secret is kept, how many calls the meter makes at once, and the size of what it keeps."""
        from governor.secrets import SecretsManager
        from spend_meter.handler import build

        stored = build()[0]._ports.store.get()
        assert stored
        return {
            "secret_seconds": SecretsManager.MAX_AGE_SECONDS,
            "concurrency": build()[0]._concurrency,
            "kept_bytes": len(stored.content or b""),
        }


if __name__ == "__main__":
    BaseClient._make_api_call = _counted  # type: ignore[attr-defined]  # the stubs leave it out
    told, printed = sys.stdout, io.StringIO()
    sys.stdout = printed
    function = Function()
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(getattr(function, given.pop("do"))(**given)), file=told, flush=True)
