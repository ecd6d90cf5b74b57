"""Roles and policies: moto keeps the roles, the engine keeps (and enforces) what they allow."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.engine.errors import DeploymentFailed
from sandbox.engine.permissions import Role, checked, managed_policy
from sandbox.engine.resources.registry import LABEL, Made, Properties, handles
from sandbox.engine.template import ACCOUNT

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::IAM::Role",
    "RoleName Path AssumeRolePolicyDocument Policies.PolicyName Policies.PolicyDocument ManagedPolicyArns",
    inert={"Description": LABEL, "Tags": LABEL, "MaxSessionDuration": "sessions here do not expire"},
)
def role(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name, path = p.get("RoleName", stack.default_name(logical_id)), p.get("Path", "/")
    trust = checked(p["AssumeRolePolicyDocument"], logical_id, "AWS::IAM::Role")
    client = stack.aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    made = client.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)["Role"]
    found = Role(made["Arn"], trust)
    for inline in p.get("Policies", []):
        found.statements += checked(inline["PolicyDocument"], logical_id, "AWS::IAM::Role")
    for arn in p.get("ManagedPolicyArns", []):
        found.statements += stack.managed_policies.get(arn) or managed_policy(arn, logical_id)
    stack.permissions.roles[found.arn] = found
    return Made(name, {"Arn": found.arn, "RoleId": made["RoleId"]})


@handles("AWS::IAM::Policy", "PolicyName PolicyDocument Roles")
def policy(stack: "Stack", logical_id: str, p: Properties) -> Made:
    _attach(stack, logical_id, "AWS::IAM::Policy", p)
    return Made(p["PolicyName"])


@handles("AWS::IAM::ManagedPolicy", "ManagedPolicyName Path PolicyDocument Roles", inert={"Description": LABEL})
def managed(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("ManagedPolicyName", stack.default_name(logical_id))
    arn = f"arn:aws:iam::{ACCOUNT}:policy{p.get('Path', '/')}{name}"
    stack.managed_policies[arn] = _attach(stack, logical_id, "AWS::IAM::ManagedPolicy", p)
    return Made(arn, {"PolicyArn": arn})


def _attach(stack: "Stack", logical_id: str, kind: str, p: Properties) -> list[Any]:
    statements = checked(p["PolicyDocument"], logical_id, kind)
    by_name = {arn.rpartition("/")[2]: found for arn, found in stack.permissions.roles.items()}
    for name in p.get("Roles", []):
        if name not in by_name:
            raise DeploymentFailed(logical_id, f"role {name} does not exist")
        by_name[name].statements += statements
    return statements
