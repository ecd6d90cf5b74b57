from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from governor.policy import Policy, lineage_name, parse_duration

PRESET = {"slug": "a", "from": "s", "to": "p", "from_secret": "openrouter/s", "to_secret": "openrouter/p"}
TWO = ["U0LEAD", "U0SEC"]


def _workload(name: str = "prod-search-agent", **fields: Any) -> dict[str, Any]:
    return {"name": name, "workspace": "platform-production", "owner": {"slack": "U0SEARCH"}, **fields}


def _golden(*names: str, **asserted: Any) -> dict[str, Any]:
    cases = [{"name": name, "prompt": "p", **asserted} for name in names or ("case",)]
    return {**PRESET, "approvers": TWO, "checks": {"golden": {"usd": 1, "cases": cases}}}


def _policy(**fields: Any) -> Policy:
    return Policy.model_validate({"version": 1, **fields})


def test_a_policy_survives_being_compiled_to_json() -> None:
    policy = _policy(
        workloads=[
            _workload(
                secret="openrouter/search", rotation={"every": "60d"}, key={"limit_usd": 200, "expires_in": "90d"}
            )
        ],
        presets=[{**PRESET, "approvers": TWO}],
    )
    assert Policy.model_validate_json(policy.model_dump_json(by_alias=True, exclude_none=True)) == policy


def test_a_workload_keeps_the_defaults_where_it_declares_nothing() -> None:
    policy = _policy(
        defaults={"budget": {"alert_at": [0.9]}, "runaway": {"mode": "alert"}},
        workloads=[_workload(runaway={"mode": "disable"})],
    )
    limits = policy.for_subject("prod-search-agent")
    assert (limits.runaway.mode, limits.budget.alert_at) == ("disable", (0.9,))
    assert policy.for_subject("f" * 64) == policy.defaults


@pytest.mark.parametrize(("text", "value"), [("60d", timedelta(days=60)), ("15m", timedelta(minutes=15))])
def test_a_duration_is_a_number_and_a_unit(text: str, value: timedelta) -> None:
    assert parse_duration(text) == value


@pytest.mark.parametrize("text", ["", "60", "0d", "1.5h", "-1d", "60 d", "60y", 60, None])
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"workloads": [_workload(), _workload()]}, "workload declared twice: prod-search-agent"),
        ({"workloads": [_workload("a1", secret="s"), _workload("b1", secret="s")]}, "secret declared twice"),
        (
            {"workloads": [_workload("a1", key={"adopts": "k"}), _workload("b1", key={"adopts": "k"})]},
            "key declared twice: k",
        ),
        ({"workloads": [_workload("a1"), _workload("b1", key={"adopts": "a1"})]}, "key declared twice: a1"),
        ({"workloads": [_workload(tier=9)]}, "tier"),
        ({"workloads": [_workload(colour="red")]}, "colour"),
        ({"presets": [{**PRESET, "approvers": []}]}, "approvers"),
        ({"presets": [{**PRESET, "approvers": ["U0LEAD"], "approvals": 2}]}, "more than there are approvers"),
        (
            {"presets": [{**PRESET, "approvers": ["U0LEAD", "U0LEAD"]}]},
            "preset a: a version whose author is unknown needs 2 approvals, but approvers names only 1. Name another",
        ),
        ({"people": {"U0LEAD": "user_a", "U0SEC": "user_a"}}, "user_a is U0LEAD already"),
        ({"people": {"U0LEAD": "ana@example.org"}}, "people.U0LEAD"),
        ({"people": {"ana": "user_a"}}, "people.ana"),
        (
            {"presets": [{**PRESET, "approvers": TWO, "to_secret": "openrouter/s"}]},
            "must not be from_secret",
        ),
        ({"presets": [_golden()]}, "asserts nothing"),
        ({"presets": [_golden(regex="(")]}, "regex"),
        ({"presets": [_golden("a", "a", contains=["x"])]}, "a name of its own"),
        ({"presets": [_golden(contains=["x"], colour="red")]}, "colour"),
        ({"presets": [{**PRESET, "approvers": TWO, "smoke": {"max_tokens": 1}}]}, "max_tokens"),
        ({"approvals": {"channel": "C0GOV", "approvers": ["lead"]}}, "approvers"),
        ({"approvals": {"channel": "C0GOV", "approvers": ["U0LEAD"], "disable_by": "anybody"}}, "disable_by"),
        ({"approvals": {"channel": "C0GOV", "approvers": ["U0LEAD"], "disable_by": None}}, "disable_by"),
        ({"account": {"base_url": "http://openrouter.ai/api/v1"}}, "base_url"),
        ({"version": 2}, "version"),
    ],
)
def test_a_policy_that_does_not_hold_is_refused_by_name(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        _policy(**fields)


def test_a_name_in_an_event_is_believed_only_where_the_policy_says_so() -> None:
    approvals = {"channel": "C0GOV", "approvers": ["U0LEAD"]}
    assert not _policy().believes_events
    assert not _policy(approvals=approvals).believes_events
    assert _policy(approvals={**approvals, "by_event": True}).believes_events


def test_who_may_disable_by_hand_is_any_member_but_of_tier_zero_unless_the_policy_says_less() -> None:
    workload = _workload(owner={"slack": "U0OWNER"})
    named = {
        by: _policy(workloads=[workload], approvals={"channel": "C0GOV", "approvers": ["U0LEAD"], "disable_by": by})
        for by in ("members", "owners", "approvers")
    }
    default = _policy(workloads=[workload], approvals={"channel": "C0GOV", "approvers": ["U0LEAD"]})
    assert default == named["members"]
    assert {by: [tier for tier in range(4) if policy.any_member_may_disable(tier)] for by, policy in named.items()} == {
        "members": [1, 2, 3], "owners": [], "approvers": [],
    }  # fmt: skip
    (declared,) = default.workloads
    assert {by: (policy.may_disable(declared), policy.may_disable(None)) for by, policy in named.items()} == {
        "members": (("U0OWNER", "U0LEAD"), ("U0LEAD",)),
        "owners": (("U0OWNER", "U0LEAD"), ("U0LEAD",)),
        "approvers": (("U0LEAD",), ("U0LEAD",)),
    }
    silent = _policy(workloads=[workload])
    assert (silent.may_disable(declared), silent.may_disable(None)) == (("U0OWNER",), ())
    assert [silent.any_member_may_disable(tier) for tier in range(2)] == [False, True]


def test_an_adopted_key_is_of_the_lineage_that_adopts_it_whatever_its_name() -> None:
    policy = _policy(workloads=[_workload("prod-agent", key={"adopts": "made by hand #1"})])
    assert policy.lineage_of("made by hand #1") == policy.lineage_of("prod-agent#20260105-a1b2-1") == "prod-agent"
    assert policy.lineage_of("made by hand ") == "made by hand "


def test_every_key_of_a_lineage_bears_its_workloads_name() -> None:
    assert lineage_name("prod-search-agent#2026-01-05-a1b2") == lineage_name("prod-search-agent") == "prod-search-agent"


def test_a_preset_with_one_approver_must_say_that_one_will_do_for_an_unknown_author() -> None:
    (preset,) = _policy(presets=[{**PRESET, "approvers": ["U0LEAD"], "approvals_if_author_unknown": 1}]).presets
    assert (preset.approvals, preset.approvals_if_author_unknown) == (1, 1)


def test_the_policy_says_who_an_openrouter_user_is_in_slack() -> None:
    policy = _policy(people={"U0LEAD": "user_a", "U0SEC": "user_b"})
    assert (policy.slack_user_of("user_b"), policy.slack_user_of("user_c")) == ("U0SEC", None)


LEAD_AWS = "arn:aws:iam::123456789012:user/lead"
SSO = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Operators_0123456789abcdef"


def test_the_policy_says_whose_an_aws_identity_is() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/lead-only"
    policy = _policy(people={
        "U0LEAD": {"openrouter": "user_a", "aws": [LEAD_AWS, f"{role}/*"]}, "U0SEC": {"aws": [f"{SSO}/sec@x.org"]},
    })  # fmt: skip
    assert policy.slack_user_of("user_a") == "U0LEAD"
    known = {LEAD_AWS: "U0LEAD", f"{role}/any": "U0LEAD", f"{SSO}/sec@x.org": "U0SEC"}
    assert {arn: policy.person_of(arn) for arn in known} == known
    for arn in (
        f"{LEAD_AWS}x",
        f"{role}2/any",
        f"{SSO}/lead@x.org",
        "arn:aws:iam::210987654321:user/lead",
        f"{role}/a/b",
        "",
    ):
        assert policy.person_of(arn) is None, arn


@pytest.mark.parametrize(
    ("identity", "named"),
    [
        ("arn:aws:iam::123456789012:root", "not an AWS identity of one person"),
        ("arn:aws:iam::123456789012:role/lead", "not an AWS identity of one person"),
        ("arn:aws:iam::123456789012:user/*", "not an AWS identity of one person"),
        ("arn:aws:sts::123456789012:federated-user/lead", "not an AWS identity of one person"),
        ("arn:aws:sts::123456789012:assumed-role/*/lead", "not an AWS identity of one person"),
        ("arn:aws:sts::123456789012:assumed-role/operators/lead", "chooses the name of the session"),
        (f"{SSO}/*", "everybody who has this permission set"),
        ("lead", "not an AWS identity of one person"),
    ],
)
def test_an_identity_that_more_than_one_person_can_have_is_refused(identity: str, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        _policy(people={"U0LEAD": {"aws": [identity]}})


def test_an_identity_of_two_people_is_refused() -> None:
    with pytest.raises(ValidationError, match="is U0LEAD already; each AWS identity is one Slack user"):
        _policy(people={"U0LEAD": {"aws": [LEAD_AWS]}, "U0SEC": {"aws": [LEAD_AWS]}})


def test_people_survive_the_compilation() -> None:
    policy = _policy(people={"U0LEAD": "user_a", "U0SEC": {"aws": [LEAD_AWS]}})
    assert type(policy).model_validate_json(policy.model_dump_json(by_alias=True, exclude_none=True)) == policy
