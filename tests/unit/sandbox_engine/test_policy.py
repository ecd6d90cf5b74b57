from typing import Any

import pytest

from sandbox.engine.policy import Access, Verdict, problem, verdict

ROLE = "arn:aws:iam::123456789012:role/mine"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:name-AbCdEf"


def decide(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::b/k",
    principal: str = ROLE,
    **context: str,
) -> Verdict:
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    return verdict(statements, Access(action, resource, principal, keys))


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}


def test_silence_is_not_permission():
    assert decide() is Verdict.SILENT


def test_a_deny_wins_whatever_comes_first():
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}

    assert decide(allow(), deny) is Verdict.DENY
    assert decide(deny, allow()) is Verdict.DENY


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/l", True),
        ("arn:aws:s3:::b", "arn:aws:s3:::b/k", False),
        (SECRET[:-6] + "??????", SECRET, True),
        (SECRET[:-6] + "??????", SECRET + "x", False),
        (SECRET[:-6] + "??????", SECRET[:-7] + "-too-AbCdEf", False),
        ("arn:aws:s3:::a.b", "arn:aws:s3:::axb", False),
    ],
)
def test_a_resource_is_matched_whole(pattern, resource, expected):
    found = decide(allow(Resource=pattern), resource=resource)

    assert (found is Verdict.ALLOW) is expected


def test_actions_ignore_case_and_take_lists():
    assert decide(allow(Action=["S3:getobject"])) is Verdict.ALLOW
    assert decide({"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*"}) is Verdict.ALLOW
    assert decide({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}) is Verdict.SILENT


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"s3:prefix": ["a", "b"]}}, True),
        ({"StringEquals": {"S3:Prefix": "c"}}, False),
        ({"StringLike": {"s3:prefix": "?"}}, True),
        ({"StringNotEquals": {"s3:prefix": ["b", "c"]}}, False),
        ({"StringNotEquals": {"s3:prefix": "c"}}, True),
        ({"StringNotEquals": {"aws:SourceArn": "x"}}, True),
        ({"StringEquals": {"aws:SourceArn": "x"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceArn": "x"}}, True),
        ({"ForAllValues:StringEquals": {"aws:SourceArn": "x"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:SourceArn": "x"}}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:SourceArn": "x"}}, False),
        ({"ForAllValues:StringLike": {"s3:prefix": ["a", "b*"]}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, True),
        ({"Null": {"s3:prefix": True}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"StringEquals": {"s3:prefix": "b"}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ],
)
def test_a_condition_has_to_hold(condition, expected):
    found = decide(allow(Condition=condition), s3__prefix="b", aws__SecureTransport="true")

    assert (found is Verdict.ALLOW) is expected


@pytest.mark.parametrize(
    ("principal", "who", "expected"),
    [
        ("*", "events.amazonaws.com", True),
        ({"Service": "events.amazonaws.com"}, "events.amazonaws.com", True),
        ({"Service": ["sns.amazonaws.com"]}, "events.amazonaws.com", False),
        ({"AWS": ROLE}, ROLE, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, ROLE, True),
        ({"AWS": "123456789012"}, ROLE, True),
        ({"AWS": "arn:aws:iam::999999999999:root"}, ROLE, False),
        ({"AWS": "arn:aws:iam::123456789012:root"}, "events.amazonaws.com", False),
    ],
)
def test_a_principal_is_named_in_several_ways(principal, who, expected):
    assert (decide(allow(Principal=principal), principal=who) is Verdict.ALLOW) is expected


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (allow(NotPrincipal="*"), "NotPrincipal"),
        (allow(Effect="Maybe"), "neither Allow nor Deny"),
        (allow(Resource="arn:aws:s3:::${aws:username}"), "policy variables"),
        (allow(Condition={"DateLessThan": {"aws:SourceArn": "x"}}), "operator DateLessThan"),
        (allow(Condition={"StringEquals": {"aws:username": "x"}}), "key aws:username"),
    ],
)
def test_what_cannot_be_evaluated_is_told(statement, words):
    assert words in (problem(statement) or "")


def test_an_ordinary_statement_has_no_problem():
    assert problem(allow(Condition={"StringEquals": {"secretsmanager:ResourceTag/team": "x"}})) is None
