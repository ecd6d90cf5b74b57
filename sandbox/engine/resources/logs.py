"""Log groups and metric filters: kept by moto. What functions print is read with `engine.logs`, not from here."""

from typing import TYPE_CHECKING

from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::Logs::LogGroup",
    "LogGroupName RetentionInDays",
    inert={"Tags": LABEL, "KmsKeyId": ENCRYPTION, "LogGroupClass": "a matter of price"},
)
def log_group(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("LogGroupName", stack.default_name(logical_id))
    client = stack.aws.client("logs")
    client.create_log_group(logGroupName=name)
    if "RetentionInDays" in p:
        client.put_retention_policy(logGroupName=name, retentionInDays=int(p["RetentionInDays"]))
    return Made(name, {"Arn": stack.arn("logs", f"log-group:{name}:*")})


@handles("AWS::Logs::MetricFilter", "FilterName LogGroupName FilterPattern MetricTransformations")
def metric_filter(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("FilterName", stack.default_name(logical_id))
    transformations = [
        {key[0].lower() + key[1:]: value for key, value in one.items()} for one in p["MetricTransformations"]
    ]
    stack.aws.client("logs").put_metric_filter(
        filterName=name,
        logGroupName=p["LogGroupName"],
        filterPattern=p["FilterPattern"],
        metricTransformations=transformations,
    )
    return Made(name)
