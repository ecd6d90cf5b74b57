"""However keys spend while one replaces another, the lineage never passes its cap."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governor.keys.caps import Cap, Role, balance, counted, split
from governor.keys.lineage import Limit
from management_api import ApiKey

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
CAP = Cap(100.0, "monthly")


def key(hash: str, spent: float = 0.0, limit: float | None = None, **more: Any) -> ApiKey:
    counters = {
        f"{kind}{period}": spent if kind == "usage" else 0.0
        for kind in ("usage", "byok_usage")
        for period in ("", "_daily", "_weekly", "_monthly")
    }
    fields = {
        "hash": hash, "name": "prod-agent", "disabled": False, "limit": limit, "limit_reset": "monthly",
        "include_byok_in_limit": False, "created_at": NOW - timedelta(days=9), "workspace_id": "w",
    }  # fmt: skip
    return ApiKey(**{**fields, **counters, **more})


def spend(one: ApiKey, share: float) -> ApiKey:
    """The key after it spent that share of what its limit leaves."""
    left = max(0.0, (one.limit or 0.0) - one.usage_monthly)
    usage = one.usage_monthly + left * share
    return replace(one, usage=usage, usage_daily=usage, usage_weekly=usage, usage_monthly=usage)


def limited(one: ApiKey, limit: Limit) -> ApiKey:
    return replace(one, limit=limit.limit_usd, limit_reset=limit.limit_reset)


shares = st.floats(0, 1)


roles_of_the_old = st.sampled_from(["draining", "resting", "retired"])


@given(st.floats(0, 120), st.lists(st.tuples(shares, shares, roles_of_the_old), max_size=8))
def test_two_keys_together_never_pass_the_cap(spent: float, moves: list[tuple[float, float, Role]]) -> None:
    old = key("old", spent, 100.0)
    both = split([CAP], [old], (), NOW)
    old, new = limited(old, both.lowered["old"]), limited(key("new"), both.new)
    for of_old, of_new, of_the_old in moves:
        old, new = spend(old, of_old), spend(new, of_new)
        assert old.usage_monthly + new.usage_monthly <= max(CAP.limit_usd, spent) + 1e-4
        roles: dict[str, Role] = {"new": "current", "old": of_the_old}
        targets = balance([CAP], {"old": old, "new": new}, roles, (), NOW)
        old = limited(old, targets["old"]) if "old" in targets else old
        new = limited(new, targets["new"]) if "new" in targets else new


def test_what_is_lowered_comes_before_what_is_raised() -> None:
    keys = {"old": key("old", 10, 55), "new": key("new", 5, 45)}
    targets = balance([CAP], keys, {"new": "current", "old": "retired"}, (), NOW)
    assert list(targets) == ["old", "new"]
    assert targets == {"old": Limit(10.0, "monthly"), "new": Limit(90.0, "monthly")}


def test_a_key_that_is_not_used_in_the_overlap_keeps_a_tenth_and_gets_half_once_it_is() -> None:
    keys = {"old": key("old", 10, 55), "new": key("new", 40, 45)}
    targets = balance([CAP], keys, {"new": "current", "old": "resting"}, (), NOW)
    assert {hash: round(limit.limit_usd or 0, 6) for hash, limit in targets.items()} == {"old": 15.0, "new": 85.0}
    resting = {hash: limited(keys[hash], targets[hash]) for hash in keys}
    assert balance([CAP], resting, {"new": "current", "old": "resting"}, (), NOW) == {}
    used = {**resting, "old": spend(resting["old"], 0.5)}
    after = balance([CAP], used, {"new": "current", "old": "draining"}, (), NOW)
    assert {hash: round(limit.limit_usd or 0, 6) for hash, limit in after.items()} == {"old": 36.25, "new": 63.75}


def test_a_new_period_gives_the_whole_cap_back() -> None:
    keys = {"old": key("old", 0, 10, disabled=True), "new": key("new", 0, 90)}
    assert balance([CAP], keys, {"new": "current", "old": "disabled"}, (), NOW) == {"new": Limit(100.0, "monthly")}


def test_a_guardrails_budget_for_each_key_is_a_cap_on_both() -> None:
    both = split([CAP, Cap(20.0, "daily")], [key("old", 15)], (), NOW)
    assert both.new == Limit(2.5, "monthly")


def test_byok_counts_where_the_limit_counts_it() -> None:
    one = key("one", 3)
    assert counted(replace(one, byok_usage_monthly=4.0), "monthly", byok=True) == 7
    assert counted(replace(one, byok_usage_monthly=4.0), "monthly", byok=False) == 3


def test_a_disabled_key_that_a_human_restores_brings_no_cap_along() -> None:
    leaked = key("leaked", 30.0, 100.0, disabled=True)
    both = split([CAP], [leaked], (), NOW)
    assert both.lowered["leaked"].limit_usd == 30.0
    assert both.new.limit_usd == 70.0
    restored, new = limited(leaked, both.lowered["leaked"]), limited(key("new"), both.new)
    assert spend(restored, 1.0).usage_monthly + spend(new, 1.0).usage_monthly <= CAP.limit_usd
