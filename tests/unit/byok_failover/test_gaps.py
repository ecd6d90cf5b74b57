"""Where failover would not work is found by reading, told once, and told again when it is mended."""

from typing import Any

import pytest

from tests.unit.byok_failover.doubles import MODEL, PLACE, WORKLOAD, World


def test_an_account_as_expected_has_no_gap_and_every_chain_is_told() -> None:
    world = World({"expect": {"prioritized": 2, "fallback": 1}})
    world.credential("first")
    world.credential("second")
    world.credential("last", is_fallback=True)
    report = world.tick()
    assert world.told() == []
    (line,) = report.chains
    assert line == (
        f"{WORKLOAD}, {MODEL}: anthropic first → anthropic second → OpenRouter's own anthropic (credits) → "
        "anthropic last (fallback)"
    )


GAPS: list[tuple[str, dict[str, Any], list[dict[str, Any]], str]] = [
    ("too_few_prioritized", {"prioritized": 2}, [{}], "1 enabled prioritized credentials, and 2 are expected"),
    ("too_few_fallback", {"fallback": 1}, [{}], "0 enabled fallback credentials, and 1 are expected"),
    ("tier_disabled", {}, [{"disabled": True}], "every prioritized credential is disabled: c0"),
    ("left_out", {}, [{"allowed_models": ["anthropic/claude-opus-4.5"]}], "its requests are paid with credits"),
    ("left_out", {}, [{"allowed_user_ids": ["user_other"]}], "no credential lets prod-agent"),
    ("left_out", {}, [{"allowed_user_ids": ["user_other"], "is_byok_only": True}], "its requests are refused"),
    ("shared_missing", {"shared": True}, [{"is_byok_only": True}], "credits cannot take over"),
    ("shared_missing", {"shared": True}, [{"is_required": True}], "credits cannot take over"),
    ("shared_allowed", {"shared": False}, [{}], "credits take over for anthropic/claude-haiku-4.5"),
    ("spread_impossible", {"prioritized": 2, "spread": True}, [{}, {}], "c0 is first for every workload"),
    ("declared_differs", {"region": "europe"}, [{"declared_region": "us"}], "declares region us, and europe"),
    ("declared_differs", {"zdr": True}, [{}], "does not declare zero data retention"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "expect", "credentials", "said"), GAPS)
def test_a_gap_is_told_once_and_told_closed_once(
    rule: str, expect: dict[str, Any], credentials: list[dict[str, Any]], said: str
) -> None:
    world = World({"expect": expect, "probe": {"model": MODEL}})
    for number, fields in enumerate(credentials):
        world.credential(f"c{number}", **fields)
    world.tick()
    world.tick()
    (event,) = world.told("Failover Gap Found")
    assert event.evidence["rule"] == rule
    assert said in event.reason
    assert event.evidence["todo"]
    world.decision["expect"] = {"prioritized": 0}
    for one in world.organization.credentials.values():
        one.settings |= {"allowed_models": None, "allowed_user_ids": None, "disabled": False}
    world.tick()
    world.tick()
    assert [one.evidence["rule"] for one in world.told("Failover Gap Closed")] == [rule]


def test_allowlists_that_name_dead_keys_or_are_nearly_full_are_told() -> None:
    world = World({"probe": {"model": MODEL}})
    credential = world.credential("first")
    credential.settings["allowed_api_key_hashes"] = [world.key.hash, "d" * 64]
    full = world.credential("second")
    full.settings["allowed_api_key_hashes"] = [world.key.hash] * 95
    world.tick()
    assert sorted(world.rules()) == ["allowlist_full", "dead_hashes"]
    assert any(one.reason.endswith("1 keys that live no more: dddddddd…") for one in world.told())


def test_a_guardrail_that_passes_a_credential_over_is_told() -> None:
    world = World({"probe": {"model": MODEL}})
    world.credential("first", declared_region="us", declared_zdr=False)
    rules = {"allowed_data_regions": ["europe"], "enforce_zdr_anthropic": True}
    guardrail = world.organization.create_guardrail("strict", PLACE, **rules)
    world.organization.assign(guardrail, [world.key.hash])
    world.tick()
    assert world.rules() == ["guardrail_contradicts", "guardrail_contradicts"]


def test_the_guardrail_of_the_member_who_created_a_key_is_over_it_too() -> None:
    """Red before: only the key's own and the workspace's guardrails were looked at."""
    world = World({"probe": {"model": MODEL}})
    world.organization.members["user_fake_ana"] = "org:member"
    world.key.creator_user_id = "user_fake_ana"
    world.credential("first", declared_region="us", declared_zdr=False)
    rules = {"allowed_data_regions": ["europe"], "enforce_zdr_anthropic": True}
    guardrail = world.organization.create_guardrail("people", PLACE, **rules)
    world.organization.assign(guardrail, ["user_fake_ana"], members=True)
    world.simulator.fault("/guardrails/assignments/members", "503", times=None)
    world.tick()
    assert world.rules() == [], "what could not be read says neither yes nor no"
    world.simulator.faults.clear()
    world.tick()
    assert world.rules() == ["guardrail_contradicts", "guardrail_contradicts"]


@pytest.mark.parametrize(
    ("fields", "rule", "said"),
    [
        ({"workspace": "gone"}, "workspace_missing", "no workspace gone"),
        ({"provider": "antropic"}, "provider_unknown", "Is anthropic meant?"),
    ],
)
def test_a_decision_about_nothing_is_one_clear_error_and_the_others_go_on(
    fields: dict[str, Any], rule: str, said: str
) -> None:
    world = World(fields)
    world.more = [{"workspace": PLACE, "provider": "anthropic", "reason": "r", "owner": "o", "exit": "e",
                   "expect": {"fallback": 1}}]  # fmt: skip
    world.credential("first")
    world.tick()
    world.tick()
    assert world.rules() == [rule, "too_few_fallback"]
    assert said in world.told()[0].reason


@pytest.mark.parametrize("path", ["/byok", "/keys"])
def test_a_list_that_cannot_be_read_neither_raises_nor_clears_a_gap(path: str) -> None:
    world = World({"probe": {"model": MODEL}})
    credential = world.credential("first", allowed_user_ids=["user_other"])
    world.tick()
    assert world.rules() == ["left_out"]
    credential.settings["allowed_user_ids"] = None
    world.simulator.fault(path, "503", times=None)
    report = world.tick()
    assert report.unread
    assert world.kinds() == ["Failover Gap Found"]
    world.simulator.faults.clear()
    world.tick()
    assert world.kinds() == ["Failover Gap Found", "Failover Gap Closed"]


def test_a_global_credential_counts_in_every_workspace() -> None:
    world = World({"probe": {"model": MODEL}})
    world.credential("everywhere", workspace=None)
    report = world.tick()
    assert world.told() == []
    assert "anthropic everywhere" in report.chains[0]


def test_a_fallback_key_that_zero_retention_does_not_reach_is_told() -> None:
    """Red before: the chain showed it as the next to be tried, and the request that demands ZDR failed."""
    world = World({"expect": {"fallback": 1}, "probe": {"model": MODEL}})
    first = world.credential("first", is_required=True)
    world.credential("spare", is_fallback=True, declared_zdr=True)
    world.tick()
    (event,) = world.told("Failover Gap Found")
    assert event.evidence["rule"] == "zdr_fallback_unused"
    assert "first is is_required and does not declare it, so such a request fails" in event.reason
    first.settings["declared_zdr"] = True
    world.tick()
    assert [one.evidence["rule"] for one in world.told("Failover Gap Closed")] == ["zdr_fallback_unused"]
