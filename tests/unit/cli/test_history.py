"""The history: what is kept, what is asked for again, and what is believed of minutes."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cli.output import Output
from cli.replay.asking import Asking, Pace
from cli.replay.cache import Cache, account_of
from cli.replay.history import COARSE_STEP, MATTERS_USD, History
from cli.replay.source import Fetched, Source
from management_api import AnalyticsQuery, Rejected
from spend_meter.periods import minute_of
from tests.unit.cli.analytics import NOW, FakeAnalytics, api_key

KEY, QUIET = api_key(1, "agent"), api_key(2, "quiet")
START = (NOW - timedelta(days=3)).replace(hour=0)
LOOP = START + timedelta(days=1, hours=5, minutes=20)


def account() -> FakeAnalytics:
    """A key that spends a little in each hour, and three dollars a minute in twenty minutes of one."""
    far = FakeAnalytics([KEY, QUIET])
    for hour in range(3 * 24 + 11):
        far.spend(KEY, START + timedelta(hours=hour, minutes=31), 0.5)
        far.spend(QUIET, START + timedelta(hours=hour, minutes=2), 0.1)
    for minute in range(20):
        far.spend(KEY, LOOP + timedelta(minutes=minute), 3.0)
    return far


def fetch(far: FakeAnalytics, folder: Path | None = None, now=NOW) -> Fetched:
    cache = Cache(folder, account_of("https://openrouter.ai/api/v1", ["w1"])) if folder else None
    asking = Asking(far, Pace(sleep=lambda seconds: None))
    return Source(asking, [key for key in far.keys if key.name != "gone"], cache, Output()).fetch(START, now)


def minutes_of(history: History, key=KEY, at=LOOP) -> dict[int, float]:
    return {minute: credits for minute, credits, _ in history.minutes(key.hash, minute_of(at) // 60)}


def test_an_hour_that_matters_is_known_by_the_minute_and_others_by_the_hour():
    far = account()

    fetched = fetch(far)

    assert minutes_of(fetched.history) == {**dict.fromkeys(range(20, 40), 3.0), 31: 3.5}
    assert (fetched.by_minute, fetched.by_hour) == (1, 0)
    assert [one.granularity for one in far.asked] == ["hour", "hour", "minute"], "one window of three hours matters"


def test_an_hour_that_is_known_by_the_hour_only_is_spread_evenly_and_said_to_be():
    far = account()
    far.by_minute_since = minute_of(NOW)

    fetched = fetch(far)

    assert fetched.by_hour == 1
    spread = minutes_of(fetched.history)
    assert list(spread) == list(range(59)), "the reading at midnight shows the whole of its last hour"
    assert list(spread.values()) == pytest.approx([60.5 / 59] * 59)


def test_a_small_hour_is_spread_over_every_fifth_minute_so_that_each_window_holds_the_same():
    history = History(0, 24)
    history.add_hour(KEY.hash, 3, MATTERS_USD / 2)

    minutes = {minute: credits for minute, credits, _ in history.minutes(KEY.hash, 3)}

    assert list(minutes) == list(range(3, 60, COARSE_STEP))
    assert history.between(KEY.hash, 180, 195)[0] == pytest.approx(MATTERS_USD / 2 / 4)


def test_a_day_that_is_over_is_asked_for_once(tmp_path):
    far = account()
    first = fetch(far, tmp_path)
    far.asked.clear()

    again = fetch(far, tmp_path)

    assert [one.granularity for one in far.asked] == ["hour"], "today only"
    assert [one.time_range.start for one in far.asked if one.time_range] == [NOW.replace(hour=0)]
    assert minutes_of(again.history) == minutes_of(first.history)
    assert again.history.between(KEY.hash, minute_of(START), minute_of(NOW)) == first.history.between(
        KEY.hash, minute_of(START), minute_of(NOW)
    )


def test_a_day_that_ended_just_now_is_not_kept_yet(tmp_path):
    far = account()
    midnight = NOW.replace(hour=0)

    fetch(far, tmp_path, midnight)

    kept = {path.name for path in tmp_path.rglob("hours-*.json")}
    assert f"hours-{midnight - timedelta(days=1):%Y-%m-%d}.json" not in kept
    assert f"hours-{midnight - timedelta(days=2):%Y-%m-%d}.json" in kept


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("0.5", "0.6", 1),
        lambda text: "",
        lambda text: "not\nours",
    ],
    ids=["cut off", "changed", "empty", "another's"],
)
def test_a_damaged_day_is_asked_for_again_and_told_of(tmp_path, damage):
    far = account()
    whole = fetch(far, tmp_path)
    (path,) = tmp_path.rglob(f"hours-{START:%Y-%m-%d}.json")
    path.write_text(damage(path.read_text()))

    again = fetch(far, tmp_path)

    assert again.history.between(KEY.hash, 0, minute_of(NOW)) == whole.history.between(KEY.hash, 0, minute_of(NOW))
    assert any(path.name in note for note in again.notes)
    assert fetch(far, tmp_path).notes == [], "it is whole again"


def test_another_account_has_days_of_its_own(tmp_path):
    assert account_of("https://openrouter.ai/api/v1", ["w1"]) != account_of("https://eu.openrouter.ai/api/v1", ["w1"])
    assert account_of("https://openrouter.ai/api/v1", ["w1"]) != account_of(
        "https://openrouter.ai/api/v1", ["w1", "w2"]
    )


def test_the_cache_holds_no_name_of_a_key_that_is_there(tmp_path):
    fetch(account(), tmp_path)

    texts = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert texts
    assert not any("agent" in text or "quiet" in text for text in texts)
    assert all(json.loads(text.partition("\n")[2])["version"] == 1 for text in texts)


def test_spend_of_a_key_that_is_gone_is_counted_apart():
    far = account()
    gone = api_key(9, "gone")
    far.keys.append(gone)
    far.spend(gone, START + timedelta(hours=1), 7.0)

    assert fetch(far).history.elsewhere == {"gone": 7.0}


def test_hours_before_the_replay_may_be_refused_and_then_nothing_is_learned():
    far = account()

    def old_is_refused(question: AnalyticsQuery) -> None:
        if question.time_range and question.time_range.start < START:
            raise Rejected("too long ago", request="POST /analytics/query", status=400)

    far.before = old_is_refused

    fetched = fetch(far)

    assert any("nothing is learned" in note for note in fetched.notes)
    assert fetched.history.between(KEY.hash, minute_of(START), minute_of(NOW))[0] == pytest.approx(60 + 0.5 * 83)


def test_where_minutes_are_not_told_any_more_older_ones_are_not_asked_for():
    far = account()
    for hour in range(3 * 24):
        far.spend(KEY, START + timedelta(hours=hour, minutes=31), 20.0)
    far.by_minute_since = minute_of(NOW - timedelta(hours=30))

    fetched = fetch(far)

    asked = [one for one in far.asked if one.granularity == "minute"]
    assert len(asked) < 3 * 8
    assert fetched.by_minute
    assert fetched.by_hour
    assert any("tells no minutes before" in note for note in fetched.notes)
