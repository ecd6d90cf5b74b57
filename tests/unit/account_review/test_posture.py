"""Every rule finds its planted fault, and nothing in the clean twin."""

from datetime import timedelta

import pytest

from account_review.decide import RULES
from sandbox.reviewed import NOW, PLANTED, plant
from tests.unit.account_review.world import World, ids

BY_OTHER_MEANS = {"management_key_old", "auto_top_up_unknown", "management_key_scope_unknown", "model_repriced"}
"""Rules whose fault lies in the secret, in the policy, or in what the last review knew: each has a test below."""


def test_the_clean_organization_has_no_finding() -> None:
    report = World().review()
    assert ids(report) == set()
    assert report.unread() == []


def test_each_of_more_than_25_planted_faults_is_found_in_one_review() -> None:
    report = World(faults=plant).review()
    wanted = {f"{rule} {subject}" for rule, subject in PLANTED}
    assert len(wanted) >= 25
    assert wanted <= ids(report)


@pytest.mark.parametrize(("rule", "subject"), PLANTED, ids=lambda one: str(one).replace("/", "-"))
def test_a_fault_that_is_planted_alone_is_found(rule: str, subject: str) -> None:
    report = World(faults=lambda simulator: plant(simulator, (rule, subject))).review()
    if rule == "model_gone":  # nothing relies on it until another fault's preset does
        assert ids(report) == set()
        return
    assert f"{rule} {subject}" in ids(report)


def test_every_rule_has_a_fault_that_it_is_tried_on() -> None:
    assert {rule for rule, _ in PLANTED} | BY_OTHER_MEANS == set(RULES)


def test_an_old_management_key_is_found() -> None:
    world = World()
    world.since = NOW - timedelta(days=181)
    assert ids(world.review()) == {"management_key_old account"}


def test_what_no_api_tells_is_a_finding_until_the_policy_declares_it() -> None:
    world = World()
    review = world.policy.review.model_copy(update={"declared": type(world.policy.review.declared)()})
    world.policy = world.policy.model_copy(update={"review": review})
    assert ids(world.review()) == {"auto_top_up_unknown account", "management_key_scope_unknown account"}


def test_a_model_whose_price_differs_from_the_last_reviews_is_found_once() -> None:
    world = World()
    world.review()
    world.now += timedelta(days=7)
    changed = {"pricing": {"prompt": "0.0000020", "completion": "0.0000050", "request": "0"}}
    world.simulator.organization.listed_models["anthropic/claude-haiku-4.5"] = changed
    found = {one for one in ids(world.review()) if one.startswith("model_repriced")}
    assert found == {"model_repriced anthropic/claude-haiku-4.5 $2.00/$5.00 per million"}
    world.now += timedelta(days=7)
    assert not [one for one in ids(world.review()) if one.startswith("model_repriced")]


def test_a_successor_is_of_the_same_author_can_the_same_and_costs_no_more_than_half_as_much_again() -> None:
    report = World(faults=lambda one: plant(one, ("model_expires_soon", "anthropic/claude-haiku-4.5"))).review()
    (found,) = report.findings.new
    assert "may be removed after 2026-12-10" in found.finding.evidence
    assert "no successor of the same author fits" in found.finding.evidence
    later = World(faults=lambda one: plant(one, ("model_expires_later", "anthropic/claude-sonnet-4.5"))).review()
    (found,) = later.findings.new
    assert "nearest: anthropic/claude-haiku-4.5" in found.finding.evidence
