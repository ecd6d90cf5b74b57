"""Schedules and their groups: kept by moto, fired by `sandbox.engine.scheduler`."""

from typing import TYPE_CHECKING

from sandbox.engine import schedule as expressions
from sandbox.engine.errors import DeploymentFailed, UnsupportedTemplate
from sandbox.engine.permissions import SCHEDULER
from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, active, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack

KIND = "AWS::Scheduler::Schedule"
SERVICES = ("lambda", "sqs", "sns", "events")


@handles(
    KIND,
    """Name GroupName ScheduleExpression ScheduleExpressionTimezone State StartDate EndDate FlexibleTimeWindow
    Target.Arn Target.RoleArn Target.Input Target.DeadLetterConfig.Arn Target.SqsParameters Target.EventBridgeParameters
    Target.RetryPolicy.MaximumEventAgeInSeconds Target.RetryPolicy.MaximumRetryAttempts""",
    inert={"Description": LABEL, "KmsKeyArn": ENCRYPTION},
)
def schedule(stack: "Stack", logical_id: str, p: Properties) -> Made:
    """A flexible window is used at its very start, which AWS may do too."""
    name, target = p.get("Name", stack.default_name(logical_id)), p["Target"]
    if target["Arn"].split(":")[2] not in SERVICES:
        raise UnsupportedTemplate(logical_id, KIND, f"target {target['Arn']} is not honoured")
    try:
        expressions.parse(p["ScheduleExpression"], p.get("ScheduleExpressionTimezone", "UTC"))
    except (ValueError, KeyError) as error:
        raise UnsupportedTemplate(logical_id, KIND, str(error)) from error
    stack.afterwards(lambda: _assumable(stack, logical_id, target["RoleArn"]))
    if "DeadLetterConfig" in target:
        stack.dead_letters.add(target["DeadLetterConfig"]["Arn"])
    if retry := target.get("RetryPolicy"):
        target["RetryPolicy"] = {key: int(value) for key, value in retry.items()}
    given = active(KIND, p) | {"Name": name}
    arn = stack.aws.client("scheduler").create_schedule(**given)["ScheduleArn"]
    stack.schedules[name] = logical_id
    return Made(name, {"Arn": arn})


@handles("AWS::Scheduler::ScheduleGroup", "Name", inert={"Tags": LABEL})
def schedule_group(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("Name", stack.default_name(logical_id))
    arn = stack.aws.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
    return Made(name, {"Arn": arn})


def _assumable(stack: "Stack", logical_id: str, role_arn: str) -> None:
    if not stack.permissions.assumable(role_arn, SCHEDULER):
        raise DeploymentFailed(logical_id, f"{SCHEDULER} cannot assume {role_arn}")
