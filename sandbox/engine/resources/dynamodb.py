"""DynamoDB tables. Time to live is recorded; nothing expires by itself, as in AWS nothing expires on time."""

from typing import TYPE_CHECKING

from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack

DIRECT = "BillingMode AttributeDefinitions KeySchema GlobalSecondaryIndexes LocalSecondaryIndexes ProvisionedThroughput"


@handles(
    "AWS::DynamoDB::Table",
    f"TableName {DIRECT} DeletionProtectionEnabled TimeToLiveSpecification PointInTimeRecoverySpecification",
    inert={
        "Tags": LABEL,
        "SSESpecification": ENCRYPTION,
        "TableClass": "a matter of price",
        "ContributorInsightsSpecification": "a matter of watching",
    },
)
def table(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("TableName", stack.default_name(logical_id))
    client = stack.aws.client("dynamodb")
    given = {key: p[key] for key in DIRECT.split() if key in p}
    # A parameter is text, and CloudFormation reads "true" in it.
    is_protected = str(p.get("DeletionProtectionEnabled", False)).lower() == "true"
    made = client.create_table(TableName=name, DeletionProtectionEnabled=is_protected, **given)["TableDescription"]
    if "TimeToLiveSpecification" in p:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=p["TimeToLiveSpecification"])
    if "PointInTimeRecoverySpecification" in p:
        specification = p["PointInTimeRecoverySpecification"]
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)
    return Made(name, {"Arn": made["TableArn"]})
