"""SNS topics, their policies and subscriptions."""

import json
from typing import TYPE_CHECKING

from sandbox.engine.errors import UnsupportedTemplate
from sandbox.engine.permissions import checked
from sandbox.engine.resources.registry import ENCRYPTION, LABEL, TRACING, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack

PROTOCOLS = ("sqs", "lambda", "email", "email-json")


@handles(
    "AWS::SNS::Topic",
    "TopicName FifoTopic ContentBasedDeduplication Subscription.Endpoint Subscription.Protocol",
    inert={"DisplayName": LABEL, "Tags": LABEL, "KmsMasterKeyId": ENCRYPTION, "TracingConfig": TRACING},
)
def topic(stack: "Stack", logical_id: str, p: Properties) -> Made:
    is_fifo = str(p.get("FifoTopic", False)).lower() == "true"
    name = p.get("TopicName", stack.default_name(logical_id) + (".fifo" if is_fifo else ""))
    attributes = {key: str(p[key]).lower() for key in ("FifoTopic", "ContentBasedDeduplication") if key in p}
    arn = stack.aws.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]
    for one in p.get("Subscription", []):
        _subscribe(stack, logical_id, {"TopicArn": arn, **one})
    return Made(arn, {"TopicArn": arn, "TopicName": name})


@handles("AWS::SNS::TopicPolicy", "Topics PolicyDocument")
def topic_policy(stack: "Stack", logical_id: str, p: Properties) -> Made:
    statements = checked(p["PolicyDocument"], logical_id, "AWS::SNS::TopicPolicy")
    for arn in p["Topics"]:
        stack.permissions.add_resource_policy(arn, statements)
    return Made(stack.default_name(logical_id))


@handles("AWS::SNS::Subscription", "TopicArn Protocol Endpoint FilterPolicy FilterPolicyScope RawMessageDelivery")
def subscription(stack: "Stack", logical_id: str, p: Properties) -> Made:
    arn = _subscribe(stack, logical_id, p)
    return Made(arn, {"Arn": arn})


def _subscribe(stack: "Stack", logical_id: str, p: Properties) -> str:
    if p["Protocol"] not in PROTOCOLS:
        raise UnsupportedTemplate(logical_id, "AWS::SNS::Subscription", f"protocol {p['Protocol']} is not honoured")
    attributes = {}
    if "FilterPolicy" in p:
        attributes["FilterPolicy"] = json.dumps(p["FilterPolicy"])
        attributes["FilterPolicyScope"] = p.get("FilterPolicyScope", "MessageAttributes")
    # moto takes the text "false" for true.
    if str(p.get("RawMessageDelivery", False)).lower() == "true":
        attributes["RawMessageDelivery"] = "true"
    arn: str = stack.aws.client("sns").subscribe(
        TopicArn=p["TopicArn"],
        Protocol=p["Protocol"],
        Endpoint=p["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return arn
