"""What a container read for one rotation, another borrows: whatever changed since, no promise gets weaker."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.account.leases import Leases
from governor.keys.lineage import Attribution, Limit, Lineage, LineageKey
from key_rotation.lists import PLACES, Lists
from key_rotation.ports import Ports, Refused
from key_rotation.service import KeyRotation
from key_rotation.settings import Step, StepName
from tests.unit.key_rotation.doubles import (
    ARN,
    FIRST,
    NOW,
    PLACE,
    TOKEN,
    WORKLOAD,
    World,
    api_key,
    credential,
    guardrail,
)

CAP = 100.0


class Container(World):
    """A world whose steps all run in one container, which has read the account's lists just now."""

    def __init__(self, spent: float = 0.0, **more: Any) -> None:
        super().__init__(api_key(spent=spent, limit=CAP, limit_reset="monthly"), **more)
        self.leases = Leases()
        kept = LineageKey(
            FIRST, WORKLOAD, "current", NOW, given=(Limit(CAP, "monthly"),), attribution=Attribution(), attached=()
        )
        self.lineages.write(Lineage(WORKLOAD, (kept,)))

    def read_lists(self) -> None:
        lists = Lists(self.account, self.leases, lambda: self.now)
        lists.workspaces()
        lists.guardrails(PLACE)
        lists.keys(PLACE, fresh=True)
        lists.attached(PLACE)
        for one in self.account.guards:
            lists.guardrails_of([], one.id)

    def step(self, name: StepName, token: str = TOKEN) -> str:
        ports = Ports(
            self.policy, self.secrets, self.lineages, self.causes, self.bus, self._connect, lambda: self.now, self.log,
            self.leases,
        )  # fmt: skip
        return KeyRotation(ports).run(Step(name, ARN, token), lambda: 50.0)


def change(world: World, **fields: Any) -> None:
    world.account.held[FIRST] = replace(world.account.held[FIRST], **fields)


@pytest.mark.parametrize("since", [0.0, 10.0, 49.0, 60.0, 99.0])
@pytest.mark.parametrize("before", [0.0, 20.0])
def test_what_was_spent_since_the_list_was_read_is_not_handed_out_again(before: float, since: float) -> None:
    world = Container(before)
    world.read_lists()
    spent = min(before + since, CAP)
    change(world, **dict.fromkeys(("usage", "usage_daily", "usage_weekly", "usage_monthly"), spent))
    world.rotate()
    most = sum(max(key.limit or 0.0, key.usage_monthly) for key in world.account.held.values())
    assert most <= CAP + 1e-4


def test_a_key_that_somebody_disabled_since_is_found_before_a_new_one_is_made() -> None:
    world = Container()
    world.read_lists()
    change(world, disabled=True)
    with pytest.raises(Refused) as refused:
        world.step("createSecret")
    assert refused.value.rule == "foreign"
    assert not world.account.own()


def test_a_key_without_a_cap_that_somebody_disabled_since_is_found_too() -> None:
    world = Container(key={})
    change(world, limit=None, limit_reset=None)
    world.read_lists()
    change(world, disabled=True)
    with pytest.raises(Refused) as refused:
        world.step("createSecret")
    assert refused.value.rule == "foreign"
    assert not world.account.own()


def test_a_limit_that_was_set_since_is_lowered_all_the_same() -> None:
    world = Container()
    change(world, limit=CAP / 2)  # just what the split would set
    world.read_lists()
    change(world, limit=CAP)
    world.rotate()
    assert sum(key.limit or 0.0 for key in world.account.held.values()) <= CAP + 1e-4


def test_a_guardrail_made_since_is_found_though_the_borrowed_list_has_none() -> None:
    world = Container(key={"limit_usd": CAP, "limit_reset": "monthly", "guardrail": "production"})
    world.read_lists()
    world.account.guards = [guardrail()]
    world.account.assigned = {FIRST: "g"}
    world.rotate()
    assert world.account.assigned[world.made.hash] == "g"


def test_a_key_that_came_under_its_guardrail_since_is_not_refused_by_the_borrowed_list() -> None:
    world = Container(key={"limit_usd": CAP, "limit_reset": "monthly", "guardrail": "production"})
    world.account.guards = [guardrail()]
    world.read_lists()
    world.account.assigned = {FIRST: "g"}
    world.rotate()
    assert world.account.assigned[world.made.hash] == "g"


def test_a_list_that_names_the_old_key_is_read_again_before_the_switch() -> None:
    world = Container()
    world.account.credentials["c1"] = credential("c1", [FIRST])
    world.read_lists()
    world.step("createSecret")
    world.step("setSecret")
    world.account.credentials["c1"] = credential("c1", [FIRST])
    with pytest.raises(Refused, match="lists that name the old key"):
        world.step("testSecret")


def test_a_lease_that_has_run_out_is_read_again() -> None:
    world = Container()
    world.read_lists()
    world.account.credentials["c1"] = credential("c1", [FIRST])
    world.now = NOW + PLACES + timedelta(seconds=1)
    world.rotate()
    assert world.account.credentials["c1"].allowed_api_key_hashes == [FIRST, world.made.hash]


def test_an_old_key_that_can_spend_still_is_read_and_not_borrowed() -> None:
    """The former key was given back meanwhile: it is live, and the list shows it as disabled."""
    other = "b" * 64
    world = Container()
    world.account.held[other] = api_key(other, f"{WORKLOAD}#old", disabled=True, limit=0.000001, limit_reset="monthly")
    lineage = world.lineages.get(WORKLOAD)
    world.lineages.write(lineage.with_key(LineageKey(other, f"{WORKLOAD}#old", "quarantined", NOW)))
    world.read_lists()
    world.account.held[other] = replace(world.account.held[other], disabled=False, limit=50.0)
    change(world, limit=50.0)
    world.step("createSecret")
    assert sum(key.limit or 0.0 for key in world.account.held.values()) <= CAP + 1e-4
