"""Why a spend changed: known answers, and five reasons that always add up to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_review.costs import cents
from account_review.movers import Usage, reasons

D = Decimal


def _use(requests: str, cost: str, prompt: str = "0", completion: str = "0", cache: str | None = None) -> Usage:
    return Usage(D(requests), D(cost), D(prompt), D(completion), None if cache is None else D(cache))


def _parts(before: dict[str, Usage], now: dict[str, Usage], **discounts: str) -> dict[str, Decimal]:
    why = reasons(before, now, {name: D(one) for name, one in discounts.items()})
    assert sum(why.parts.values()) == why.change
    return {name: amount for name, amount in why.parts.items() if amount}


def test_twice_the_requests_are_all_volume() -> None:
    before = {"a": _use("100", "10", "1000", "100"), "b": _use("50", "40", "500", "50")}
    now = {"a": _use("200", "20", "2000", "200"), "b": _use("100", "80", "1000", "100")}
    assert _parts(before, now) == {"volume": D("50.00")}


def test_the_same_requests_at_half_the_price_are_all_price() -> None:
    before, now = {"a": _use("100", "10", "1000", "100")}, {"a": _use("100", "5", "1000", "100")}
    assert _parts(before, now) == {"price": D("-5.00")}


def test_the_same_requests_to_a_dearer_model_are_all_mix() -> None:
    before = {"cheap": _use("80", "8", "800", "80"), "dear": _use("20", "20", "200", "20")}
    now = {"cheap": _use("50", "5", "500", "50"), "dear": _use("50", "50", "500", "50")}
    assert _parts(before, now) == {"model mix": D("27.00")}


def test_requests_that_moved_to_a_model_which_is_new_are_mix() -> None:
    before, now = {"old": _use("100", "10", "1000", "100")}, {"new": _use("100", "30", "1000", "100")}
    assert _parts(before, now) == {"model mix": D("20.00")}


def test_twice_the_tokens_a_request_are_all_size() -> None:
    before, now = {"a": _use("100", "10", "1000", "100")}, {"a": _use("100", "20", "2000", "200")}
    assert _parts(before, now) == {"request size": D("10.00")}


def test_tokens_that_come_from_cache_no_longer_are_all_cache() -> None:
    # 1,000,000 prompt tokens at $3 a million, $0.30 from cache: at 80 % $0.84, at 20 % $2.46.
    before = {"a": _use("100", "0.84", "1000000", "0", "0.8")}
    now = {"a": _use("100", "2.46", "1000000", "0", "0.2")}
    assert _parts(before, now, a="0.0000027") == {"cache rate": D("1.62")}


def test_two_reasons_at_once_are_told_apart() -> None:
    # Half as many requests again, and each token a fifth dearer: 10 -> 15 by volume, 15 -> 18 by price.
    before, now = {"a": _use("100", "10", "1000", "100")}, {"a": _use("150", "18", "1500", "150")}
    assert _parts(before, now) == {"volume": D("5.00"), "price": D("3.00")}


@pytest.mark.parametrize(("first", "last"), [("0", "12.34"), ("12.34", "0")])
def test_who_comes_or_goes_is_all_volume(first: str, last: str) -> None:
    def week(cost: str) -> dict[str, Usage]:
        return {"a": _use("7", cost, "70", "7")} if D(cost) else {}

    assert _parts(week(first), week(last)) == {"volume": D(last) - D(first)}


def test_the_main_reason_is_the_one_that_moved_it_most_in_its_direction() -> None:
    before = {"a": _use("100", "10", "1000", "100")}
    now = {"a": _use("300", "24", "3000", "300")}
    why = reasons(before, now, {})
    assert (why.volume, why.price, why.main) == (D("20.00"), D("-6.00"), "volume")


_AMOUNT = st.decimals(min_value=0, max_value=10**6, places=6)
_COUNT = st.integers(min_value=0, max_value=10**9).map(Decimal)
_RATE = st.none() | st.decimals(min_value=0, max_value=1, places=4)
_USAGE = st.builds(Usage, _COUNT, _AMOUNT, _COUNT, _COUNT, _RATE)
_WEEK = st.dictionaries(st.sampled_from("abcd"), _USAGE, max_size=4)


@given(before=_WEEK, now=_WEEK, discount=st.decimals(min_value=0, max_value="0.001", places=9))
def test_whatever_happened_the_reasons_add_up_to_the_change_to_the_cent(
    before: dict[str, Usage], now: dict[str, Usage], discount: Decimal
) -> None:
    why = reasons(before, now, dict.fromkeys("abcd", discount))
    assert sum(why.parts.values()) == why.change
    assert why.change == cents(sum((one.cost for one in now.values()), D(0))) - cents(
        sum((one.cost for one in before.values()), D(0))
    )
    assert all(one == cents(one) for one in why.parts.values())
