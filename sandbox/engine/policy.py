"""IAM policy statements: checked when the stack is deployed, evaluated at every call.

moto's own evaluation has no `?` and takes an unmet condition of an Allow for a Deny; this one replaces it.
Source: IAM User Guide, "Policy evaluation logic" and "Condition operators". What it does not know is an error at
deployment, never ignored.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]
Context = Mapping[str, str | list[str]]

ELEMENTS = frozenset(["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"])
CONDITION_KEYS = frozenset(
    [
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:securetransport",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:requestedregion",
        "cloudwatch:namespace",
        "dynamodb:leadingkeys",
        "events:source",
        "events:detail-type",
        "s3:prefix",
        "secretsmanager:secretid",
        "lambda:functionurlauthtype",
        "lambda:invokedviafunctionurl",
    ]
)
TAG_KEYS = ("aws:resourcetag/", "secretsmanager:resourcetag/")


class Verdict(Enum):
    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True)
class Access:
    """One thing asked for: an action on a resource, by a principal (a role's ARN, or `events.amazonaws.com`)."""

    action: str
    resource: str
    principal: str
    context: Context = field(default_factory=dict)


def statements(document: Mapping[str, Any]) -> list[Statement]:
    found = document["Statement"]
    return [found] if isinstance(found, Mapping) else list(found)


def problem(statement: Statement) -> str | None:
    """What of a statement cannot be evaluated here, in words; None when all of it can."""
    if unknown := sorted(set(statement) - ELEMENTS):
        return f"element {unknown[0]} of a policy statement is not evaluated"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "a policy statement's Effect is neither Allow nor Deny"
    for name in ("Resource", "NotResource"):
        if any("${" in resource for resource in _list(statement.get(name, []))):
            return f"policy variables in {name} are not evaluated"
    for name, keys in statement.get("Condition", {}).items():
        if _plain(name)[1] not in OPERATORS:
            return f"condition operator {name} is not evaluated"
        for key in keys:
            if key.lower() not in CONDITION_KEYS and not key.lower().startswith(TAG_KEYS):
                return f"condition key {key} is not evaluated"
    return None


def verdict(found: Iterable[Statement], access: Access) -> Verdict:
    """What a policy says of an access. An explicit Deny wins, silence is not permission."""
    result = Verdict.SILENT
    for statement in found:
        if _concerns(statement, access):
            if statement["Effect"] == "Deny":
                return Verdict.DENY
            result = Verdict.ALLOW
    return result


def _concerns(statement: Statement, access: Access) -> bool:
    return (
        _principal(statement, access.principal)
        and _listed(statement, "Action", access.action, ignore_case=True)
        and _listed(statement, "Resource", access.resource)
        and all(
            _condition(operator, key, _list(wanted), access.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _principal(statement: Statement, principal: str) -> bool:
    wanted = statement.get("Principal", "*")
    if wanted == "*":
        return True
    names = [name for kind in wanted.values() for name in _list(kind)]
    if "*" in names or principal in names:
        return True
    account = principal.split(":")[4] if principal.startswith("arn:") else None
    return account is not None and (account in names or f"arn:aws:iam::{account}:root" in names)


def _listed(statement: Statement, element: str, value: str, *, ignore_case: bool = False) -> bool:
    if f"Not{element}" in statement:
        return not any(like(one, value, ignore_case=ignore_case) for one in _list(statement[f"Not{element}"]))
    # A trust policy has no Resource: it is about the role it belongs to.
    return any(like(one, value, ignore_case=ignore_case) for one in _list(statement.get(element, "*")))


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `value` is what `pattern` describes; `*` is any run of characters and `?` any one."""
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = re.split(r"([*?])", pattern)
    text = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _condition(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, name, if_exists = _plain(operator)
    held = next((value for known, value in context.items() if known.lower() == key.lower()), None)
    if name == "Null":
        return all((str(one).lower() == "true") == (held is None) for one in wanted)
    negated = name.startswith(("StringNot", "ArnNot"))
    if held is None:
        # A key that is not there matches nothing; AWS lets negated operators, IfExists and ForAllValues pass, and
        # ForAnyValue never.
        return quantifier != "ForAnyValue" and (negated or if_exists or quantifier == "ForAllValues")
    test = OPERATORS[name]
    results = [any(test(str(one), value) for one in wanted) for value in _list(held)]
    if negated:
        results = [not result for result in results]
    return any(results) if quantifier == "ForAnyValue" else all(results)


def _plain(operator: str) -> tuple[str, str, bool]:
    quantifier, _, name = operator.rpartition(":")
    return quantifier, name.removesuffix("IfExists"), name.endswith("IfExists")


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _equal(wanted: str, value: str) -> bool:
    return wanted == value


def _equal_ignoring_case(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


# A negated operator is tested as its positive form; `_condition` turns the answer round.
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": like,
    "StringNotLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "ArnNotEquals": like,
    "ArnNotLike": like,
    "Bool": _equal_ignoring_case,
    "Null": _equal,
}
