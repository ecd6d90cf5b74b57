"""Who may do what: every role's policies, every resource's policy, and the sessions handed to workers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from sandbox.engine.errors import UnsupportedTemplate
from sandbox.engine.policy import Access, Context, Statement, Verdict, problem, statements, verdict
from sandbox.engine.template import ACCOUNT

LAMBDA = "lambda.amazonaws.com"
EVENTS = "events.amazonaws.com"
SNS = "sns.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"


@dataclass
class Role:
    arn: str
    trust: list[Statement]
    statements: list[Statement] = field(default_factory=list)


@dataclass(frozen=True)
class Session:
    """Credentials of a role, and whose they are (a function's logical id)."""

    role_arn: str
    holder: str


class Permissions:
    """Answers for roles (identity and resource policy together) and for AWS services (resource policy alone)."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self.sessions: dict[str, Session] = {}
        self._resources: dict[str, list[Statement]] = {}

    def add_resource_policy(self, arn: str, found: Iterable[Statement]) -> None:
        self._resources.setdefault(arn, []).extend(found)

    def role_may(self, role_arn: str, action: str, resource: str, context: Context | None = None) -> bool:
        access = Access(action, resource, role_arn, {**_always(role_arn), **(context or {})})
        identity = verdict(self.roles[role_arn].statements, access) if role_arn in self.roles else Verdict.SILENT
        attached = self._resource_policy(resource)
        resourced = verdict(attached, access)
        if Verdict.DENY in (identity, resourced):
            return False
        if action.startswith("kms:"):
            # A key's policy has the last word: without its allow, an identity policy counts for nothing.
            return resourced is Verdict.ALLOW and (identity is Verdict.ALLOW or _names(attached, role_arn))
        return identity is Verdict.ALLOW or (resourced is Verdict.ALLOW and _names(attached, role_arn))

    def service_may(self, service: str, action: str, resource: str, context: Context) -> bool:
        access = Access(action, resource, service, {"aws:SourceAccount": ACCOUNT, **context})
        return verdict(self._resource_policy(resource), access) is Verdict.ALLOW

    def anyone_may(self, action: str, resource: str, context: Context) -> bool:
        return verdict(self._resource_policy(resource), Access(action, resource, "*", context)) is Verdict.ALLOW

    def assumable(self, role_arn: str, service: str) -> bool:
        """Whether the role's trust policy lets a service take the role on."""
        access = Access("sts:AssumeRole", role_arn, service, {"aws:SourceAccount": ACCOUNT})
        return role_arn in self.roles and verdict(self.roles[role_arn].trust, access) is Verdict.ALLOW

    def _resource_policy(self, resource: str) -> list[Statement]:
        if resource.startswith("arn:aws:s3:::"):
            return self._resources.get(resource.partition("/")[0], [])
        return self._resources.get(resource, [])


def checked(document: Mapping[str, Any], logical_id: str, kind: str) -> list[Statement]:
    """A policy document's statements; `UnsupportedTemplate` when one holds what is not evaluated here."""
    found = statements(document)
    for statement in found:
        if words := problem(statement):
            raise UnsupportedTemplate(logical_id, kind, words)
    return found


def managed_policy(arn: str, logical_id: str) -> list[Statement]:
    """The statements of one of AWS's own policies."""
    document = _aws_managed().get(arn.partition(":policy/")[2].rpartition("/")[2])
    if document is None:
        raise UnsupportedTemplate(logical_id, "AWS::IAM::Role", f"managed policy {arn} is not known")
    return statements(document)


@cache
def _aws_managed() -> dict[str, Any]:
    return {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}


def _always(role_arn: str) -> dict[str, str]:
    # The sandbox stands for AWS's TLS endpoints, though its own are plain HTTP on the loopback.
    return {
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": role_arn,
        "aws:PrincipalAccount": ACCOUNT,
        "aws:RequestedRegion": "us-east-1",
    }


def _names(found: list[Statement], role_arn: str) -> bool:
    """Whether a resource policy allows this very role, not just its account (which leaves it to identity policies)."""
    return any(
        role_arn in (names if isinstance(names, list) else [names])
        for statement in found
        if statement["Effect"] == "Allow" and isinstance(statement.get("Principal"), Mapping)
        for names in statement["Principal"].values()
    )
