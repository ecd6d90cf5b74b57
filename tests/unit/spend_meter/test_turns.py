"""An account too large for one minute, at the pace that is allowed, is read in turns; none of it is left unread."""

from collections.abc import Iterator
from typing import Any

import pytest

WORKSPACES = 12
SECONDS_A_LIST = 7.5
"""Of the 45 s that a run has for reading: six lists of keys in a minute, where twelve are needed."""


@pytest.fixture
def large(world: Any) -> Any:
    for number in range(WORKSPACES):
        id = f"ws-{number + 1}"
        world.account.workspaces[id] = f"team-{number + 1}"
        world.account.add(f"key-{number + 1}", workspace=id)

    def slow(request: Any) -> int | None:
        if request.url.path.endswith("/keys") and "offset" in request.url.params:
            world.seconds_left -= SECONDS_A_LIST
        return None

    world.account.failing = slow
    return world


def ticks(world: Any, count: int) -> Iterator[Any]:
    for _ in range(count):
        world.seconds_left = 55.0
        yield world.tick()


def test_a_workspace_that_waits_longest_is_read_first(large: Any) -> None:
    ages = [report.oldest_reading_seconds for report in ticks(large, 30)]
    assert max(ages[3:]) <= 3 * 60
    assert large.bus.of("Monitor Blind") == []


def test_what_a_key_spends_while_its_workspace_waits_is_counted_once(large: Any) -> None:
    list(ticks(large, 6))
    hashes = list(large.account.keys)
    spent = 0.0
    for report in ticks(large, 20):
        spent += report.spend_usd
        for hash in hashes:
            large.account.spend(hash, 0.01)
    for hash in hashes:
        large.account.spend(hash, -0.01)  # what came after the last run
    spent += sum(report.spend_usd for report in ticks(large, 3))
    assert spent == pytest.approx(WORKSPACES * 19 * 0.01)


def test_what_changes_seldom_is_read_though_the_keys_alone_would_take_all_the_time(large: Any) -> None:
    list(ticks(large, 4))
    large.account.caps["ws-2"] = {"monthly": 1.0}
    large.account.keys[next(hash for hash, key in large.account.keys.items() if key["workspace_id"] == "ws-2")][
        "usage_monthly"
    ] = 5.0
    list(ticks(large, 15))
    assert [event.subject for event in large.bus.of("Budget Threshold Reached")]


def test_a_workspace_that_fails_keeps_no_other_waiting(large: Any) -> None:
    slow = large.account.failing
    large.account.failing = lambda request: (
        slow(request) or (503 if request.url.params.get("workspace_id") == "ws-3" else None)
    )
    list(ticks(large, 20))
    assert {event.evidence["scope"] for event in large.bus.of("Monitor Blind")} == {"ws-3"}
