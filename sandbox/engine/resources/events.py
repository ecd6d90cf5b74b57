"""Event buses, rules and archives. Rules are kept by moto and carried out by `sandbox.engine.bus`."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.engine import pattern, schedule
from sandbox.engine.api_destination import ApiDestination, Connection
from sandbox.engine.errors import UnsupportedTemplate
from sandbox.engine.permissions import checked
from sandbox.engine.resources.registry import AT_ONCE, ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack

# AWS puts an id behind each name.
NUMBER = "00000000-0000-4000-8000-000000000000"
TARGET = "Id Arn RoleArn Input InputPath InputTransformer.InputPathsMap InputTransformer.InputTemplate"


@handles("AWS::Events::EventBus", "Name", inert={"Description": LABEL, "Tags": LABEL, "KmsKeyIdentifier": ENCRYPTION})
def event_bus(stack: "Stack", logical_id: str, p: Properties) -> Made:
    arn = stack.aws.client("events").create_event_bus(Name=p["Name"])["EventBusArn"]
    return Made(p["Name"], {"Arn": arn, "Name": p["Name"]})


@handles(
    "AWS::Events::Rule",
    "Name EventBusName EventPattern ScheduleExpression State Targets.DeadLetterConfig.Arn Targets.SqsParameters "
    "Targets.RetryPolicy " + " ".join(f"Targets.{name}" for name in TARGET.split()),
    inert={"Description": LABEL, "Tags": LABEL},
)
def rule(stack: "Stack", logical_id: str, p: Properties) -> Made:
    client = stack.aws.client("events")
    name = p.get("Name", stack.default_name(logical_id))
    bus = {"EventBusName": p["EventBusName"]} if "EventBusName" in p else {}
    given: dict[str, Any] = {key: p[key] for key in ("ScheduleExpression", "State") if key in p}
    try:
        if "EventPattern" in p:
            pattern.check(p["EventPattern"])
            given["EventPattern"] = json.dumps(p["EventPattern"])
        if "ScheduleExpression" in p:
            schedule.parse(p["ScheduleExpression"])
    except ValueError as error:
        raise UnsupportedTemplate(logical_id, "AWS::Events::Rule", str(error)) from error
    arn = client.put_rule(Name=name, **bus, **given)["RuleArn"]
    if targets := p.get("Targets", []):
        client.put_targets(Rule=name, **bus, Targets=targets)
    stack.dead_letters.update(target["DeadLetterConfig"]["Arn"] for target in targets if "DeadLetterConfig" in target)
    stack.schedules[name] = logical_id
    return Made(name, {"Arn": arn})


@handles(
    "AWS::Events::Connection",
    "Name AuthorizationType AuthParameters.ApiKeyAuthParameters AuthParameters.InvocationHttpParameters",
    inert={"Description": LABEL, "KmsKeyIdentifier": ENCRYPTION},
)
def connection(stack: "Stack", logical_id: str, p: Properties) -> Made:
    if p["AuthorizationType"] != "API_KEY":
        raise UnsupportedTemplate(logical_id, "AWS::Events::Connection", "only API_KEY is honoured")
    given = p["AuthParameters"]
    key, added = given["ApiKeyAuthParameters"], given.get("InvocationHttpParameters", {})
    headers, query, body = (
        {one["Key"]: one["Value"] for one in added.get(f"{place}Parameters", [])}
        for place in ("Header", "QueryString", "Body")
    )
    name = p.get("Name", stack.default_name(logical_id))
    arn = stack.arn("events", f"connection/{name}/{NUMBER}")
    stack.connections[arn] = Connection({**headers, key["ApiKeyName"]: key["ApiKeyValue"]}, query, body)
    return Made(name, {"Arn": arn})


@handles(
    "AWS::Events::ApiDestination",
    "Name ConnectionArn HttpMethod InvocationEndpoint",
    inert={"Description": LABEL, "InvocationRateLimitPerSecond": AT_ONCE},
)
def api_destination(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("Name", stack.default_name(logical_id))
    arn = stack.arn("events", f"api-destination/{name}/{NUMBER}")
    made = ApiDestination(p["InvocationEndpoint"], p["HttpMethod"], stack.connections[p["ConnectionArn"]])
    stack.destinations[arn] = made
    return Made(name, {"Arn": arn})


@handles("AWS::Events::Archive", "ArchiveName SourceArn EventPattern RetentionDays", inert={"Description": LABEL})
def archive(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("ArchiveName", stack.default_name(logical_id, 48))
    given: dict[str, Any] = {"RetentionDays": int(p["RetentionDays"])} if "RetentionDays" in p else {}
    if "EventPattern" in p:
        given["EventPattern"] = json.dumps(p["EventPattern"])
    client = stack.aws.client("events")
    arn = client.create_archive(ArchiveName=name, EventSourceArn=p["SourceArn"], **given)["ArchiveArn"]
    return Made(name, {"Arn": arn, "ArchiveName": name})


@handles("AWS::Events::EventBusPolicy", "EventBusName StatementId Statement")
def event_bus_policy(stack: "Stack", logical_id: str, p: Properties) -> Made:
    statements = checked({"Statement": p["Statement"]}, logical_id, "AWS::Events::EventBusPolicy")
    arn = stack.arn("events", f"event-bus/{p.get('EventBusName', 'default')}")
    stack.permissions.add_resource_policy(arn, statements)
    return Made(p["StatementId"])
