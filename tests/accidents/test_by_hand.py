"""What a person does by hand to a workload, over the built stack: each accident alone, in each state."""

from pathlib import Path

import pytest

from tests.accidents.account import CAP, opened
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


POLICIES = {
    "the workload is left out": "",
    "its cap is lowered": "limit_usd: 40, limit_reset: monthly, guardrail: production",
    "its cap is for a day": f"limit_usd: {CAP:g}, limit_reset: daily, guardrail: production",
    "its guardrail is another": f"limit_usd: {CAP:g}, limit_reset: monthly, guardrail: lax",
}


@pytest.mark.parametrize("state", STATES)
def test_a_policy_that_changes_in_the_middle_breaks_no_promise(tmp_path: Path, state: str) -> None:
    with opened(tmp_path, names(len(POLICIES))) as account:
        bring(account, state)
        checker = Checker(account)
        changed = dict(zip(account.workloads, POLICIES.values(), strict=True))
        account.hands[account.workloads[-1]].attached |= {account.held_hash(account.workloads[-1])}
        account.deploy_policy(changed)
        come_to_rest(account)
        broken = [one for one in checker.at_the_end() if account.workloads[0] not in one or "promise 5" in one]
        assert not broken, "\n".join(broken)
        assert account.works(account.held_hash(account.workloads[0])), "a workload that is left out keeps its key"
