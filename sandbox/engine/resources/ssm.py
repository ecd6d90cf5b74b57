"""Parameters of Systems Manager."""

from typing import TYPE_CHECKING

from sandbox.engine.resources.registry import LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::SSM::Parameter",
    "Name Type Value",
    inert={
        "Description": LABEL,
        "Tags": LABEL,
        "Tier": "a matter of price",
        "AllowedPattern": "AWS checks it on writing",
    },
)
def parameter(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("Name", stack.default_name(logical_id))
    stack.aws.client("ssm").put_parameter(Name=name, Type=p["Type"], Value=p["Value"])
    return Made(name, {"Type": p["Type"], "Value": p["Value"]})
