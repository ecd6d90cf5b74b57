"""SQS queues and their policies."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.engine.permissions import checked
from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack

PLAIN = """VisibilityTimeout DelaySeconds MessageRetentionPeriod ReceiveMessageWaitTimeSeconds MaximumMessageSize
FifoQueue ContentBasedDeduplication DeduplicationScope FifoThroughputLimit"""


@handles(
    "AWS::SQS::Queue",
    f"QueueName {PLAIN} RedrivePolicy.deadLetterTargetArn RedrivePolicy.maxReceiveCount",
    inert={
        "Tags": LABEL,
        "SqsManagedSseEnabled": ENCRYPTION,
        "KmsMasterKeyId": ENCRYPTION,
        "KmsDataKeyReusePeriodSeconds": ENCRYPTION,
    },
)
def queue(stack: "Stack", logical_id: str, p: Properties) -> Made:
    is_fifo = str(p.get("FifoQueue", False)).lower() == "true"
    name = p.get("QueueName", stack.default_name(logical_id, 75) + (".fifo" if is_fifo else ""))
    attributes = {key: _text(p[key]) for key in PLAIN.split() if key in p}
    if "RedrivePolicy" in p:
        attributes["RedrivePolicy"] = json.dumps(p["RedrivePolicy"])
        stack.dead_letters.add(p["RedrivePolicy"]["deadLetterTargetArn"])
    url = stack.aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Made(url, {"Arn": stack.arn("sqs", name), "QueueName": name, "QueueUrl": url})


@handles("AWS::SQS::QueuePolicy", "Queues PolicyDocument")
def queue_policy(stack: "Stack", logical_id: str, p: Properties) -> Made:
    statements = checked(p["PolicyDocument"], logical_id, "AWS::SQS::QueuePolicy")
    for url in p["Queues"]:
        stack.permissions.add_resource_policy(stack.arn("sqs", url.rsplit("/", 1)[1]), statements)
    return Made(stack.default_name(logical_id))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
