"""Analytics: grouping, names for ids, strings for counts, and what is refused."""

import pytest

from sandbox.openrouter.periods import iso

NOW, DAY = 1_795_000_000.0, 86_400.0


def query(api, **asked):
    return api.post("/analytics/query", {"metrics": ["total_usage", "request_count"], **asked})


def rows(api, **asked):
    answer = query(api, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["data"]


@pytest.fixture
def keys(simulator):
    search, reports = simulator.create_key("search")[0], simulator.create_key("reports")[0]
    simulator.spend(search.hash, 2.0, requests=4, app="web", at=NOW - 120)
    simulator.spend(search.hash, 1.0, requests=2, app="cron", model="openai/gpt-5.1", at=NOW - 60)
    simulator.spend(reports.hash, 5.0, requests=1, at=NOW - DAY, byok=True)
    return search, reports


def test_keys_and_workspaces_come_back_by_name_and_counts_as_strings(api, keys):
    assert rows(api, dimensions=["api_key_id", "workspace"]) == [
        {"api_key_id": "search", "workspace": "Default", "total_usage": 3.0, "request_count": "6"},
        {"api_key_id": "reports", "workspace": "Default", "total_usage": 5.0, "request_count": "1"},
    ]


def test_two_keys_of_one_name_cannot_be_told_apart(simulator, api, keys):
    twin, _ = simulator.create_key("search")
    simulator.spend(twin.hash, 9.0)
    names = [row["api_key_id"] for row in rows(api, dimensions=["api_key_id"])]
    assert names.count("search") == 2


def test_filters_take_a_keys_hash(api, keys):
    by_key = [{"field": "api_key_id", "operator": "eq", "value": keys[0].hash}]
    assert rows(api, filters=by_key) == [{"total_usage": 3.0, "request_count": "6"}]
    assert rows(api, filters=[{"field": "api_key_id", "operator": "eq", "value": "search"}]) == []
    others = [{"field": "api_key_id", "operator": "not_in", "value": [keys[0].hash]}]
    assert rows(api, filters=others)[0]["total_usage"] == 5.0


def test_minutes_tell_when_it_was_spent(api, keys):
    by_key = [{"field": "api_key_id", "operator": "eq", "value": keys[0].hash}]
    assert [(row["date__minute"], row["total_usage"]) for row in rows(api, granularity="minute", filters=by_key)] == [
        ("2026-11-18T11:04:00.000Z", 2.0),
        ("2026-11-18T11:05:00.000Z", 1.0),
    ]


@pytest.mark.parametrize(
    ("granularity", "bucket"),
    [("hour", "18T11:00"), ("day", "18T00:00"), ("week", "16T00:00"), ("month", "01T00:00")],
)
def test_buckets_begin_at_utc_boundaries(api, keys, granularity, bucket):
    found = rows(api, granularity=granularity, dimensions=["model"])
    assert found[-1][f"date__{granularity}"] == f"2026-11-{bucket}:00.000Z"


def test_a_time_range_bounds_the_answer(api, keys):
    time_range = {"start": "2026-11-17T00:00:00Z", "end": "2026-11-18T00:00:00Z"}
    assert rows(api, time_range=time_range) == [{"total_usage": 5.0, "request_count": "1"}]


def test_an_unused_component_is_null(simulator, api, keys):
    found = rows(api, metrics=["usage_upstream", "cache_hit_rate"], dimensions=["api_key_id"])
    assert {row["api_key_id"]: row["cache_hit_rate"] for row in found} == {"search": 0.0, "reports": 0.0}
    simulator.spend(keys[0].hash, 0.0, model="meta-llama/llama-3.3-70b-instruct:free", app="free")
    found = rows(api, metrics=["usage_upstream"], dimensions=["app"])
    assert {row["app"]: row["usage_upstream"] for row in found}["free"] is None


def test_what_providers_charge_is_of_all_traffic_and_byok_usage_of_our_own_accounts(simulator, api, keys):
    simulator.organization.byok_fee = 0.05
    simulator.organization.byok_free_requests = 0
    simulator.spend(keys[1].hash, 10.0, byok=True)
    split = ["total_usage", "credits_usage", "byok_usage", "byok_fees", "usage_upstream"]
    (row,) = rows(api, metrics=split)
    assert row == {
        "total_usage": 18.5, "credits_usage": 3.5, "byok_usage": 15.0, "byok_fees": 0.5, "usage_upstream": 18.0,
    }  # fmt: skip


def test_the_65th_question_of_a_minute_is_refused_and_told_when_to_come_back(simulator, api):
    assert {query(api).status_code for _ in range(64)} == {200}
    simulator.clock.set(NOW + 20)
    refused = query(api)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")
    simulator.clock.set(NOW + 60)
    assert query(api).status_code == 200


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ({"granularity": "minute"}, 3 * 3600),
        ({"dimensions": ["provider"]}, 31 * DAY),
        ({"filters": [{"field": "workspace", "operator": "neq", "value": "none"}]}, 31 * DAY),
    ],
)
def test_a_range_longer_than_a_granularity_or_dimension_allows_is_a_400(api, asked, seconds):
    def range_of(length):
        return {"start": iso(NOW - length), "end": iso(NOW)}

    assert query(api, **asked, time_range=range_of(seconds)).status_code == 200
    assert query(api, **asked, time_range=range_of(seconds + 1)).status_code == 400
    assert query(api, time_range=range_of(seconds + 1)).status_code == 200


def test_a_range_that_ends_before_it_begins_is_a_400(api):
    assert query(api, time_range={"start": iso(NOW), "end": iso(NOW - 1)}).status_code == 400


def test_a_hash_that_is_no_keys_is_warned_of_and_the_query_runs(api, keys):
    hashes = [keys[0].hash, "f" * 64]
    data = query(api, filters=[{"field": "api_key_id", "operator": "in", "value": hashes}]).json()["data"]
    assert data["data"] == [{"total_usage": 3.0, "request_count": "6"}]
    assert data["warnings"] == [f"api_key_id {'f' * 64} could not be resolved"]
    assert "warnings" not in query(api).json()["data"]


def test_a_question_asked_again_may_get_the_former_answer_which_says_when_it_was_computed(simulator, api, keys):
    simulator.organization.analytics_cache_seconds = 60
    first = query(api).json()["data"]
    simulator.spend(keys[0].hash, 1.0)
    simulator.clock.set(NOW + 59)
    assert query(api).json()["data"] == {**first, "cachedAt": NOW * 1000}
    simulator.clock.set(NOW + 60)
    renewed = query(api).json()["data"]
    assert (renewed["data"][0]["total_usage"], "cachedAt" in renewed) == (9.0, False)


def test_an_answer_cut_short_says_so(api, keys):
    answer = query(api, dimensions=["model", "app"], limit=1, order_by={"field": "total_usage", "direction": "desc"})
    assert answer.json()["data"]["metadata"] == {"query_time_ms": 12, "row_count": 1, "truncated": True}
    assert answer.json()["data"]["data"][0]["total_usage"] == 5.0


@pytest.mark.parametrize(
    "asked",
    [
        {"dimensions": ["model", "app", "user"]},
        {"dimensions": ["colour"]},
        {"metrics": ["happiness"]},
        {"metrics": []},
        {"granularity": "second"},
        {"filters": [{"field": "colour", "operator": "eq", "value": "red"}]},
    ],
)
def test_what_is_not_offered_is_a_400(api, asked):
    assert query(api, **asked).status_code == 400


def test_traffic_older_than_two_days_is_known_by_the_hour(simulator, api, keys):
    simulator.spend(keys[0].hash, 7.0, at=NOW + 5 * DAY)
    simulator.clock.set(NOW + 6 * DAY)
    three_hours = {"start": iso(NOW - DAY - 7200), "end": iso(NOW - DAY + 3600)}
    found = rows(api, granularity="minute", dimensions=["model"], time_range=three_hours)
    assert [row["date__minute"] for row in found] == ["2026-11-17T11:00:00.000Z"]
    assert sum(row["total_usage"] for row in rows(api, dimensions=["model"])) == 15.0


def test_activity_holds_completed_days_only(api, keys):
    (item,) = api.get("/activity").json()["data"]
    assert (item["date"], item["byok_usage_inference"], item["usage"]) == ("2026-11-17", 5.0, 0.0)
    assert api.get(f"/activity?api_key_hash={keys[0].hash}").json()["data"] == []


@pytest.mark.parametrize(("direction", "first"), [("asc", 4), ("desc", 1)])
def test_rows_come_in_the_order_of_time_that_is_asked_for(simulator, api, direction, first):
    key, _ = simulator.create_key("agent")
    hour = NOW // 3600 * 3600
    for before in (4, 3, 2, 1):
        simulator.spend(key.hash, 1.0, at=hour - before * 3600)

    found = rows(api, granularity="hour", order_by={"field": "date", "direction": direction})

    assert found[0]["date__hour"] == iso(hour - first * 3600)
