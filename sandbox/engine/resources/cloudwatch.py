"""Alarms and dashboards: kept by moto, so that they can be read back; alarms are not evaluated."""

from typing import TYPE_CHECKING

from sandbox.engine.resources.registry import LABEL, Made, Properties, active, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::CloudWatch::Alarm",
    """AlarmName AlarmDescription Namespace MetricName Dimensions Statistic ExtendedStatistic Period EvaluationPeriods
    DatapointsToAlarm Threshold ComparisonOperator TreatMissingData AlarmActions OKActions InsufficientDataActions
    ActionsEnabled Unit Metrics""",
    inert={"Tags": LABEL},
)
def alarm(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("AlarmName", stack.default_name(logical_id))
    numbers = {key: int(p[key]) for key in ("Period", "EvaluationPeriods", "DatapointsToAlarm") if key in p}
    threshold = {"Threshold": float(p["Threshold"])} if "Threshold" in p else {}
    given = active("AWS::CloudWatch::Alarm", p) | {"AlarmName": name}
    stack.aws.client("cloudwatch").put_metric_alarm(**(given | numbers | threshold))
    return Made(name, {"Arn": stack.arn("cloudwatch", f"alarm:{name}")})


@handles("AWS::CloudWatch::Dashboard", "DashboardName DashboardBody")
def dashboard(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("DashboardName", stack.default_name(logical_id))
    stack.aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=p["DashboardBody"])
    return Made(name)
