"""Functions, layers, permissions, URLs, event source mappings.

moto only has to know that a function exists, so it is given an empty archive; the engine runs the built folder itself.
"""

import io
import platform
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.errors import DeploymentFailed, UnsupportedTemplate
from sandbox.engine.functions import AsyncSettings, Function, QueueMapping, StreamMapping
from sandbox.engine.permissions import LAMBDA
from sandbox.engine.queues import queue
from sandbox.engine.resources.registry import AT_ONCE, ENCRYPTION, LABEL, TRACING, Made, Properties, handles
from sandbox.engine.template import LOCAL

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack

KIND = "AWS::Lambda::Function"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
READING = (
    "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
    "kinesis:ListShards",
)  # fmt: skip

SENDING = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}


@handles(
    KIND,
    """FunctionName Code Handler Runtime Role MemorySize Timeout Layers Environment.Variables Architectures
    DeadLetterConfig.TargetArn LoggingConfig.LogFormat LoggingConfig.LogGroup ReservedConcurrentExecutions""",
    inert={
        "LoggingConfig.SystemLogLevel": "the engine logs no START, END and REPORT",
        "LoggingConfig.ApplicationLogLevel": "what a function writes is kept whatever its level",
        "Description": LABEL,
        "Tags": LABEL,
        "PackageType": "only archives are known, and Code says so",
        "TracingConfig": TRACING,
        "EphemeralStorage": "the machine's own /tmp is used",
        "KmsKeyArn": ENCRYPTION,
    },
)
def function(stack: "Stack", logical_id: str, p: Properties) -> Made:
    if p.get("Runtime") != "python3.13":
        raise UnsupportedTemplate(logical_id, KIND, f"runtime {p.get('Runtime')} is not honoured")
    for wanted in p.get("Architectures", []):
        if wanted != MACHINES.get(platform.machine()):
            raise DeploymentFailed(logical_id, f"is built for {wanted}, and this machine is {platform.machine()}")
    name = p.get("FunctionName", stack.default_name(logical_id))
    variables = {key: _text(value) for key, value in p.get("Environment", {}).get("Variables", {}).items()}
    logging = p.get("LoggingConfig", {})
    stack.aws.client("lambda").create_function(
        FunctionName=name,
        Role=p["Role"],
        Runtime=p["Runtime"],
        Handler=p["Handler"],
        Timeout=int(p.get("Timeout", 3)),
        MemorySize=int(p.get("MemorySize", 128)),
        Code={"ZipFile": _empty()},
        Layers=p.get("Layers", []),
        Environment={"Variables": variables},
    )
    stack.functions[logical_id] = Function(
        logical_id=stack.prefix + logical_id,
        name=name,
        arn=stack.arn("lambda", f"function:{name}"),
        role_arn=p["Role"],
        handler=p["Handler"],
        timeout=int(p.get("Timeout", 3)),
        memory=int(p.get("MemorySize", 128)),
        code=_folder(stack, logical_id, KIND, p["Code"]),
        layers=[stack.layers[arn] for arn in p.get("Layers", [])],
        environment=variables,
        log_format=logging.get("LogFormat", "Text"),
        log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
        dead_letter_arn=p.get("DeadLetterConfig", {}).get("TargetArn"),
        reserved=int(p["ReservedConcurrentExecutions"]) if "ReservedConcurrentExecutions" in p else None,
    )
    made = stack.functions[logical_id]
    if made.reserved is not None:
        # So that it can be read back; the engine keeps to what the function's own record says.
        client = stack.aws.client("lambda")
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=made.reserved)
    if made.dead_letter_arn is not None:
        stack.dead_letters.add(made.dead_letter_arn)
        stack.afterwards(_may_send(stack, made, made.dead_letter_arn))
    stack.afterwards(lambda: _assumable(stack, made))
    return Made(name, {"Arn": made.arn})


@handles(
    "AWS::Lambda::LayerVersion",
    "LayerName Content CompatibleRuntimes",
    inert={"Description": LABEL, "LicenseInfo": LABEL, "CompatibleArchitectures": LABEL},
)
def layer_version(stack: "Stack", logical_id: str, p: Properties) -> Made:
    folder = _folder(stack, logical_id, "AWS::Lambda::LayerVersion", p["Content"])
    name = p.get("LayerName", logical_id)
    arn = stack.aws.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": _empty()})[
        "LayerVersionArn"
    ]
    stack.layers[arn] = folder
    return Made(arn, {"LayerVersionArn": arn})


@handles(
    "AWS::Lambda::Permission",
    "Action FunctionName Principal SourceArn SourceAccount FunctionUrlAuthType InvokedViaFunctionUrl",
)
def permission(stack: "Stack", logical_id: str, p: Properties) -> Made:
    keys = {
        "SourceArn": ("ArnLike", "aws:SourceArn"),
        "SourceAccount": ("StringEquals", "aws:SourceAccount"),
        "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
        "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
    }
    condition: dict[str, dict[str, str]] = {}
    for name, (operator, key) in keys.items():
        if name in p:
            condition.setdefault(operator, {})[key] = str(p[name])
    principal = p["Principal"]
    kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
    statement = {
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {kind: principal},
        "Action": p["Action"],
        "Resource": _function(stack, logical_id, p["FunctionName"]).arn,
        "Condition": condition,
    }
    stack.permissions.add_resource_policy(statement["Resource"], [statement])
    return Made(stack.default_name(logical_id))


@handles("AWS::Lambda::Url", "AuthType TargetFunctionArn", inert={"Cors": "there are no browsers here"})
def url(stack: "Stack", logical_id: str, p: Properties) -> Made:
    found = _function(stack, logical_id, p["TargetFunctionArn"])
    found.url_auth = p["AuthType"]
    return Made(found.arn, {"FunctionUrl": stack.url(found.logical_id), "FunctionArn": found.arn})


@handles(
    "AWS::Lambda::EventInvokeConfig",
    """FunctionName Qualifier MaximumEventAgeInSeconds MaximumRetryAttempts
    DestinationConfig.OnFailure.Destination DestinationConfig.OnSuccess.Destination""",
)
def event_invoke_config(stack: "Stack", logical_id: str, p: Properties) -> Made:
    found = _function(stack, logical_id, p["FunctionName"])
    destinations = p.get("DestinationConfig", {})
    settings = AsyncSettings(
        retries=int(p.get("MaximumRetryAttempts", 2)),
        max_age_seconds=int(p.get("MaximumEventAgeInSeconds", 21600)),
        on_failure=destinations.get("OnFailure", {}).get("Destination"),
        on_success=destinations.get("OnSuccess", {}).get("Destination"),
    )
    found.asynchronous = settings
    if settings.on_failure is not None:
        stack.dead_letters.add(settings.on_failure)
    for arn in filter(None, (settings.on_failure, settings.on_success)):
        stack.afterwards(_may_send(stack, found, arn))
    return Made(stack.default_name(logical_id))


@handles(
    "AWS::Lambda::EventSourceMapping",
    """EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds FunctionResponseTypes Enabled
    TumblingWindowInSeconds StartingPosition MaximumRetryAttempts DestinationConfig.OnFailure.Destination""",
    inert={
        "ScalingConfig": AT_ONCE,
        "Tags": LABEL,
        "MaximumRecordAgeInSeconds": "nothing waits that long here",
        "BisectBatchOnFunctionError": "a batch of a tumbling window is not split",
    },
)
def event_source_mapping(stack: "Stack", logical_id: str, p: Properties) -> Made:
    kind, arn = "AWS::Lambda::EventSourceMapping", p["EventSourceArn"]
    if arn.split(":")[2] == "kinesis":
        return _stream_mapping(stack, logical_id, p)
    if arn.split(":")[2] != "sqs":
        raise UnsupportedTemplate(logical_id, kind, f"event source {arn} is not honoured")
    found = _function(stack, logical_id, p["FunctionName"])
    visibility = int(queue(arn).attributes["VisibilityTimeout"])
    if visibility < found.timeout:
        why = (
            f"the queue's visibility timeout of {visibility} s is less than the function's timeout of {found.timeout} s"
        )
        raise DeploymentFailed(logical_id, why)

    def may_poll() -> None:
        for action in POLLING:
            if not stack.permissions.role_may(found.role_arn, action, arn):
                raise DeploymentFailed(logical_id, f"{found.role_arn} may not {action} on {arn}")

    stack.afterwards(may_poll)
    if str(p.get("Enabled", True)).lower() == "true":
        stack.mappings.append(
            QueueMapping(
                function=found.logical_id,
                queue_arn=arn,
                batch_size=int(p.get("BatchSize", 10)),
                window_seconds=int(p.get("MaximumBatchingWindowInSeconds", 0)),
                reports_failures="ReportBatchItemFailures" in p.get("FunctionResponseTypes", []),
            )
        )
    return Made(stack.default_name(logical_id))


def _stream_mapping(stack: "Stack", logical_id: str, p: Properties) -> Made:
    kind, arn = "AWS::Lambda::EventSourceMapping", p["EventSourceArn"]
    if p.get("StartingPosition") != "TRIM_HORIZON" or not p.get("TumblingWindowInSeconds"):
        raise UnsupportedTemplate(logical_id, kind, "a stream is read from TRIM_HORIZON and in tumbling windows only")
    found = _function(stack, logical_id, p["FunctionName"])
    grave = p.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if grave is not None:
        stack.dead_letters.add(grave)
        stack.afterwards(_may_send(stack, found, grave))

    def may_read() -> None:
        for action in READING:
            if not stack.permissions.role_may(found.role_arn, action, arn):
                raise DeploymentFailed(logical_id, f"{found.role_arn} may not {action} on {arn}")

    stack.afterwards(may_read)
    mapping = StreamMapping(
        function=found.logical_id,
        stream_arn=arn,
        batch_size=int(p.get("BatchSize", 100)),
        window_seconds=int(p.get("MaximumBatchingWindowInSeconds", 0)),
        tumbling_seconds=int(p["TumblingWindowInSeconds"]),
        retries=int(p.get("MaximumRetryAttempts", -1)),
        on_failure=grave,
    )
    if mapping.retries < 0:
        raise UnsupportedTemplate(logical_id, kind, "a batch is repeated a stated number of times")
    if str(p.get("Enabled", True)).lower() == "true":
        stack.streams.append(mapping)
    return Made(stack.default_name(logical_id))


def _function(stack: "Stack", logical_id: str, name: str) -> Function:
    for found in stack.functions.values():
        if name in (found.name, found.arn):
            return found
    raise DeploymentFailed(logical_id, f"function {name} does not exist")


def _folder(stack: "Stack", logical_id: str, kind: str, content: Any) -> Path:
    if not isinstance(content, dict) or content.get("S3Bucket") != LOCAL.removeprefix("s3://").strip("/"):
        raise UnsupportedTemplate(logical_id, kind, "only what sam build left in a folder can be run")
    folder: Path = stack.built / content["S3Key"]
    if not folder.is_dir():
        raise DeploymentFailed(logical_id, f"{folder} is not there: run sam build")
    return folder.resolve()


def _assumable(stack: "Stack", made: Function) -> None:
    if not stack.permissions.assumable(made.role_arn, LAMBDA):
        raise DeploymentFailed(made.logical_id, f"{LAMBDA} cannot assume {made.role_arn}")


def _may_send(stack: "Stack", made: Function, arn: str) -> Callable[[], None]:
    """Lambda refuses a destination or dead-letter queue that the function's role may not use."""

    def verify() -> None:
        action = SENDING[arn.split(":")[2]]
        if not stack.permissions.role_may(made.role_arn, action, arn):
            raise DeploymentFailed(made.logical_id, f"{made.role_arn} may not {action} on {arn}, where failures go")

    return verify


def _empty() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("empty", "")
    return buffer.getvalue()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
