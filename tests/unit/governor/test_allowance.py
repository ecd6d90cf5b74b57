"""A key spends no more than its allowance between two looks, a lineage no more than its cap, and little is moved."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.keys.allowance import GRANTED, MOST, BadNeeds, Need, Needs, granted, held, needs_a_look, within_allowance
from governor.keys.caps import Cap, Role, balance, split
from governor.keys.lineage import Limit
from management_api import ApiKey
from tests.unit.governor.test_caps import CAP, NOW, key, limited, spend

WHOLE = Limit(CAP.limit_usd, CAP.period)


@pytest.mark.parametrize(
    ("limit", "spent", "need", "renew", "wanted"),
    [
        (100.0, 40.0, 10.0, True, 52.0),  # the cap is held to the allowance
        (52.0, 40.0, 10.0, True, 52.0),  # as it was set
        (50.0, 40.0, 10.0, True, 50.0),  # the need is still left
        (49.0, 40.0, 10.0, True, 52.0),  # less than the need: renewed
        (49.0, 40.0, 10.0, False, 49.0),  # not while it is suspected
        (53.4, 40.0, 10.0, True, 53.4),  # a little more than is granted
        (60.0, 40.0, 10.0, True, 52.0),  # a reset, or a habit that has shrunk
        (60.0, 40.0, 10.0, False, 52.0),
        (95.0, 94.0, 10.0, True, 100.0),  # never above the cap
        (100.0, 94.0, 10.0, True, 100.0),
        (None, 40.0, 10.0, True, 52.0),
        (120.0, 94.0, 10.0, False, 100.0),
        (40.0, 45.0, 10.0, False, 40.0),  # past its limit by the last request
    ],
)
def test_a_limit_is_what_was_spent_and_the_need(
    limit: float | None, spent: float, need: float, renew: bool, wanted: float
) -> None:
    assert granted(key("a", spent, limit), WHOLE, Need(need, renew)) == Limit(wanted, "monthly")


def test_a_limit_of_another_period_is_set_anew_by_the_counter_of_the_share() -> None:
    daily = key("a", 40.0, 52.0, limit_reset="daily")
    assert granted(daily, WHOLE, Need(10.0)) == Limit(52.0, "monthly")


@pytest.mark.parametrize("byok", [False, True])
def test_what_openrouter_counts_against_the_limit_counts_here(byok: bool) -> None:
    mixed = key("a", 40.0, 100.0, include_byok_in_limit=byok, byok_usage_monthly=20.0)
    assert granted(mixed, WHOLE, Need(10.0)).limit_usd == (72.0 if byok else 52.0)


usd = st.floats(0, 300)
needs = st.floats(10, 200)


@given(spent=usd, limit=st.none() | usd, need=needs, renew=st.booleans())
def test_a_loop_of_any_rate_spends_at_most_the_allowance_between_two_looks(
    spent: float, limit: float | None, need: float, renew: bool
) -> None:
    """OpenRouter serves until the limit is spent, however fast: what the limit leaves is what can be lost."""
    after = granted(key("a", spent, limit), WHOLE, Need(need, renew)).limit_usd
    assert after is not None
    assert after <= CAP.limit_usd + 0.005
    assert after - spent <= MOST * need + 0.01
    if renew:
        assert after - spent >= min(need, CAP.limit_usd - spent) - 0.005


@given(spent=usd, limit=st.none() | usd, need=needs, renew=st.booleans())
def test_a_limit_that_was_set_is_not_set_again(spent: float, limit: float | None, need: float, renew: bool) -> None:
    once = granted(key("a", spent, limit), WHOLE, Need(need, renew))
    assert granted(limited(key("a", spent), once), WHOLE, Need(need, renew)) == once
    assert within_allowance({}, {"a": limited(key("a", spent), once)}, Need(need, renew)) == {}
    single = limited(key("a", spent), once)
    assert not needs_a_look(single, CAP.limit_usd, Need(need, renew))


share = st.floats(0, 1)
roles_of_the_old = st.sampled_from(["draining", "resting", "retired"])


@given(
    spent=st.floats(0, 120),
    need=needs,
    moves=st.lists(st.tuples(share, share, roles_of_the_old, needs, st.booleans()), max_size=8),
)
def test_a_lineage_in_overlap_never_passes_its_cap_nor_a_key_its_allowance(
    spent: float, need: float, moves: list[tuple[float, float, Role, float, bool]]
) -> None:
    old = limited(key("old", spent), granted(key("old", spent, 100.0), WHOLE, Need(need)))
    both = held(split([CAP], [old], (), NOW), [old], need)
    old, new = limited(old, both.lowered["old"]), limited(key("new"), both.new)
    for of_old, of_new, of_the_old, now_needed, renew in moves:
        before = old.usage_monthly, new.usage_monthly
        old, new = spend(old, of_old), spend(new, of_new)
        assert old.usage_monthly + new.usage_monthly <= max(CAP.limit_usd, spent) + 1e-4
        assert old.usage_monthly - before[0] <= MOST * need + 0.01
        assert new.usage_monthly - before[1] <= MOST * need + 0.01
        need = now_needed
        keys = {"old": old, "new": new}
        roles: dict[str, Role] = {"new": "current", "old": of_the_old}
        targets = within_allowance(balance([CAP], keys, roles, (), NOW), keys, Need(need, renew))
        old, new = (limited(one, targets[one.hash]) if one.hash in targets else one for one in (old, new))


def test_without_an_allowance_the_shares_stand() -> None:
    shares = {"a": WHOLE}
    assert within_allowance(shares, {"a": key("a", 40.0, 52.0)}, None) == shares
    assert held(split([CAP], [], (), NOW), [], None) == split([CAP], [], (), NOW)


def test_a_new_key_has_an_allowance_of_its_own_and_the_former_no_more_than_it_had() -> None:
    old = key("old", 40.0, 52.0)
    both = held(split([CAP], [old], (), NOW), [old], 10.0)
    assert both.new == Limit(GRANTED * 10.0, "monthly")
    assert both.lowered["old"] == Limit(52.0, "monthly")


def test_lower_limits_come_first() -> None:
    keys: Mapping[str, ApiKey] = {"up": key("up", 40.0, 41.0), "down": key("down", 1.0, 90.0)}
    shares = {"up": Limit(95.0, "monthly"), "down": Limit(5.0, "monthly")}
    assert list(within_allowance(shares, keys, Need(10.0))) == ["down", "up"]


def test_needs_survive_the_object_they_are_kept_in() -> None:
    stored = Needs(29_000_000, {"agent": Need(12.5, renew=False, due=True)})
    assert Needs.decode(stored.encode()) == stored


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"minute": 1, "needs": {"a": [1]}}',
        b'{"minute": 1, "needs": {"a": [Infinity, true, true]}}',
        b'{"minute": 1, "needs": {"a": [NaN, true, true]}}',
        b'{"minute": 1, "needs": {"a": [-5, true, true]}}',
        b'{"minute": "x", "needs": {}}',
    ],
)
def test_needs_that_cannot_be_are_refused(content: bytes) -> None:
    with pytest.raises(BadNeeds):
        Needs.decode(content)


def test_an_old_word_of_the_meter_is_not_fresh() -> None:
    minute = int(NOW.timestamp() // 60)
    assert Needs(minute).is_fresh(NOW + timedelta(minutes=14))
    assert not Needs(minute).is_fresh(NOW + timedelta(minutes=16))
    assert not Needs(minute + 60).is_fresh(NOW)


@pytest.mark.parametrize("period", ["daily", "weekly", "monthly"])
def test_after_a_reset_the_limit_leaves_no_more_than_it_was_until_the_next_look_lowers_it(period: str) -> None:
    """What one figure can do: before the reset it must leave the need, so after it there is what was spent besides."""
    cap = Cap(100.0, period)
    before = key("a", 40.0, 52.0, limit_reset=period)
    after = key("a", 0.0, before.limit, limit_reset=period)
    assert after.limit is not None
    assert after.limit <= cap.limit_usd
    assert needs_a_look(after, cap.limit_usd, Need(10.0))
    assert granted(after, Limit(cap.limit_usd, period), Need(10.0)) == Limit(12.0, period)
