"""Kinesis data streams of a fixed number of shards."""

from typing import TYPE_CHECKING

from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::Kinesis::Stream",
    "Name ShardCount",
    inert={
        "Tags": LABEL,
        "StreamEncryption": ENCRYPTION,
        "RetentionPeriodHours": "nothing here expires by itself",
    },
)
def stream(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("Name", stack.default_name(logical_id, 128))
    stack.aws.client("kinesis").create_stream(StreamName=name, ShardCount=int(p["ShardCount"]))
    return Made(name, {"Arn": stack.arn("kinesis", f"stream/{name}")})
