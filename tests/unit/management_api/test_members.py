"""A list of members that is shorter than it says of itself is unread: whoever takes it for whole sees people leave."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from management_api import Unavailable
from sandbox.openrouter.simulator import Simulator
from tests.unit.account_review.world import World


def _cut(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, alter: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> None:
    from sandbox.openrouter.calls import Call

    whole = Call.page
    monkeypatch.setattr(Call, "page", lambda self, rows: alter(whole(self, rows)))


def test_every_member_of_every_page_is_read() -> None:
    world = World()
    world.simulator.organization.members |= {f"user_{number}": "org:member" for number in range(250)}
    read = world._connect(None).organization.members()  # type: ignore[arg-type]
    assert {one.id for one in read} == set(world.simulator.organization.members)


def test_a_list_that_lacks_some_of_its_own_number_is_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.simulator.organization.members |= {f"user_{number}": "org:member" for number in range(50)}
    _cut(world.simulator, monkeypatch, lambda page: {**page, "data": page["data"][:40]})
    with pytest.raises(Unavailable, match="holds 40 of"):
        world._connect(None).organization.members()  # type: ignore[arg-type]
