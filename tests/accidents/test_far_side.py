"""What OpenRouter answers for a while, alone and beside what a person does by hand; and two hands at once.

Over the built stack. `make accidents` plays them: they take several minutes, and `make test` leaves them out.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accidents.account import HOUR, MINUTE, TEN, Account, opened
from tests.accidents.catalogue import FAR_SIDE, HANDS, HOURS, LASTING
from tests.accidents.checker import Checker
from tests.accidents.states import STATES, bring, come_to_rest, names

GROUPS = 4
"""Worlds over which the far side's accidents are spread."""
WORLDS = int(os.environ.get("ACCIDENT_WORLDS", "10"))
"""Worlds of drawn pairs."""
PAIRS = 30
"""Pairs in one world, each on a workload of its own."""


@pytest.mark.parametrize("group", range(GROUPS))
def test_what_openrouter_answers_for_a_while_breaks_no_promise_and_blinds_nobody(tmp_path: Path, group: int) -> None:
    """Each accident befalls a workload in its overlap, and another whose rotation is asked for meanwhile."""
    accidents = sorted(FAR_SIDE)[group::GROUPS]
    workloads = names(2 * len(accidents))
    with opened(tmp_path, [*workloads, "prod-last-agent"]) as account:
        checker = Checker(account)
        for replaced, asked, name in zip(workloads[::2], workloads[1::2], accidents, strict=True):
            bring(account, "overlap", [replaced])
            for broken in _for_a_while(account, checker, name, asked):
                pytest.fail(f"{name}: {broken}")
        account.pass_time(12 * HOUR)
        assert checker.at_the_end() == []
        _a_loop_is_stopped(account, "prod-last-agent")


def _for_a_while(account: Account, checker: Checker, name: str, asked: str) -> Iterator[str]:
    end = FAR_SIDE[name](account)
    account.ask("Rotation Requested", asked)
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
    with opened(tmp_path, names(PAIRS)) as account:
        pairs = {name: drawn.sample(possible, 1 if far else 2) for name in account.workloads}
        bring(account, state)
        checker = Checker(account)
        end = FAR_SIDE[far](account) if far else lambda: None
        for workload, befalls in pairs.items():
            for name in befalls:
                if account.current(workload) and (state == "resting" or account.old(workload)):
                    HANDS[name].do(account, workload)
                    checker.begin()
        account.pass_time(LASTING)
        end()
        come_to_rest(account)
        broken = checker.at_the_end()
        assert [f"{far} {pairs.get(one.partition(':')[0], '')} {one}" for one in broken] == [], state
