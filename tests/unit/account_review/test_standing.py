"""Each finding once while it lasts; accepted until a day; and unknown ends nothing."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from sandbox.openrouter.simulator import Simulator
from sandbox.reviewed import plant, policy
from tests.unit.account_review.world import URL, World, ids, parsed

CAP = ("key_without_cap", "platform-staging/stage-growth-nocap")
FAULT = f"{CAP[0]} {CAP[1]}"
ACCEPTED = """\
  accepted:
    - {rule: key_without_cap, subject: platform-staging/stage-growth-nocap, until: 2026-11-29, by: U0LEAD, reason: why}
"""


def _with_fault(more: str = "") -> World:
    return World(more, faults=lambda simulator: plant(simulator, CAP))


def _told(world: World) -> set[str]:
    return {one.finding.id for one in world.review().findings.new}


def test_a_finding_is_told_once_and_stands_until_it_ends() -> None:
    world = _with_fault()
    assert FAULT in _told(world)
    world.now += timedelta(days=7)
    report = world.review()
    assert FAULT in {one.finding.id for one in report.findings.standing}
    assert {one.since for one in report.findings.standing if one.finding.id == FAULT} == {
        (world.now - timedelta(days=7)).date()
    }
    key = next(one for one in world.simulator.organization.keys if one.name == "stage-growth-nocap")
    key.limit, key.limit_reset = 10.0, "monthly"
    world.now += timedelta(days=7)
    assert FAULT in world.review().findings.ended
    key.limit = None
    world.now += timedelta(days=7)
    assert FAULT in _told(world)


def test_a_run_that_begins_again_tells_the_same() -> None:
    world = _with_fault()
    assert _told(world) == _told(world) != set()


def test_a_rotation_makes_no_new_finding() -> None:
    world = _with_fault()
    world.review()
    key = next(one for one in world.simulator.organization.keys if one.name == "stage-growth-nocap")
    key.name = "stage-growth-nocap#2026-11-24"
    world.now += timedelta(days=7)
    assert FAULT not in _told(world)


def test_an_accepted_finding_is_listed_with_who_and_why_and_told_again_after_its_last_day() -> None:
    world = _with_fault(ACCEPTED)
    report = world.review()
    (accepted,) = report.findings.accepted
    assert (accepted.finding.id, accepted.accepted and accepted.accepted.by) == (FAULT, "U0LEAD")
    assert FAULT not in ids(report)
    world.now += timedelta(days=6)
    assert FAULT not in ids(world.review())
    world.now += timedelta(days=1)
    report = world.review()
    assert FAULT in {one.finding.id for one in report.findings.new}
    assert [one.reason for one in report.findings.idle_acceptances] == ["why"]


def test_only_an_approver_accepts() -> None:
    with pytest.raises(ValidationError, match=r"U0NOBODY is not in approvals\.approvers"):
        parsed(policy(URL, ACCEPTED.replace("U0LEAD", "U0NOBODY")))


@pytest.mark.parametrize("path", ["/keys", "/guardrails", "/models", "/byok", "/organization/members", "/presets"])
def test_what_cannot_be_read_ends_no_finding_makes_none_and_is_said(path: str) -> None:
    def faults(simulator: Simulator) -> None:
        plant(simulator)

    world = World(faults=faults)
    before = ids(world.review())
    world.now += timedelta(days=1)
    world.simulator.fault(path, "fail_before", status=500, times=1000)
    report = world.review()
    assert not report.findings.ended
    assert not report.findings.new
    assert report.findings.unseen
    assert {*report.findings.memory} >= before
    assert any(path.strip("/").split("/")[-1] in line for line in report.unread())


def test_a_403_of_one_workspaces_keys_hides_no_other() -> None:
    world = World(faults=plant)
    whole = ids(world.review())
    staging = world.simulator.organization.workspace("platform-staging").id
    world.now += timedelta(days=1)
    world.simulator.fault(rf"/keys\?.*workspace_id={staging}.*", "fail_before", status=403, times=1000)
    report = world.review()
    assert not report.findings.ended
    there = {one for one in whole if one.startswith("key_cap_without_byok")}
    assert there
    assert there <= ids(report)
    assert any(line.startswith("keys of platform-staging") for line in report.unread())
