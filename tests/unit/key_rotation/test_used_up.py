"""A cap that is never reset and is spent gives a new key nothing: none is made, and people read the numbers."""

from typing import Any

import pytest

from governor.keys.lineage import Lineage, LineageKey
from key_rotation.ports import Refused
from tests.unit.key_rotation.doubles import FIRST, NOW, World, api_key, guardrail

LIFELONG = {"limit_usd": 200.0}


@pytest.mark.parametrize("spent", [200.0, 640.0])
def test_an_adopted_key_that_has_spent_the_cap_is_not_replaced_by_one_that_can_spend_nothing(spent: float) -> None:
    """Red before: a key with a limit of $0.000001 became AWSCURRENT."""
    world = World(api_key(spent=spent, limit=1000.0), key=LIFELONG)
    before = dict(world.account.held)
    with pytest.raises(Refused) as refused:
        world.rotate()

    assert refused.value.rule == "cap_used_up"
    assert f"${spent:,.2f} of a cap of $200.00 that is never reset (key.limit_usd)" in refused.value.reason
    assert "Raise the cap above" in refused.value.reason
    assert "set key.limit_reset" in refused.value.reason
    assert world.account.held == before
    assert world.secrets.stages["first"] == {"AWSCURRENT"}
    assert world.lineage.keys == ()


def test_the_refusal_is_told_once_however_often_secrets_manager_tries() -> None:
    world = World(api_key(spent=640.0), key=LIFELONG)
    for _ in range(3):
        with pytest.raises(Refused):
            world.step("createSecret")

    assert world.bus.kinds() == ["Rotation Failed"]


@pytest.mark.parametrize(
    ("key", "spent"),
    [
        (LIFELONG, 199.0),
        ({**LIFELONG, "limit_reset": "monthly"}, 640.0),  # its share comes with the next month
        ({}, 640.0),
    ],
)
def test_a_cap_of_which_something_is_left_or_will_be_is_no_obstacle(key: dict[str, Any], spent: float) -> None:
    world = World(api_key(spent=spent), key=key)

    world.step("createSecret")

    assert world.made


def test_a_raised_cap_lets_the_next_rotation_through() -> None:
    world = World(api_key(spent=640.0), key={"limit_usd": 700.0})

    world.rotate()

    assert world.made.limit == pytest.approx(30.0)


def test_what_deleted_keys_have_spent_counts() -> None:
    world = World(api_key(spent=100.0), key=LIFELONG)
    gone = LineageKey("b" * 64, "prod-agent#1", "deleted", NOW, spent={"lifetime": 150.0}, spent_at=NOW)
    world.lineages.write(Lineage("prod-agent", (LineageKey(FIRST, "prod-agent", "current", NOW), gone)))

    with pytest.raises(Refused, match=r"\$250\.00 of a cap of \$200\.00"):
        world.step("createSecret")


def test_byok_spend_counts_where_the_cap_counts_it() -> None:
    own = api_key(byok_usage=300.0)
    with pytest.raises(Refused, match=r"\$300\.00 of a cap"):
        World(own, key={**LIFELONG, "include_byok_in_limit": True}).step("createSecret")
    World(own, key=LIFELONG).step("createSecret")


def test_a_guardrails_budget_without_a_reset_is_named_as_what_it_is() -> None:
    world = World(api_key(spent=90.0), key={"guardrail": "production"})
    world.account.guards = [guardrail(limit_usd=50.0)]
    world.account.assigned = {FIRST: "g"}

    with pytest.raises(Refused, match="the budget of guardrail production") as refused:
        world.step("createSecret")

    assert "give that budget a reset interval" in refused.value.reason
