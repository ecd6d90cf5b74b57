"""Everything that Governor keeps, says or logs, as text to search, but for Secrets Manager, where secrets belong."""

import gzip
import json
from collections.abc import Iterator

from sandbox.scenario.world import CHANNEL, World
from tests.contract.template.reading import RESOURCES


def everything(world: World) -> Iterator[tuple[str, str]]:
    """Every place that outlives an invocation, with what stands in it."""
    engine = world.engine
    for name in engine.client("dynamodb").list_tables()["TableNames"]:
        yield f"table {name}", json.dumps(engine.client("dynamodb").scan(TableName=name)["Items"])
    s3 = engine.client("s3")
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
        for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            yield f"object {entry['Key']}", body.decode("utf-8", "replace")
    for function in sorted({one.function for one in engine.invocations}):
        yield f"log of {function}", engine.logs(function)
    for queue in (name for name, one in RESOURCES.items() if one["Type"] == "AWS::SQS::Queue"):
        if engine.has(queue):
            yield f"queue {queue}", repr(engine.messages(queue))
    yield "archive", json.dumps(engine.archived("BusArchive"))
    yield "mail", repr(engine.published("AlertTopic"))
    yield "lost", repr(engine.lost)
    yield "channel", json.dumps(world.slack.messages(CHANNEL)) + world.slack.transcript(CHANNEL)
    yield "ephemeral", json.dumps(world.slack.workspace.ephemeral)
    yield "views", json.dumps(world.slack.workspace.views, default=repr)
    yield "files", repr(world.slack.workspace.files)
