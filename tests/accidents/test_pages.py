"""A list of keys that comes in several pages, of which the last is wrong for a while, over the built stack."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.accidents.account import PLACE, opened
from tests.accidents.catalogue import LASTING, answering
from tests.accidents.checker import Checker
from tests.accidents.states import bring, come_to_rest, names

PAGE = 100
"""Keys in a page of `GET /keys`."""
type Rows = list[dict[str, Any]]


def _empty(_: Rows, __: Rows) -> Rows:
    return []


def _the_page_before_again(_: Rows, before: Rows) -> Rows:
    return before


def _both_pages(last: Rows, before: Rows) -> Rows:
    return [*before, *last][:PAGE]


@pytest.mark.parametrize("change", [_empty, _the_page_before_again, _both_pages])
def test_a_page_that_is_wrong_for_a_while_breaks_no_promise(
    tmp_path: Path, change: Callable[[Rows, Rows], Rows]
) -> None:
    with opened(tmp_path, names(4)) as account:
        for number in range(PAGE + 20):
            account.world.simulator.create_key(f"by-hand-{number:03}", workspace=PLACE)
        bring(account, "overlap", account.workloads[:2])
        checker = Checker(account)
        pages: list[Rows] = [[]]

        def last_page(path: str, answer: Any) -> Any:
            if path != "/keys" or not isinstance(answer.get("data"), list):
                return answer
            if len(answer["data"]) == PAGE:
                pages[0] = answer["data"]
                return answer
            return {**answer, "data": change(answer["data"], pages[0])}

        end = answering(last_page)(account)
        account.ask("Rotation Requested", account.workloads[2])
        account.pass_time(LASTING)
        end()
        come_to_rest(account)
        assert checker.at_the_end() == []
