"""What an AWS call needs: the IAM actions and resource ARNs it stands for.

Source: Service Authorization Reference. `needs` is given the operation's parsed parameters, whatever the wire
protocol. S3 is not here: moto tells its action and ARN by itself. A call that stands for several (the parts of a
transaction, the entries of PutEvents) needs each of them; one that is refused refuses the call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sandbox.engine.leading_keys import batched, leading_keys
from sandbox.engine.policy import Context
from sandbox.engine.template import ACCOUNT, REGION

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    action: str
    resource: str
    context: Context = field(default_factory=dict)


class UnknownCall(Exception):
    """Nobody told the engine which resource this operation is about."""


def arn(service: str, resource: str) -> str:
    return resource if resource.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def needs(service: str, operation: str, parameters: Parameters) -> list[Need]:
    """Everything that has to be allowed for the call; raises `UnknownCall` for one not listed here."""
    try:
        return SERVICES[service](operation, parameters)
    except KeyError as error:
        raise UnknownCall(f"{service}:{operation} ({error})") from error


def _dynamodb(operation: str, p: Parameters) -> list[Need]:
    def table(name: str) -> str:
        return arn("dynamodb", name if name.startswith("arn:") else f"table/{name}")

    if operation in ("ListTables", "DescribeLimits", "DescribeEndpoints"):
        return [Need(f"dynamodb:{operation}", "*")]
    if operation in ("TransactWriteItems", "TransactGetItems"):
        # A transaction is allowed by its parts: ConditionCheckItem, PutItem and so on, each on its own table.
        names = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}
        parts = [(kind, part) for item in p["TransactItems"] for kind, part in item.items() if part]
        return [
            Need(
                f"dynamodb:{names.get(kind, 'ConditionCheckItem')}",
                table(part["TableName"]),
                leading_keys(part["TableName"], None, part),
            )
            for kind, part in parts
        ]
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [
            Need(f"dynamodb:{operation}", table(name), batched(name, requests))
            for name, requests in p["RequestItems"].items()
        ]
    resource, index = table(p["TableName"]), p.get("IndexName")
    if index:
        resource += f"/index/{index}"
    return [Need(f"dynamodb:{operation}", resource, leading_keys(p["TableName"], index, p))]


def _sqs(operation: str, p: Parameters) -> list[Need]:
    if operation == "ListQueues":
        return [Need(f"sqs:{operation}", "*")]
    name = p["QueueUrl"].rsplit("/", 1)[-1] if p.get("QueueUrl") else p["QueueName"]
    # A batch is allowed by the permission for one message.
    return [Need(f"sqs:{operation.removesuffix('Batch')}", arn("sqs", name))]


def _kinesis(operation: str, p: Parameters) -> list[Need]:
    return [Need(f"kinesis:{operation}", p.get("StreamARN") or arn("kinesis", f"stream/{p['StreamName']}"))]


def _sns(operation: str, p: Parameters) -> list[Need]:
    if operation in ("ListTopics", "ListSubscriptions"):
        return [Need(f"sns:{operation}", "*")]
    return [
        Need(f"sns:{operation.removesuffix('Batch')}", p.get("TopicArn") or p.get("TargetArn") or p["SubscriptionArn"])
    ]


def _events(operation: str, p: Parameters) -> list[Need]:
    def bus(name: str | None) -> str:
        return name if name and name.startswith("arn:") else arn("events", f"event-bus/{name or 'default'}")

    if operation == "PutEvents":
        return [
            Need(
                "events:PutEvents",
                bus(entry.get("EventBusName")),
                {"events:source": entry.get("Source", ""), "events:detail-type": entry.get("DetailType", "")},
            )
            for entry in p["Entries"]
        ]
    if operation == "DescribeEventBus":
        return [Need(f"events:{operation}", bus(p.get("Name")))]
    if p.get("Name") and "Rule" in operation:
        prefix = "" if p.get("EventBusName", "default") == "default" else f"{p['EventBusName']}/"
        return [Need(f"events:{operation}", arn("events", f"rule/{prefix}{p['Name']}"))]
    raise KeyError(operation)


def _ssm(operation: str, p: Parameters) -> list[Need]:
    names = p.get("Names") or [p.get("Name") or p["Path"]]
    return [Need(f"ssm:{operation}", arn("ssm", f"parameter/{name.strip('/')}")) for name in names]


def _lambda(operation: str, p: Parameters) -> list[Need]:
    action = "InvokeFunction" if operation in ("Invoke", "InvokeAsync") else operation
    name = unquote(p["FunctionName"])
    return [Need(f"lambda:{action}", name if name.startswith("arn:") else arn("lambda", f"function:{name}"))]


def _cloudwatch(operation: str, p: Parameters) -> list[Need]:
    context: dict[str, str] = {"cloudwatch:namespace": p["Namespace"]} if p.get("Namespace") else {}
    if p.get("AlarmName") or p.get("AlarmNames"):
        names = p.get("AlarmNames") or [p["AlarmName"]]
        return [Need(f"cloudwatch:{operation}", arn("cloudwatch", f"alarm:{name}"), context) for name in names]
    return [Need(f"cloudwatch:{operation}", "*", context)]


def _scheduler(operation: str, p: Parameters) -> list[Need]:
    group = p.get("GroupName") or "default"
    if operation in ("ListSchedules", "ListScheduleGroups"):
        return [Need(f"scheduler:{operation}", "*")]
    found = [Need(f"scheduler:{operation}", arn("scheduler", f"schedule/{group}/{p['Name']}"))]
    if role := p.get("Target", {}).get("RoleArn"):
        found.append(Need("iam:PassRole", role))
    return found


def _logs(operation: str, p: Parameters) -> list[Need]:
    group = f"log-group:{p['logGroupName']}"
    # Statements about streams end in `log-stream:...`, those about groups in `:*`.
    suffix = f":log-stream:{p['logStreamName']}" if p.get("logStreamName") and operation == "PutLogEvents" else ":*"
    return [Need(f"logs:{operation}", arn("logs", group + suffix))]


def _sts(operation: str, p: Parameters) -> list[Need]:
    return [] if operation == "GetCallerIdentity" else [Need(f"sts:{operation}", p["RoleArn"])]


# Secrets and KMS keys go by names that only their state resolves: `iam_gate` turns those into ARNs.
def _secretsmanager(operation: str, p: Parameters) -> list[Need]:
    if operation in ("GetRandomPassword", "ListSecrets"):
        return [Need(f"secretsmanager:{operation}", "*")]
    if operation == "BatchGetSecretValue":
        listed = [Need("secretsmanager:BatchGetSecretValue", "*")]
        return listed + [Need("secretsmanager:GetSecretValue", arn_of_secret(name)) for name in p["SecretIdList"]]
    name = p["Name"] if operation == "CreateSecret" else p["SecretId"]
    return [Need(f"secretsmanager:{operation}", arn_of_secret(name), {"secretsmanager:SecretId": name})]


def arn_of_secret(name: str) -> str:
    return arn("secretsmanager", name if name.startswith("arn:") else f"secret:{name}")


def _kms(operation: str, p: Parameters) -> list[Need]:
    if operation in ("ListKeys", "ListAliases", "GenerateRandom"):
        return [Need(f"kms:{operation}", "*")]
    name = p["KeyId"]
    return [Need(f"kms:{operation}", arn("kms", name if name.startswith(("alias/", "arn:")) else f"key/{name}"))]


SERVICES: dict[str, Callable[[str, Parameters], list[Need]]] = {
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "kinesis": _kinesis,
    "sns": _sns,
    "events": _events,
    "ssm": _ssm,
    "lambda": _lambda,
    "cloudwatch": _cloudwatch,
    "scheduler": _scheduler,
    "logs": _logs,
    "sts": _sts,
    "secretsmanager": _secretsmanager,
    "kms": _kms,
}
