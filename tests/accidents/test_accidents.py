"""A day of accidents, over the built stack: each alone, and pairs that are drawn. One checker reads the whole world."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.accidents.account import HOUR, MINUTE, TEN, Account, opened
from tests.accidents.catalogue import FAR_SIDE, HANDS, HOURS, LASTING
from tests.accidents.checker import Checker

STATES = ("resting", "overlap", "quarantine")
GROUPS = 4
"""Worlds over which the far side's accidents are spread."""
WORLDS = int(os.environ.get("ACCIDENT_WORLDS", "2"))
"""Worlds of drawn pairs: `make accidents` plays more of them than `make test`."""
PAIRS = 30
"""Pairs in one world, each on a workload of its own."""


def _names(count: int) -> list[str]:
    return [f"prod-w{number:02d}-agent" for number in range(count)]


def bring(account: Account, state: str, workloads: list[str] | None = None) -> None:
    """The workloads into a state: a new key beside the old one, the old one disabled, or the new one alone."""
    chosen = workloads or account.workloads
    for name in chosen:
        account.ask("Rotation Requested", name)
    account.pass_time(4 * MINUTE, MINUTE)
    late = [name for name in chosen if account.held_hash(name) == account.first[name]]
    assert not late, f"not rotated: {late}"
    if state == "overlap":
        return
    account.pass_time(2 * HOUR)
    enabled = [name for name in chosen if not account.old(name).disabled]
    assert not enabled, f"not in quarantine: {enabled}"
    if state == "resting":
        account.pass_time(5 * HOUR, every=3 * TEN)
        left = [name for name in chosen if account.old(name)]
        assert not left, f"not deleted: {left}"


def come_to_rest(account: Account) -> None:
    account.pass_time(4 * HOUR)
    account.pass_time(10 * HOUR, every=timedelta(minutes=30))


@pytest.mark.parametrize("state", STATES)
def test_what_a_person_does_by_hand_breaks_no_promise_and_is_told(tmp_path: Path, state: str) -> None:
    accidents = {name: one for name, one in HANDS.items() if state in one.states}
    with opened(tmp_path, _names(len(accidents))) as account:
        bring(account, state)
        checker = Checker(account)
        befell = dict(zip(account.workloads, accidents, strict=True))
        for workload, name in befell.items():
            accidents[name].do(account, workload)
            checker.begin()
        come_to_rest(account)
        broken = checker.at_the_end()
        for workload, name in befell.items():
            if accidents[name].told and not accidents[name].told & set(account.told(workload)):
                broken.append(f"{workload}: {name} was not told: {account.told(workload)}")
        found = [f"{befell.get(one.partition(chr(58))[0], '')} {one}" for one in broken]
        assert not found, chr(10).join(found)


@pytest.mark.parametrize("group", range(GROUPS))
def test_what_openrouter_answers_for_a_while_breaks_no_promise_and_blinds_nobody(tmp_path: Path, group: int) -> None:
    accidents = sorted(FAR_SIDE)[group::GROUPS]
    with opened(tmp_path, [*_names(len(accidents)), "prod-last-agent"]) as account:
        checker = Checker(account)
        for workload, name in zip(account.workloads, accidents, strict=False):
            bring(account, "overlap", [workload])
            for broken in _for_a_while(account, checker, name):
                pytest.fail(f"{name}: {broken}")
        account.pass_time(12 * HOUR)
        assert checker.at_the_end() == []
        _a_loop_is_stopped(account, "prod-last-agent")


def _for_a_while(account: Account, checker: Checker, name: str) -> Iterator[str]:
    end = FAR_SIDE[name](account)
    account.pass_time(3 * MINUTE, MINUTE)
    account.pass_time(HOURS.get(name, LASTING))
    end()
    account.pass_time(2 * TEN)
    yield from checker.broken


def _a_loop_is_stopped(account: Account, workload: str) -> None:
    """After all that, a runaway is still found in minutes."""
    account.world.traffic[workload].hash = account.held_hash(workload)
    account.pass_time(3 * MINUTE, MINUTE)
    account.world.loop(workload, 500)
    account.pass_time(8 * MINUTE, MINUTE)
    assert account.current(workload).disabled, "a loop of 500 USD an hour was not stopped within 8 minutes"


@pytest.mark.parametrize("seed", range(WORLDS))
def test_two_accidents_at_once_break_no_promise(tmp_path: Path, seed: int) -> None:
    drawn = random.Random(f"accidents {seed}")
    state = drawn.choice(STATES)
    far = drawn.choice([None, *sorted(FAR_SIDE)])
    possible = sorted(name for name, one in HANDS.items() if state in one.states)
    with opened(tmp_path, _names(PAIRS)) as account:
        pairs = {name: drawn.sample(possible, 1 if far else 2) for name in account.workloads}
        bring(account, state)
        checker = Checker(account)
        end = FAR_SIDE[far](account) if far else lambda: None
        for workload, names in pairs.items():
            for name in names:
                if account.current(workload) and (state == "resting" or account.old(workload)):
                    HANDS[name].do(account, workload)
                    checker.begin()
        account.pass_time(LASTING)
        end()
        come_to_rest(account)
        broken = checker.at_the_end()
        assert [f"{far} {pairs.get(one.partition(':')[0], '')} {one}" for one in broken] == [], state
