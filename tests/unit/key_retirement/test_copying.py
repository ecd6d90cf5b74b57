"""No key is drained while a copy of its secret still hands it out."""

from datetime import timedelta
from typing import Any

import pytest

from key_retirement.copying import CopyFailed
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import FIRST, WORKLOAD, World, api_key

PARAMETER, REGION = "/openrouter/prod/agent", "eu-west-1"


@pytest.fixture
def retirement() -> Retirement:
    """A workload with copies, just rotated."""
    world = World(api_key(), key={}, copies={"parameter": PARAMETER, "regions": [REGION]})
    world.rotate()
    return Retirement(world)


def held(retirement: Retirement) -> Any:
    value = retirement.world.secrets.value("", None)
    assert value
    return value


def test_every_copy_holds_what_the_secret_holds_and_is_written_once(retirement: Retirement) -> None:
    for _ in range(3):
        retirement.tick()
    assert retirement.copies.parameters == {PARAMETER: held(retirement)}
    assert retirement.copies.regions == {REGION: retirement.world.secrets.describe("").holder("AWSCURRENT")}
    assert retirement.copies.writes == 1


def test_a_copy_that_somebody_changed_is_written_again(retirement: Retirement) -> None:
    retirement.tick()
    del retirement.copies.parameters[PARAMETER]
    retirement.tick()
    assert retirement.copies.parameters == {PARAMETER: held(retirement)}


def test_the_old_key_stays_enabled_while_a_region_is_behind_however_quiet_and_late(retirement: Retirement) -> None:
    retirement.copies.lagging.add(REGION)
    retirement.copies.regions[REGION] = "first"
    for _ in range(20):
        retirement.tick(timedelta(hours=12))
    world = retirement.world
    assert not world.account.held[FIRST].disabled
    blocked = retirement.told("Drain Blocked")
    assert 8 <= len({event.id for event in blocked}) <= 10, "once a day after the overlap"
    assert blocked[0].evidence["behind"] == [REGION]
    retirement.copies.lagging.clear()
    retirement.tick()
    row = world.lineage.key(FIRST)
    assert row
    assert row.state == "quarantined"


def test_a_copy_that_cannot_be_written_fails_the_run_and_is_named_and_the_rest_is_done(
    retirement: Retirement,
) -> None:
    retirement.copies.refused.add(PARAMETER)
    with pytest.raises(CopyFailed, match=f"{WORKLOAD} is not copied to {PARAMETER}"):
        retirement.tick()
    assert retirement.copies.regions[REGION] == retirement.world.secrets.describe("").holder("AWSCURRENT")
    retirement.world.now += timedelta(days=2)
    with pytest.raises(CopyFailed):
        retirement.tick()
    (event,) = retirement.told("Drain Blocked")
    assert event.evidence["behind"] == [f"{PARAMETER}: {PARAMETER}: refused"]
    assert not retirement.world.account.held[FIRST].disabled


def test_an_empty_secret_is_not_copied() -> None:
    world = World(key={}, copies={"parameter": PARAMETER})
    world.secrets.values.clear()
    retirement = Retirement(world)
    retirement.tick()
    assert retirement.copies.parameters == {}
