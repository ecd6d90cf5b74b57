"""Parameters of Systems Manager."""

from typing import Any

from sandbox.engine.resources.registry import LABEL, Made, Properties, handles


@handles(
    "AWS::SSM::Parameter",
    "Name Type Value",
    inert={"Description": LABEL, "Tags": LABEL, "Tier": "a matter of price", "AllowedPattern": "checked by AWS on writing"},
)
def parameter(stack: Any, logical_id: str, p: Properties) -> Made:
    name = p.get("Name", stack.default_name(logical_id))
    stack.aws.client("ssm").put_parameter(Name=name, Type=p["Type"], Value=p["Value"])
    return Made(name, {"Type": p["Type"], "Value": p["Value"]})
