"""A list of credentials that leaves some out: a new key still follows into what the row knows the old one to be in."""

import pytest

from key_rotation.ports import Refused
from tests.unit.key_rotation.doubles import FIRST, World, api_key, credential

SECOND = "00000000-0000-4000-8000-000000000002"


def rotated() -> World:
    """A workload whose key was rotated once, under a credential that names its keys."""
    world = World(api_key())
    world.account.credentials["c1"] = credential("c1", [FIRST])
    world.rotate()
    world.ask(SECOND)
    return world


def test_a_rotation_while_no_credential_is_listed_leaves_the_new_key_in_its_allowlist() -> None:
    world = rotated()
    world.account.unlisted_credentials = {"c1"}
    world.rotate(SECOND)
    current = world.lineage.current
    assert current
    assert current.token == SECOND
    assert current.hash in (world.account.credentials["c1"].allowed_api_key_hashes or [])


def test_a_list_that_a_person_took_the_old_key_off_does_not_get_the_new_one() -> None:
    world = rotated()
    world.account.unlisted_credentials = {"c1"}
    world.account.credentials["c1"] = credential("c1", [FIRST])
    world.rotate(SECOND)
    current = world.lineage.current
    assert current
    assert current.token == SECOND
    assert world.account.credentials["c1"].allowed_api_key_hashes == [FIRST]


def test_a_credential_that_is_gone_keeps_nothing_back() -> None:
    world = rotated()
    del world.account.credentials["c1"]
    world.rotate(SECOND)
    current = world.lineage.current
    assert current
    assert current.token == SECOND


def test_a_new_key_that_is_not_in_a_list_left_out_is_refused() -> None:
    world = rotated()
    world.account.unlisted_credentials = {"c1"}
    for step in ("createSecret", "setSecret"):
        world.step(step, SECOND)
    world.account.credentials["c1"] = credential("c1", [world.lineage.current.hash if world.lineage.current else ""])
    with pytest.raises(Refused, match="lists that name the old key"):
        world.step("testSecret", SECOND)
