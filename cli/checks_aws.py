"""Checks of what is deployed: schedules, the reading, queues, alarms, functions, mail, clock, policy. Reads only."""

import io
import json
import zipfile
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from cli.checkup import Check, Finding, Patient, verdict
from governor.policy import Policy
from governor.storage.s3_readings import READING

OLDEST = timedelta(minutes=3)
"""Of the reading: three runs, as the meter itself counts before it says that it is blind."""
SKEW = timedelta(minutes=1)
AT_A_TIME = 100


def schedules(patient: Patient) -> list[Finding]:
    client, problems = patient.clients["scheduler"], []
    names = patient.stack.of_kind("AWS::Scheduler::Schedule")
    for name in names.values():
        state = client.get_schedule(Name=name)["State"]
        if state != "ENABLED":
            problems.append((f"The schedule {name} is {state}", f"Enable it: EventBridge Scheduler, {name}."))
    return verdict("schedules", problems, f"{len(names)} schedules are enabled")


def sweep(patient: Patient) -> list[Finding]:
    bucket = patient.stack.outputs["ReadingBucket"]
    listed = patient.clients["s3"].list_objects_v2(Bucket=bucket, Prefix=READING).get("Contents", [])
    if not listed:
        fix = "Wait two minutes after the first deployment. Then look into the log of spend_meter."
        return [Finding("sweep", "problem", f"There is no reading in {bucket}: no key has been read yet", fix)]
    age = patient.now - listed[0]["LastModified"]
    fix = 'docs/operations.md, "Monitor Blind"; the log of spend_meter names the error.'
    old = [(f"The last reading is {int(age.total_seconds())} seconds old: spend is not metered", fix)]
    return verdict("sweep", old if age > OLDEST else [], f"The last reading is {int(age.total_seconds())} seconds old")


def dead_letters(patient: Patient) -> list[Finding]:
    client, problems = patient.clients["sqs"], []
    every = patient.stack.of_kind("AWS::SQS::Queue").items()
    queues = {name: url for name, url in every if name.endswith("DeadLetters")}
    for name, url in queues.items():
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        held = client.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
        number = sum(int(one) for one in held.values())
        if number:
            problems.append((f"{number} messages lie in {name}", 'docs/operations.md, "Dead letters".'))
    return verdict("dead letters", problems, f"{len(queues)} queues of dead letters are empty")


def alarms(patient: Patient) -> list[Finding]:
    found: dict[str, Any] = {}
    for start in range(0, len(patient.alarms), AT_A_TIME):
        names = patient.alarms[start : start + AT_A_TIME]
        answer = patient.clients["cloudwatch"].describe_alarms(AlarmNames=names, MaxRecords=AT_A_TIME)
        found |= {one["AlarmName"]: one for one in answer["MetricAlarms"]}
    problems = [
        (f"The alarm {name} is gone", "Deploy the stack again: somebody deleted it.")
        for name in patient.alarms
        if name not in found
    ]
    for name, one in found.items():
        if one["StateValue"] == "ALARM":
            what = f"The alarm {name} is raised: {one.get('AlarmDescription', '')}"
            problems.append((what, "See the section that it names."))
        if not one.get("ActionsEnabled", True):
            what = f"The alarm {name} tells nobody: its actions are off"
            problems.append((what, "Enable its actions in CloudWatch."))
    return verdict("alarms", problems, f"{len(found)} alarms are quiet")


def functions(patient: Patient) -> list[Finding]:
    client, problems = patient.clients["lambda"], []
    names = patient.stack.of_kind("AWS::Lambda::Function")
    for logical, name in names.items():
        state = client.get_function_configuration(FunctionName=name)
        if state.get("State", "Active") != "Active" or state.get("LastUpdateStatus", "Successful") == "Failed":
            why = state.get("StateReason") or state.get("LastUpdateStatusReason") or ""
            problems.append((f"The function {name} cannot run. {why}".strip(), "Deploy the stack again."))
        reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        wanted = int(patient.stack.parameters.get("SlackConcurrency") or 0) if logical == "SlackGatewayFunction" else 0
        if reserved != (wanted or None):
            held = "none" if reserved is None else str(reserved)
            fix = f"Set it to {wanted or 'none'} (Lambda, Concurrency), or deploy the stack again."
            problems.append((f"The function {name} has a reserved concurrency of {held}, not {wanted or 'none'}", fix))
    return verdict("functions", problems, f"{len(names)} functions can run")


def mail(patient: Patient) -> list[Finding]:
    topic = patient.stack.outputs["AlertTopicArn"]
    found = patient.clients["sns"].list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    if not found:
        fix = "Deploy with AlertEmail, or subscribe to the output AlertTopicArn."
        return [Finding("mail", "problem", "Nobody hears the alarms: the alert topic has no subscription", fix)]
    waiting = [one["Endpoint"] for one in found if not one["SubscriptionArn"].startswith("arn:")]
    problems = [
        (f"{one} has not confirmed the subscription, so it hears no alarm", "Click the link in AWS's mail to it.")
        for one in waiting
    ]
    return verdict("mail", problems, f"{len(found)} subscriptions to the alert topic are confirmed")


def clock(patient: Patient) -> list[Finding]:
    answer = patient.clients["sts"].get_caller_identity()
    there = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    off = abs(patient.now - there)
    what = f"This machine's clock differs from AWS's by {int(off.total_seconds())} seconds"
    fix = "Set the clock (NTP). Orders from a clock that is five minutes off are not believed."
    return verdict("clock", [(what, fix)] if off > SKEW else [], what)


def policy(patient: Patient) -> list[Finding]:
    client = patient.clients["lambda"]
    name = patient.stack.of_kind("AWS::Lambda::Function")["SpendMeterFunction"]
    layers = [one["Arn"] for one in client.get_function_configuration(FunctionName=name).get("Layers", [])]
    mine = [arn for arn in layers if arn.split(":")[-2].endswith("-policy")]
    if not mine:
        fix = "Deploy the stack again."
        return [Finding("policy", "problem", f"The function {name} has no layer with a policy", fix)]
    layer, _, version = mine[0].rpartition(":")
    location = client.get_layer_version(LayerName=layer, VersionNumber=int(version))["Content"]["Location"]
    answer = patient.session.outside.web(httpx.Request("GET", location))
    answer.raise_for_status()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (held,) = (one for one in archive.namelist() if one.endswith("governor_policy/policy.json"))
        deployed = Policy.model_validate(json.loads(archive.read(held)))
    ours, theirs = (one.model_dump(mode="json", by_alias=True) for one in (patient.policy, deployed))
    differing = sorted(part for part in ours if ours[part] != theirs.get(part))
    what = f"The policy that is deployed differs from the one in the folder in: {', '.join(differing)}"
    fix = "Deploy the folder's policy (make build, sam deploy), or check out the version that is deployed."
    return verdict("policy", [(what, fix)] if differing else [], "The policy that is deployed is the one in the folder")


CHECKS: dict[str, Check] = {
    "schedules": schedules,
    "sweep": sweep,
    "dead letters": dead_letters,
    "alarms": alarms,
    "functions": functions,
    "mail": mail,
    "clock": clock,
    "policy": policy,
}
CLIENTS = ("scheduler", "s3", "sqs", "cloudwatch", "lambda", "sns", "sts", "secretsmanager")
