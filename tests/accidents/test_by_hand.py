"""What a person does by hand to a workload, over the built stack: each accident alone, in each state."""

from pathlib import Path

import pytest

from tests.accidents.account import opened
from tests.accidents.catalogue import HANDS
from tests.accidents.checker import Checker
from tests.accidents.states import STATES, bring, come_to_rest, names


@pytest.mark.parametrize("state", STATES)
def test_what_a_person_does_by_hand_breaks_no_promise_and_is_told(tmp_path: Path, state: str) -> None:
    accidents = {name: one for name, one in HANDS.items() if state in one.states}
    with opened(tmp_path, names(len(accidents))) as account:
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
