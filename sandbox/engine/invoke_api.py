"""Calls of functions that arrive through moto: the Invoke API, and SNS's deliveries.

The seams are `moto.awslambda.models.LambdaFunction.invoke`, `LambdaBackend.send_sns_message` and
`moto.sns.models.Subscription.publish`.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.exceptions import JsonRESTError
from moto.sns.models import Subscription

from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Sender
from sandbox.engine.errors import Refused
from sandbox.engine.permissions import SNS
from sandbox.engine.pool import Pool

_subscription: ContextVar[Any] = ContextVar("subscription")


class TooManyRequests(JsonRESTError):
    """The function's reserved concurrency is taken."""

    code = 429

    def __init__(self, message: str) -> None:
        super().__init__("TooManyRequestsException", message)


class InvokeApi:
    """Sends an invocation to the engine: awaited when the caller waits, put on the agenda when it does not."""

    def __init__(self, pool: Pool, delivery: Delivery, clock: VirtualClock) -> None:
        self._pool, self._delivery, self._clock = pool, delivery, clock

    @contextmanager
    def installed(self) -> Iterator[None]:
        api = self
        stock: Callable[..., None] = Subscription.publish

        def invoke(target: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> bytes:
            return api._invoke(target.function_arn, body, request_headers, response_headers)

        def publish(subscription: Subscription, message: str, *args: Any, **kwargs: Any) -> None:
            _subscription.set(subscription)
            if subscription.protocol != "sqs" or api._may_send(subscription, message):
                stock(subscription, message, *args, **kwargs)

        def send_sns_message(
            _: LambdaBackend, function_name: str, message: str, subject: str | None = None, qualifier: str | None = None
        ) -> None:
            api._notify(_subscription.get(), message, subject)

        with (
            patch.object(LambdaFunction, "invoke", invoke),
            patch.object(Subscription, "publish", publish),
            patch.object(LambdaBackend, "send_sns_message", send_sns_message),
        ):
            yield

    def _invoke(self, arn: str, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        function = self._pool.by_arn(arn)
        assert function is not None, f"moto knows {arn} and the engine does not"
        payload = body if isinstance(body, bytes) else (body or "{}").encode()
        headers = {name.lower(): value for name, value in dict(request_headers).items()}
        if headers.get("x-amz-invocation-type") == "Event":
            self._delivery.invoke_later(function, payload, "invoke")
            return b""
        record = self._pool.invoke(function, payload, "invoke")
        if record.kind == "throttled":
            raise TooManyRequests(record.result["message"])
        if record.kind != "response":
            response_headers["x-amz-function-error"] = "Unhandled"
        return record.payload

    def _may_send(self, subscription: Any, message: str) -> bool:
        topic, arn = subscription.topic.arn, subscription.endpoint
        if self._delivery.permissions.service_may(SNS, "sqs:SendMessage", arn, {"aws:SourceArn": topic}):
            return True
        self._delivery.bury(None, message, Sender(SNS, topic), {}, f"{SNS} may not sqs:SendMessage on {arn}")
        return False

    def _notify(self, subscription: Any, message: str, subject: str | None) -> None:
        topic = subscription.topic.arn
        when = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        notification = {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": topic,
            "Subject": subject,
            "Message": message,
            "Timestamp": when,
            "MessageAttributes": {},
        }
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": notification,
        }
        body = json.dumps({"Records": [record]})
        try:
            self._delivery.deliver(subscription.endpoint, body, Sender(SNS, topic))
        except Refused as refusal:
            self._delivery.bury(None, body, Sender(SNS, topic), {}, str(refusal))
