"""Once a year the owner is asked; the page shows every decision as it stands, and is put only when that changed."""

from datetime import timedelta
from typing import Any

import pytest

from byok_failover.page import NAME
from tests.unit.byok_failover.doubles import MODEL, PLACE, START, World


def years(world: World, count: float) -> list[str]:
    """The days on which a review is told, over so many years of monthly runs."""
    for _ in range(int(count * 12)):
        world.now += timedelta(days=30.5)
        world.tick()
    return [one.evidence["due"] for one in world.told("Byok Review Due")]


def test_without_a_date_the_owner_is_asked_a_year_after_the_decision_was_seen_and_every_year() -> None:
    world = World({"probe": {"model": MODEL}})
    world.credential("first")
    world.tick()
    assert years(world, 2.2) == ["2027-03-10", "2028-03-10"]


def test_the_policys_date_is_kept_to() -> None:
    world = World({"probe": {"model": MODEL}, "review_on": "2026-05-01"})
    world.credential("first")
    assert years(world, 1.3) == ["2026-05-01", "2027-05-01"]


@pytest.mark.parametrize("field", ["reason", "owner", "exit"])
def test_a_decision_says_why_whose_and_until_when(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        World({field: ""}).policy()


def puts(world: World) -> list[str]:
    put: list[str] = []
    keep = world.pages.put

    def note(name: str, text: str) -> None:
        put.append(text)
        keep(name, text)

    world.pages.put = note  # type: ignore[method-assign]
    return put


def test_the_page_is_put_when_something_changed_and_only_then() -> None:
    world = World({"probe": {"model": MODEL}, "expect": {"fallback": 1}})
    world.credential("first")
    put = puts(world)
    for _ in range(5):
        world.tick()
    assert len(put) == 1
    assert "`too_few_fallback`" in put[0]
    world.credential("last", is_fallback=True)
    world.tick()
    assert len(put) == 2
    assert "too_few_fallback" not in put[1]
    assert "| 2 | last | fallback | enabled | not probed |" in put[1]


def test_the_page_has_every_decision_its_reasons_and_its_health() -> None:
    more: dict[str, Any] = {"workspace": PLACE, "provider": "openai", "reason": "a | b", "owner": "o", "exit": "e"}
    world = World(more=[more])
    world.simulator.trouble(credential=world.credential("first").id, trouble="revoked")
    world.credential("other", provider="openai")
    for _ in range(3):
        world.tick()
    page = world.pages.pages[NAME]
    assert page.count("\n## ") == 2
    for words in (
        "**Why:** committed spend",
        "**Owner:** cloud-platform",
        "**Goes when:** the contract ends",
        "a \\| b",
    ):
        assert words in page
    assert "| 1 | first | prioritized | enabled | invalid |" in page
    assert f"{START:%Y-%m-%d}" not in page


def test_what_cannot_be_read_is_shown_as_unknown() -> None:
    world = World({"probe": {"model": MODEL}})
    world.credential("first")
    world.simulator.fault("/byok", "503", times=None)
    world.tick()
    assert "**State:** unknown" in world.pages.pages[NAME]
