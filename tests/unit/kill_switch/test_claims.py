"""The account's counters decide what an event is worth."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governor.events.evidence import BudgetReached, Exposed, Runaway
from governor.policy import Key
from kill_switch.claims import Guard, contradiction, covering, unconfirmed
from management_api import ApiKey, Guardrail
from tests.unit.kill_switch import doubles
from tests.unit.kill_switch.doubles import HASH, NOW, OTHER, api_key, reading


def judged(claim: Runaway | Exposed | BudgetReached, *keys: ApiKey, now: datetime = NOW, **more: Any) -> str | None:
    return contradiction(claim, keys, now, counts_byok=lambda key: key.include_byok_in_limit, **more)


def claimed(**fields: Any) -> Runaway:
    return Runaway.model_validate(doubles.runaway(**fields)["detail"]["evidence"])


def test_spend_that_fits_in_the_counters_is_borne_out() -> None:
    assert judged(claimed(spent=60), api_key(spent=100)) is None


def test_a_quiet_key_contradicts_a_forged_runaway() -> None:
    quiet = api_key(spent=100, usage_daily=0.0, usage_weekly=0.0, usage_monthly=0.0)
    assert "daily counter shows $0.00" in str(judged(claimed(spent=60), quiet))


def test_a_lifetime_counter_below_the_claimed_one_contradicts_it() -> None:
    assert "in its life" in str(judged(claimed(spent=60), api_key(spent=99)))


def test_a_claim_beyond_all_counters_of_the_lineage_is_contradicted() -> None:
    claim = claimed(spent=500).model_copy(update={"keys": [reading()]})
    assert "$500.00" in str(judged(claim, api_key(spent=100)))


def test_a_claim_about_keys_the_subject_does_not_have_is_contradicted() -> None:
    assert "no key that the event names" in str(judged(claimed(), api_key(OTHER)))


def test_a_claim_of_no_spend_is_no_runaway() -> None:
    assert "claims no spend" in str(judged(claimed(spent=0.0), api_key()))


def test_byok_usage_bears_a_claim_out_only_where_it_counts() -> None:
    brought: dict[str, Any] = {f"byok_usage{period}": 100.0 for period in ("", "_daily", "_weekly", "_monthly")}
    claim = claimed(spent=60)
    assert judged(claim, api_key(spent=0, include_byok_in_limit=True, **brought)) is None
    assert judged(claim, api_key(spent=0, include_byok_in_limit=False, **brought)) is not None


@pytest.mark.parametrize(
    ("since", "now", "period"),
    [
        ("2026-03-11T01:59", "2026-03-11T02:14", "daily"),
        ("2026-03-10T23:50", "2026-03-11T00:05", "weekly"),
        ("2026-03-08T23:50", "2026-03-09T00:05", "monthly"),  # a Monday began
        ("2026-03-31T23:50", "2026-04-01T00:05", "weekly"),
        ("2026-05-31T23:50", "2026-06-01T00:05", "lifetime"),  # a month and a week began
        ("2026-03-10T23:40", "2026-03-10T23:59", "weekly"),  # OpenRouter's clock may be past midnight already
        ("2026-03-11T00:05", "2026-03-11T00:20", "weekly"),  # the window's first reading may hold spend from before
    ],
)
def test_the_shortest_period_that_covers_the_window_is_compared(since: str, now: str, period: str) -> None:
    assert covering(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, now))) == period


def test_a_window_across_midnight_fits_in_the_weekly_counter_after_the_daily_one_was_reset() -> None:
    midnight = datetime(2026, 3, 11, 0, 5, tzinfo=UTC)
    burning = api_key(spent=100, usage_daily=12.0)
    assert judged(claimed(spent=60, at=midnight), burning, now=midnight + timedelta(seconds=9)) is None


def test_a_key_reported_as_leaked_needs_no_counters() -> None:
    assert judged(Exposed(), api_key(spent=0)) is None


def budget(scope: str = "key_limit", scope_id: str = HASH) -> BudgetReached:
    return BudgetReached.model_validate(doubles.budget(scope=scope, scope_id=scope_id)["detail"]["evidence"])


def test_a_limit_that_is_still_reached_is_borne_out() -> None:
    key = api_key(spent=100, limit=100.0, limit_remaining=0.0, limit_reset="monthly")
    assert judged(budget(), key, disable_at=1.0) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": 100.0, "limit_remaining": 100.0, "limit_reset": "monthly"},  # the period was reset meanwhile
        {"limit": 200.0, "limit_remaining": 100.0, "limit_reset": "monthly"},  # somebody raised the limit
        {"limit": None},
    ],
)
def test_a_limit_that_is_not_reached_any_more_contradicts_the_event(fields: dict[str, Any]) -> None:
    assert judged(budget(), api_key(spent=100, **fields), disable_at=1.0) is not None


def test_a_workloads_cap_counts_over_all_its_keys_and_a_share_that_one_has_spent_is_no_cap() -> None:
    old = api_key(spent=40, limit=40.0, limit_remaining=0.0, limit_reset="monthly")
    new = api_key(spent=50, limit=60.0, limit_remaining=10.0, limit_reset="monthly")
    claim = budget("workload", "prod-agent")
    cap = Key(limit_usd=100, limit_reset="monthly")
    assert judged(claim, old, new, disable_at=0.9, cap=cap) is None
    assert judged(claim, old, new, disable_at=1.0, cap=cap) is not None
    assert judged(claim, old, new, disable_at=0.9, cap=None) is not None


def test_a_guardrail_that_the_policy_names_counts_for_all_keys_of_the_workload() -> None:
    """Red before: two keys of one lineage at half of its guardrail's budget each contradicted the claim."""
    rule = Guardrail(
        id="g", name="caps", limit_usd=100.0, reset_interval="monthly", include_byok_in_budgets=False, created_at=NOW
    )
    claim, guard = budget("guardrail", "g"), Guard(rule, frozenset({HASH, OTHER}))
    old, new = api_key(spent=50), api_key(OTHER, spent=50)
    assert judged(claim, old, new, disable_at=1.0, guard=guard, cap=Key(guardrail="caps")) is None
    assert judged(claim, old, new, disable_at=1.0, guard=guard, cap=Key(guardrail="g")) is None
    assert judged(claim, old, disable_at=1.0, guard=guard, cap=Key(guardrail="caps")) is not None
    assert judged(claim, old, new, disable_at=1.0, guard=guard, cap=Key(guardrail="another")) is not None
    # No list assigns any key: the counters bear the claim out, and what no list shows is said apart.
    unlisted = Guard(rule, frozenset())
    assert judged(claim, old, new, disable_at=1.0, guard=unlisted, cap=Key(guardrail="g")) is None
    assert judged(claim, old, disable_at=1.0, guard=unlisted, cap=Key(guardrail="g")) is not None
    assert unconfirmed(claim, [old, new], unlisted) is not None


def test_a_guardrails_budget_is_read_from_the_guardrail_and_counts_for_its_keys_alone() -> None:
    rule = Guardrail(
        id="g", name="g", limit_usd=100.0, reset_interval="monthly", include_byok_in_budgets=False, created_at=NOW
    )
    claim = budget("guardrail", "g")
    assert judged(claim, api_key(spent=100), disable_at=1.0, guard=Guard(rule, frozenset({HASH}))) is None
    assert judged(claim, api_key(spent=99), disable_at=1.0, guard=Guard(rule, frozenset({HASH}))) is not None
    other = api_key(OTHER, spent=100)
    guard = Guard(rule, frozenset({HASH}))
    assert judged(claim, api_key(spent=99), other, disable_at=1.0, guard=guard) is not None
    assert unconfirmed(claim, [api_key()], guard) is None
    assert "assigns" in str(unconfirmed(claim, [api_key()], Guard(rule, frozenset({OTHER}))))
    assert "gone" in str(judged(claim, api_key(spent=100), disable_at=1.0, guard=None))
