"""What a policy would do to the account now, by the functions' own rules."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from cli.account import read_account
from cli.now import Finding, now
from cli.output import Output
from governor.policy import Policy
from management_api import OpenRouter
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import MANAGEMENT, NOW, InProcess

AT = datetime.fromtimestamp(NOW, UTC)
ROTATED: dict[str, Any] = {"secret": "openrouter/prod/search", "rotation": {"every": "60d"}}


def workload(name: str = "prod-search", **more: Any) -> dict[str, Any]:
    return {"name": name, "workspace": "production", "owner": {"slack": "U0SEARCH"}, **more}


def found(simulator: Simulator, *workloads: dict[str, Any], **more: Any) -> Sequence[Finding]:
    policy = Policy.model_validate({"version": 1, "workloads": list(workloads), **more})
    client = OpenRouter(SecretStr(MANAGEMENT), base_url="http://localhost/api/v1", transport=InProcess(simulator.app))
    return now(policy, read_account(client, Output(), AT), client, AT)


def of(findings: Sequence[Finding], kind: str) -> list[Finding]:
    return [one for one in findings if one.kind == kind]


@pytest.fixture
def production(simulator: Simulator) -> Simulator:
    simulator.declare(
        {
            "workspaces": [{"name": "Production", "slug": "production"}, {"name": "Staging", "slug": "staging"}],
            "guardrails": [{"name": "strict", "workspace": "production", "limit_usd": 50, "reset_interval": "daily"}],
            "keys": [{"name": "prod-search", "workspace": "production", "usage": 30}],
        }
    )
    return simulator


def test_a_workload_without_a_key_gets_one(production):
    findings = found(production, workload("prod-new", secret="openrouter/prod/new", rotation={"every": "60d"}))

    (one,) = of(findings, "create")
    assert (one.subject, one.rule) == ("prod-new", "provision")
    assert "openrouter/prod/new" in one.text


def test_a_key_made_by_hand_is_adopted_and_both_keys_keep_within_the_cap(production):
    findings = found(production, workload(**ROTATED, key={"limit_usd": 100, "limit_reset": "monthly"}))

    assert "prod-search is adopted" in of(findings, "adopt")[0].text
    (cap,) = of(findings, "cap")
    # $70 of the month are left: half for the new key, half for the old one on top of what it spent.
    assert "$35.00 monthly" in cap.text
    assert "prod-search $65.00 monthly" in cap.text


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"workspace": "nowhere"}, "workspace_missing"),
        ({"key": {"guardrail": "none-such"}}, "guardrail_missing"),
        ({"name": "prod-other", "key": {"adopts": "renamed since"}}, "adopted_missing"),
        ({"key": {"limit_usd": 20}}, "cap_used_up"),
    ],
)
def test_what_the_rotation_would_refuse_is_said_before_it_does(production, changes, rule):
    findings = found(production, workload(**ROTATED, **changes))

    assert [one.rule for one in of(findings, "blocked")] == [rule]
    assert of(findings, "adopt") == of(findings, "create") == []


def test_a_limit_that_the_policy_does_not_declare_blocks_the_first_rotation(simulator):
    simulator.declare(
        {
            "workspaces": [{"name": "Production", "slug": "production"}],
            "keys": [{"name": "prod-search", "workspace": "production", "limit": 5, "limit_reset": "daily"}],
        }
    )

    assert [one.rule for one in of(found(simulator, workload(**ROTATED)), "blocked")] == ["cap_undeclared"]


def test_a_workload_that_is_not_rotated_is_watched_under_its_key(production):
    assert [one.rule for one in of(found(production, workload()), "watched")] == ["no_rotation"]
    assert [one.rule for one in of(found(production, workload("prod-none")), "blocked")] == ["no_key"]


def test_what_differs_from_the_policy_is_told(production):
    findings = found(
        production, workload(key={"limit_usd": 100, "limit_reset": "monthly", "guardrail": "strict",
                                  "creator_user_id": "user_ana"}),
    )  # fmt: skip

    assert {one.rule for one in of(findings, "drift")} == {"limit", "guardrail", "creator_user_id"}


def test_keys_that_no_workload_claims_and_names_off_the_convention_are_told(production):
    production.declare(
        {
            "keys": [
                {"name": "dev-notebook", "workspace": "staging"},
                {"name": "Ana's laptop", "workspace": "staging"},
            ]
        }
    )
    production.create_key("prod-search", workspace="staging")

    findings = found(production, workload())

    assert [one.subject for one in of(findings, "unclaimed")] == ["dev-notebook"]
    assert {(one.subject, one.rule) for one in of(findings, "off_convention")} == {
        ("Ana's laptop", "name"),
        ("prod-search", "elsewhere"),
    }


def test_a_gap_in_failover_is_told(production):
    decision = {
        "workspace": "production", "provider": "anthropic", "expect": {"prioritized": 1, "fallback": 1},
        "reason": "agreement", "owner": "platform", "exit": "never",
    }  # fmt: skip
    findings = found(production, byok=[decision])

    assert {one.rule for one in of(findings, "gap")} == {"provider_unknown"}


def test_what_waits_for_a_person_comes_first(production):
    production.create_key("Ana's laptop", workspace="production")

    kinds = [one.kind for one in found(production, workload(), workload("prod-none"))]

    assert kinds == ["blocked", "off_convention", "watched"]


@pytest.mark.parametrize(("path", "part"), [("/keys", "keys"), ("/guardrails", "guardrails")])
def test_what_could_not_be_read_is_not_taken_for_missing(production, path, part):
    production.fault(path, "fail_before", status=400, times=99)

    findings = found(production, workload(**ROTATED, key={"guardrail": "strict"}), workload("prod-none"))

    (blocked,) = [one for one in of(findings, "blocked") if one.subject == "prod-search"]
    assert blocked.rule == "unread"
    assert part in blocked.text
    assert not [one for one in findings if one.kind in ("adopt", "create", "drift")]
