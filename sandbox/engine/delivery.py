"""Brings an event to a target by ARN, once whoever sends it has been found allowed to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from sandbox.engine.api_destination import ApiDestination
from sandbox.engine.aws import Aws
from sandbox.engine.errors import Refused
from sandbox.engine.functions import Function
from sandbox.engine.permissions import Permissions

Attributes = Mapping[str, str]


@dataclass(frozen=True)
class Sender:
    """Who delivers: a service on behalf of a resource (`source_arn`), or a role."""

    service: str
    source_arn: str
    role_arn: str | None = None


@dataclass(frozen=True)
class Lost:
    """Something that AWS drops without a trace but a metric: no dead-letter queue, or one that refused."""

    at: datetime
    sender: str
    target: str
    why: str
    body: str


@dataclass
class Delivery:
    """`deliver` raises `Refused` or `Unreachable`; `bury` never raises, and records in `lost` what found no grave."""

    aws: Aws
    permissions: Permissions
    now: Callable[[], datetime]
    function: Callable[[str], Function | None]
    invoke_later: Callable[[Function, bytes, str], None]
    lost: list[Lost] = field(default_factory=list)
    destinations: dict[str, ApiDestination] = field(default_factory=dict)

    def deliver(
        self,
        arn: str,
        body: str,
        sender: Sender,
        parameters: Mapping[str, Any] | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        """`parameters` are the target's own (SqsParameters, EventBridgeParameters); `attributes` those of a message."""
        service = arn.split(":")[2]
        try:
            match service:
                case "lambda":
                    self._to_function(arn, body, sender)
                case "sqs":
                    self._to_queue(arn, body, sender, parameters or {}, attributes or {})
                case "sns":
                    self._permit(sender, "sns:Publish", arn)
                    self.aws.client("sns").publish(TopicArn=arn, Message=body)
                case "events" if ":api-destination/" in arn:
                    self._permit(sender, "events:InvokeApiDestination", arn)
                    self.destinations[arn].send(body)
                case "events":
                    self._to_bus(arn, body, sender, parameters or {})
                case _:
                    raise Refused("INVALID_PARAMETER", f"the sandbox has no target of service {service}")
        except ClientError as error:
            raise Refused("NO_RESOURCE", str(error)) from error

    def bury(self, arn: str | None, body: str, sender: Sender, attributes: Attributes, why: str) -> None:
        """Puts what could not be delivered into its dead-letter queue."""
        if arn is None:
            self.lost.append(Lost(self.now(), sender.source_arn, "", why, body))
            return
        try:
            self.deliver(arn, body, sender, attributes=attributes)
        except Refused as refusal:
            self.lost.append(Lost(self.now(), sender.source_arn, arn, f"{why}; dead letter refused: {refusal}", body))

    def _permit(self, sender: Sender, action: str, arn: str) -> None:
        if sender.role_arn is not None:
            allowed = self.permissions.role_may(sender.role_arn, action, arn)
        else:
            allowed = self.permissions.service_may(sender.service, action, arn, {"aws:SourceArn": sender.source_arn})
        if not allowed:
            who = sender.role_arn or f"{sender.service} for {sender.source_arn}"
            raise Refused("NO_PERMISSIONS", f"{who} is not authorized to perform {action} on {arn}")

    def _to_function(self, arn: str, body: str, sender: Sender) -> None:
        function = self.function(arn)
        if function is None:
            raise Refused("NO_RESOURCE", f"{arn} does not exist")
        self._permit(sender, "lambda:InvokeFunction", function.arn)
        self.invoke_later(function, body.encode(), sender.source_arn)

    def _to_queue(
        self, arn: str, body: str, sender: Sender, parameters: Mapping[str, Any], attributes: Attributes
    ) -> None:
        self._permit(sender, "sqs:SendMessage", arn)
        group = parameters.get("SqsParameters", {}).get("MessageGroupId")
        self.aws.client("sqs").send_message(
            QueueUrl=f"{self.aws.endpoint}/{arn.split(':')[4]}/{arn.rsplit(':', 1)[1]}",
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "Number" if value.isdecimal() else "String", "StringValue": value}
                for name, value in attributes.items()
            },
            **({"MessageGroupId": group} if group else {}),
        )

    def _to_bus(self, arn: str, body: str, sender: Sender, parameters: Mapping[str, Any]) -> None:
        self._permit(sender, "events:PutEvents", arn)
        event = json.loads(body)
        given = parameters.get("EventBridgeParameters")
        entry = (
            {"Source": given["Source"], "DetailType": given["DetailType"], "Detail": body}
            if given
            else {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        )
        self.aws.client("events").put_events(Entries=[{**entry, "EventBusName": arn}])
