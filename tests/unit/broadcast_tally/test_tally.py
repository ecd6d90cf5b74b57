"""What is added up, whom it asks for, and that no push, however odd, asks for more than it may."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcast_tally.decide import A_MINUTE, FIRST_GAP, ID, LATE, OF_A_WORKSPACE, Tally, add, decide
from broadcast_tally.service import WATCH_SECONDS, Counter
from broadcast_tally.settings import Batch, TallySettings
from governor.broadcast.messages import LastPushed, Line, Pushed, Tip, Watch, digest_of
from governor.environment import SettingsError
from governor.events import BadEvent
from governor.storage.readings import MemoryReadingStore, ReadingConflict

NOW = 1_790_000_000
SEARCH, QUIET, STOPPED = map(digest_of, ("prod-search-agent", "prod-quiet", "prod-stopped"))
WATCH = Watch(
    NOW // 60,
    {SEARCH: Line(2.0, 0, ("a" * 16,)), QUIET: Line(10.0, 0, ("b" * 16,)), STOPPED: Line(None, 1, ("c" * 16,))},
)


def cost(number: int, usd: float, name: str = "prod-search-agent", ended: int = NOW) -> Pushed:
    return Pushed.of(f"gen-{number}", name, usd, ended)


def batch(
    tally: Tally, *records: Pushed | None, now: int = NOW, watch: Watch = WATCH, rate: float = 1.0, shards: int = 1
) -> tuple[str, ...]:
    """The names asked for after one more batch."""
    return decide(tally, add(tally, records, watch, now, rate), watch, now, shards).keys


def test_the_request_that_crosses_the_line_asks_for_its_key_and_none_before_it() -> None:
    tally = Tally()
    assert batch(tally, cost(1, 1.0), cost(2, 0.9)) == ()
    assert batch(tally, cost(3, 0.2)) == (SEARCH,)


def test_a_generation_counts_once_however_often_and_in_whatever_order_it_comes() -> None:
    tally = Tally()
    assert batch(tally, *[cost(1, 1.9)] * 50) == ()
    assert batch(tally, cost(2, 0.05), cost(1, 1.9), cost(2, 0.05)) == ()
    assert tally.sums[SEARCH] == pytest.approx(1.95)
    assert tally.counts == {"counted": 2, "repeated": 51}


def test_names_are_summed_apart() -> None:
    tally = Tally()
    assert batch(tally, cost(1, 1.9), cost(2, 9.9, "prod-quiet")) == ()
    assert batch(tally, cost(3, 0.2, "prod-quiet")) == (QUIET,)


def test_keys_of_one_lineage_are_summed_together() -> None:
    assert batch(Tally(), cost(1, 1.5), cost(2, 0.6, "prod-search-agent#2026-01")) == (SEARCH,)


def test_a_name_that_the_last_reading_does_not_know_and_one_that_no_reading_helps_ask_for_nothing() -> None:
    tally = Tally()
    assert batch(tally, cost(1, 5_000.0, "made-up"), cost(2, 5_000.0, "prod-stopped"), cost(3, 5.0, "")) == ()
    assert tally.counts == {"unknown": 2, "counted": 1}


def test_a_backlog_and_a_replay_of_long_ago_ask_for_nothing_and_a_clock_that_is_ahead_hides_nothing() -> None:
    tally = Tally()
    assert batch(tally, *[cost(n, 50.0, ended=NOW - LATE - 1) for n in range(100)]) == ()
    assert tally.counts == {"late": 100}
    assert batch(tally, cost(200, 3.0, ended=NOW + 86_400)) == (SEARCH,)


def test_what_cannot_be_read_stops_nothing() -> None:
    tally = Tally()
    assert batch(tally, None, cost(1, 3.0)) == (SEARCH,)
    assert tally.counts == {"unreadable": 1, "counted": 1}


def test_a_name_over_its_line_is_asked_for_again_twice_after_three_seconds_then_ever_more_seldom() -> None:
    tally = Tally()
    asked = [second for second in range(60) if batch(tally, cost(second, 3.0, ended=NOW + second), now=NOW + second)]
    assert asked == [0, 3, 6, 12, 24, 48]
    assert FIRST_GAP == 3


def test_no_flood_asks_for_more_than_a_workspaces_share_and_an_accounts() -> None:
    names = [f"k-{n}" for n in range(200)]
    watch = Watch(0, {digest_of(name): Line(0.0, number % 10, ("d" * 16,)) for number, name in enumerate(names)})
    for shards in (1, 2, 4):
        tally = Tally()
        asked: list[str] = []
        for second in range(60):
            records = [cost(1000 * second + n, 1.0, name, NOW + second) for n, name in enumerate(names)]
            asked += batch(tally, *records, now=NOW + second, watch=watch, shards=shards)
        assert len(asked) == A_MINUTE // shards
        workspaces = [watch.lines[one].workspace for one in asked]
        assert max(map(workspaces.count, workspaces)) <= OF_A_WORKSPACE // shards


def test_a_sample_stands_for_as_much_as_it_was_drawn_from() -> None:
    tally = Tally()
    assert batch(tally, cost(1, 0.1), rate=0.1) == ()
    assert tally.sums[SEARCH] == pytest.approx(1.0)
    assert batch(tally, cost(2, 0.1), rate=0.1) == (SEARCH,)


def test_content_is_told_once_a_window_and_asks_for_no_key() -> None:
    tally = Tally()
    for expected in (True, False, False):
        spent = add(tally, [Pushed(content=True)], WATCH, NOW, 1.0)
        decision = decide(tally, spent, WATCH, NOW, 1)
        assert (decision.keys, decision.content) == ((), expected)


RECORDS = st.lists(
    st.builds(
        cost,
        st.integers(0, 30),
        st.floats(0, 5),
        st.sampled_from(["prod-search-agent", "prod-quiet", "made-up", "prod-stopped"]),
        st.integers(NOW - 2 * LATE, NOW + LATE),
    )
    | st.none(),
    max_size=40,
)


@given(RECORDS, st.integers(0, 40))
def test_batches_may_be_cut_anywhere_and_the_state_written_and_read_in_between(
    records: list[Pushed | None], at: int
) -> None:
    whole, cut = Tally(), Tally()
    batch(whole, *records)
    batch(cut, *records[:at])
    cut = Tally.decode(json.loads(json.dumps(cut.encode())))
    batch(cut, *records[at:])
    assert cut.sums == whole.sums
    assert cut.seen == whole.seen
    assert cut.counts == whole.counts
    assert sum(whole.counts.values()) == len(records), "every record is in one count"


@pytest.mark.parametrize("state", [{}, {"seen": "%%"}, {"sums": []}, {"asked": {"a": 1}}, {"counts": {"a": "b"}}])
def test_a_state_that_cannot_be_read_begins_the_window_anew(state: dict[str, Any]) -> None:
    assert Tally.decode(state).sums == {}


def test_the_state_of_a_full_minute_of_a_shard_at_ten_thousand_keys_is_within_lambdas_megabyte() -> None:
    tally = Tally(
        {f"{n:016x}": 1234.567891 + n for n in range(10_000)},
        {f"{n:0{ID}x}" for n in range(60_000)},
    )
    assert len(json.dumps(tally.encode(), separators=(",", ":"))) < 950_000


class Meter:
    def __init__(self) -> None:
        self.tips: list[Tip] = []
        self.broken = False

    def tip(self, tip: Tip) -> None:
        if self.broken:
            raise ConnectionError
        self.tips.append(tip)


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def store() -> MemoryReadingStore:
    store = MemoryReadingStore()
    store.put(WATCH.encode(), None)
    return store


def counter(store: Any, meter: Meter, clock: list[float]) -> Counter:
    return Counter(store, meter, lambda: clock[0], 1.0, 1, MemoryReadingStore())


def test_a_tip_that_is_not_taken_fails_the_batch_which_is_then_counted_again_from_the_state_of_before(
    store: MemoryReadingStore, meter: Meter
) -> None:
    clock = [float(NOW)]
    counting = counter(store, meter, clock)
    before = counting.count(Tally(), [cost(1, 1.9).encode()]).encode()
    meter.broken = True
    with pytest.raises(ConnectionError):
        counting.count(Tally.decode(before), [cost(2, 0.2).encode()])
    meter.broken = False
    after = counting.count(Tally.decode(before), [cost(2, 0.2).encode()])
    assert meter.tips == [Tip((SEARCH,))]
    assert after.counts == {"counted": 2}


def test_the_watch_is_read_again_after_five_seconds_and_one_that_cannot_be_read_leaves_the_former_in_use(
    store: MemoryReadingStore, meter: Meter
) -> None:
    clock = [float(NOW)]
    counting = counter(store, meter, clock)
    counting.count(Tally(), [])
    assert store.stored
    store.put(Watch(1, {SEARCH: Line(0.5, 0, ())}).encode(), store.stored.etag)
    counting.count(Tally(), [cost(1, 1.0).encode()])
    assert meter.tips == []
    clock[0] += WATCH_SECONDS
    counting.count(Tally(), [cost(1, 1.0).encode()])
    assert meter.tips == [Tip((SEARCH,))]
    for content in (b"nonsense", b'{"lines": {"a": []}, "minute": 1}'):
        store.put(content, store.stored.etag)
        clock[0] += WATCH_SECONDS
        counting.count(Tally(), [cost(2, 1.0).encode()])
    assert len(meter.tips) == 3


class Down:
    """A store that can be down."""

    def __init__(self, store: MemoryReadingStore) -> None:
        self.store, self.down = store, True

    def get(self, known: str | None = None) -> Any:
        if self.down:
            raise ConnectionError
        return self.store.get(known)


def test_before_the_meters_first_reading_all_is_counted_and_nothing_asked(meter: Meter) -> None:
    tally = counter(MemoryReadingStore(), meter, [float(NOW)]).count(Tally(), [cost(1, 500.0).encode(), b"nonsense"])
    assert tally.counts == {"unknown": 1, "unreadable": 1}
    assert meter.tips == []


def test_a_batch_fails_while_no_watch_was_ever_read_and_goes_by_the_former_one_after(
    store: MemoryReadingStore, meter: Meter
) -> None:
    clock, flaky = [float(NOW)], Down(store)
    counting = counter(flaky, meter, clock)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            counting.count(Tally(), [cost(1, 3.0).encode()])
    flaky.down = False
    counting.count(Tally(), [cost(1, 3.0).encode()])
    flaky.down = True
    clock[0] += WATCH_SECONDS
    counting.count(Tally(), [cost(2, 3.0).encode()])
    assert len(meter.tips) == 2


def test_lambdas_event_of_a_window_is_read() -> None:
    record = {"kinesis": {"data": base64.b64encode(cost(1, 1.0).encode()).decode(), "partitionKey": "x"}}
    event = {"Records": [record], "window": {"start": "s", "end": "e"}, "state": {"sums": {}}, "shardId": "0"}
    assert Batch.received(event).records == (cost(1, 1.0).encode(),)
    assert not Batch.received(event).final
    assert Batch.received({**event, "isFinalInvokeForWindow": True, "state": None}).final


@pytest.mark.parametrize("event", [None, {}, {"Records": []}, {"Records": [{}], "window": {}}, {"Records": 1}])
def test_any_other_event_is_refused_with_what_to_do(event: Any) -> None:
    with pytest.raises(BadEvent):
        Batch.received(event)


@pytest.mark.parametrize("rate", ["0", "1.5", "-1", "x"])
def test_a_sampling_rate_that_is_no_share_is_refused(rate: str) -> None:
    with pytest.raises(SettingsError, match="SAMPLING_RATE"):
        TallySettings.read({"READING_BUCKET": "b", "SPEND_METER": "m", "SAMPLING_RATE": rate})


PLACES = Watch(
    NOW // 60,
    {f"key-{number:02}": Line(float(number), number % 2, ("a" * 16,)) for number in range(40)},
    ("ws-even", "ws-odd"),
    {digest_of("ws-even"): 0, digest_of("Production"): 0, digest_of("ws-odd"): 1},
)


def counting_places(meter: Meter, pushed: Any, watch: Watch = PLACES) -> Counter:
    store = MemoryReadingStore()
    store.put(watch.encode(), None)
    return Counter(store, meter, lambda: float(NOW), 1.0, 1, pushed)


def test_a_notification_that_names_a_workspace_asks_for_those_that_spent_there_and_then_the_nearest_to_their_lines(
    meter: Meter,
) -> None:
    spent = Pushed("a" * 16, "key-38", 0.001, NOW).encode()
    told = Pushed(names=(digest_of("Production"), digest_of("anything else"))).encode()
    tally = counting_places(meter, MemoryReadingStore()).count(Tally(), [spent, told])
    asked = [name for tip in meter.tips for name in tip.keys]
    assert asked == ["key-38", *(f"key-{number:02}" for number in range(0, 22, 2))]
    assert tally.counts == {"counted": 1, "notified": 1}


def test_a_notification_that_names_a_key_asks_for_it_and_one_that_names_nobody_for_nobody(meter: Meter) -> None:
    counting = counting_places(meter, MemoryReadingStore())
    tally = counting.count(Tally(), [Pushed(names=("key-07",)).encode(), Pushed(names=("b" * 16,)).encode()])
    assert [tip.keys for tip in meter.tips] == [("key-07",)]
    counting.count(Tally.decode(tally.encode()), [Pushed(names=("key-07",)).encode()] * 50)
    assert len(meter.tips) == 1, "the bounds hold for notifications as for costs"


def test_the_workspaces_that_pushed_are_noted_at_a_windows_end_and_no_minute_goes_back(meter: Meter) -> None:
    pushed = MemoryReadingStore()
    pushed.put(LastPushed({"ws-odd": NOW // 60 + 5, "ws-gone": 1}).encode(), None)
    counting = counting_places(meter, pushed)
    late = Pushed("a" * 16, "key-01", 0.001, NOW - 4_000).encode()
    tally = counting.count(Tally(), [late, Pushed("b" * 16, "key-02", 0.001, NOW).encode()])
    counting.note(Tally.decode(tally.encode()))
    assert pushed.stored
    assert LastPushed.decode(pushed.stored.content or b"").minutes == {"ws-odd": NOW // 60 + 5, "ws-even": NOW // 60}


def test_a_note_that_cannot_be_kept_fails_no_batch(meter: Meter) -> None:
    class Broken(MemoryReadingStore):
        def get(self, known: str | None = None) -> Any:
            raise ConnectionError

    counting = counting_places(meter, Broken())
    counting.note(counting.count(Tally(), [Pushed("a" * 16, "key-01", 0.001, NOW).encode()]))


def test_a_note_that_another_shard_overtakes_is_made_again_on_top_of_it(meter: Meter) -> None:
    class Overtaken(MemoryReadingStore):
        rivals = 1

        def put(self, content: bytes, replaces: str | None) -> str:
            if self.rivals:
                self.rivals -= 1
                super().put(LastPushed({"ws-odd": NOW // 60}).encode(), replaces)
                raise ReadingConflict
            return super().put(content, replaces)

    pushed = Overtaken()
    counting = counting_places(meter, pushed)
    counting.note(counting.count(Tally(), [Pushed("a" * 16, "key-02", 0.001, NOW).encode()]))
    assert pushed.stored
    assert LastPushed.decode(pushed.stored.content or b"").minutes.keys() == {"ws-odd", "ws-even"}
