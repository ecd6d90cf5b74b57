"""Asynchronous invocations: retried after one minute and then two, given up to a destination or a dead-letter queue.

Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.engine.agenda import Agenda
from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Sender
from sandbox.engine.errors import Refused
from sandbox.engine.faults import Faults
from sandbox.engine.functions import Function
from sandbox.engine.pool import Invocation, Pool

WAITS = (timedelta(minutes=1), timedelta(minutes=2))


@dataclass(frozen=True)
class Pending:
    function: Function
    payload: bytes
    source: str
    request_id: str
    queued: datetime
    attempt: int = 1


class AsyncInvoker:
    """Queues events for functions and sees each through to success, a destination or the end."""

    def __init__(self, pool: Pool, agenda: Agenda, clock: VirtualClock, faults: Faults) -> None:
        self._pool, self._agenda, self._clock, self._faults = pool, agenda, clock, faults
        self.delivery: Delivery

    def queue(self, function: Function, payload: bytes, source: str) -> None:
        pending = Pending(function, payload, source, str(uuid.uuid4()), self._clock.now())
        due = pending.queued + self._faults.delay_of(function.logical_id)
        for _ in range(self._faults.copies(function.logical_id)):
            self._agenda.add(due, lambda: self._attempt(pending))

    def _attempt(self, pending: Pending) -> None:
        record = self._pool.invoke(pending.function, pending.payload, pending.source, pending.request_id)
        settings = pending.function.asynchronous
        if record.kind == "throttled":
            # No attempt was made: it is tried again, for as long as the event may wait.
            self._later(replace(pending, attempt=pending.attempt - 1), record, WAITS[0])
            return
        if record.kind == "response":
            if settings.on_success is not None:
                self._to_destination(settings.on_success, pending, record, "Success")
            return
        if pending.attempt > settings.retries:
            self._give_up(pending, record, "RetriesExhausted")
            return
        self._later(pending, record, WAITS[pending.attempt - 1])

    def _later(self, pending: Pending, record: Invocation, wait: timedelta) -> None:
        settings, due = pending.function.asynchronous, self._clock.now() + wait
        if due - pending.queued > timedelta(seconds=settings.max_age_seconds):
            # The event grows too old while it waits; it is given up at that moment, not tried once more.
            expires = pending.queued + timedelta(seconds=settings.max_age_seconds)
            self._agenda.add(expires, lambda: self._give_up(pending, record, "EventAgeExceeded"))
        else:
            self._agenda.add(due, lambda: self._attempt(replace(pending, attempt=pending.attempt + 1)))

    def _give_up(self, pending: Pending, record: Invocation, condition: str) -> None:
        function = pending.function
        if function.asynchronous.on_failure is not None:
            self._to_destination(function.asynchronous.on_failure, pending, record, condition)
        if function.dead_letter_arn is not None:
            words = record.result.get("errorMessage", "") if isinstance(record.result, dict) else ""
            attributes = {"RequestID": pending.request_id, "ErrorCode": "200", "ErrorMessage": words[:1024] or "-"}
            body = pending.payload.decode()
            self.delivery.bury(function.dead_letter_arn, body, _itself(function), attributes, condition)
        if function.asynchronous.on_failure is None and function.dead_letter_arn is None:
            self.delivery.bury(None, pending.payload.decode(), _itself(function), {}, condition)

    def _to_destination(self, arn: str, pending: Pending, record: Invocation, condition: str) -> None:
        envelope = _envelope(pending, record, condition, self._clock.now())
        body = json.dumps(envelope)
        ended = "Success" if condition == "Success" else "Failure"
        bridge = {
            "EventBridgeParameters": {
                "Source": "lambda",
                "DetailType": f"Lambda Function Invocation Result - {ended}",
            }
        }
        try:
            self.delivery.deliver(arn, body, _itself(pending.function), bridge)
        except Refused as refusal:
            self.delivery.bury(None, body, _itself(pending.function), {}, f"{condition}; destination {arn}: {refusal}")


def _itself(function: Function) -> Sender:
    """Destinations and dead letters are sent with the function's own role."""
    return Sender("lambda.amazonaws.com", function.arn, function.role_arn)


def _envelope(pending: Pending, record: Invocation, condition: str, now: datetime) -> dict[str, Any]:
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if record.kind != "response":
        context["functionError"] = "Unhandled"
    return {
        "version": "1.0",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": pending.request_id,
            "functionArn": f"{pending.function.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": pending.attempt,
        },
        "requestPayload": json.loads(pending.payload or b"null"),
        "responseContext": context,
        "responsePayload": record.result,
    }
