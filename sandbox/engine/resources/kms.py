"""KMS keys and aliases; a key's policy is enforced together with the caller's role."""

import json
from typing import TYPE_CHECKING

from sandbox.engine.permissions import checked
from sandbox.engine.resources.registry import LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::KMS::Key",
    "KeyPolicy KeySpec KeyUsage",
    inert={
        "Description": LABEL,
        "Tags": LABEL,
        "Enabled": "keys here are never disabled",
        "EnableKeyRotation": "key material here is not rotated",
        "PendingWindowInDays": "keys here are never deleted",
    },
)
def key(stack: "Stack", logical_id: str, p: Properties) -> Made:
    statements = checked(p["KeyPolicy"], logical_id, "AWS::KMS::Key")
    given = {name: p[name] for name in ("KeySpec", "KeyUsage") if name in p}
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    made = stack.aws.client("kms").create_key(Policy=document, **given)["KeyMetadata"]
    # In a key's policy `*` is the key it belongs to.
    stack.permissions.add_resource_policy(made["Arn"], statements)
    return Made(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


@handles("AWS::KMS::Alias", "AliasName TargetKeyId")
def alias(stack: "Stack", logical_id: str, p: Properties) -> Made:
    stack.aws.client("kms").create_alias(AliasName=p["AliasName"], TargetKeyId=p["TargetKeyId"])
    return Made(p["AliasName"])
