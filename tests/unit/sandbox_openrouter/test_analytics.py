"""Analytics: grouping, names for ids, strings for counts, and what is refused."""

import pytest

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


def test_an_unused_component_is_null(api, keys):
    found = rows(api, metrics=["usage_upstream", "cache_hit_rate"], dimensions=["api_key_id"])
    assert {row["api_key_id"]: row["usage_upstream"] for row in found} == {"search": None, "reports": 5.0}


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
    found = rows(api, granularity="minute", dimensions=["model"])
    assert found[0]["date__minute"] == "2026-11-17T11:00:00.000Z"
    assert sum(row["total_usage"] for row in found) == 15.0


def test_activity_holds_completed_days_only(api, keys):
    (item,) = api.get("/activity").json()["data"]
    assert (item["date"], item["byok_usage_inference"], item["usage"]) == ("2026-11-17", 5.0, 0.0)
    assert api.get(f"/activity?api_key_hash={keys[0].hash}").json()["data"] == []
