"""People with AWS credentials: a user, or a session of a role, who may do what their statements say."""

from collections.abc import Sequence

from sandbox.engine.aws import Aws
from sandbox.engine.errors import EngineError
from sandbox.engine.permissions import Permissions, Role, Session
from sandbox.engine.policy import Statement
from sandbox.engine.template import ACCOUNT


def signed_in(aws: Aws, permissions: Permissions, arn: str, statements: Sequence[Statement]) -> dict[str, str]:
    """The credentials of an identity, as boto3's clients take them; it is made where it does not exist.

    `arn`: as `sts:GetCallerIdentity` is to answer it, of a user or of a role's session. Raises `EngineError`.
    """
    kind, *rest = arn.rpartition(":")[2].split("/")
    iam = aws.client("iam")
    if kind == "user":
        name = rest[-1]
        permissions.roles[arn] = Role(arn, [], list(statements))
        made = iam.create_user(UserName=name, Path="/".join(["", *rest[:-1], ""]))["User"]["Arn"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        _same(arn, made)
        permissions.sessions[key["AccessKeyId"]] = Session(arn, name)
        return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    role, session = rest
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    permissions.roles[role_arn] = Role(role_arn, [], list(statements))
    answer = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)
    _same(arn, answer["AssumedRoleUser"]["Arn"])
    held = answer["Credentials"]
    permissions.sessions[held["AccessKeyId"]] = Session(role_arn, session)
    return {
        "aws_access_key_id": held["AccessKeyId"],
        "aws_secret_access_key": held["SecretAccessKey"],
        "aws_session_token": held["SessionToken"],
    }


def _same(wanted: str, made: str) -> None:
    if wanted != made:
        raise EngineError(f"{wanted} cannot be made here; it would be {made}")
