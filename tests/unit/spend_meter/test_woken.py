"""Readings between two minutes: what a tip may bring about, and that the minutes stay what they are."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from governor.broadcast.messages import Tip, Watch, digest_of
from governor.events import BadEvent, DetailType, PublishFailed
from governor.ledger import Put
from governor.storage.readings import MemoryReadingStore
from spend_meter.codec import Codec
from spend_meter.habits import Habits
from spend_meter.ports import Ports
from spend_meter.runaway import QUIET
from spend_meter.service import SpendMeter
from spend_meter.settings import tip_in
from spend_meter.waking import MOST_KEYS, Waker, Woken
from spend_meter.woken import A_MINUTE, EPISODE, GAP, Found, Memory
from tests.unit.spend_meter.conftest import FakeAccount, World

NAME = "prod-search-agent"
SECOND = timedelta(seconds=1)


class Account(FakeAccount):
    """Its keys' hashes differ from the first digit on, as OpenRouter's do."""

    def add(self, name: str, *args: Any, **more: Any) -> str:
        key = self.keys.pop(super().add(name, *args, **more))
        key["hash"] = hashlib.sha256(f"{name} {len(self.keys)}".encode()).hexdigest()
        self.keys[key["hash"]] = key
        return str(key["hash"])


@dataclass
class Pushed(World):
    """A world whose meter also makes readings between two minutes."""

    account: FakeAccount = field(default_factory=Account)
    woken: MemoryReadingStore = field(default_factory=MemoryReadingStore)
    watch: MemoryReadingStore = field(default_factory=MemoryReadingStore)

    def accustom(self, hash: str, usd_a_day: float = 1.0, byok_usd_a_day: float | None = None) -> None:
        super().accustom(hash, usd_a_day, byok_usd_a_day)
        self.account.spend(hash, 0.01)
        self.tick()  # which asks analytics of who spent in the one before

    def meter(self) -> SpendMeter:
        meter = super().meter()
        meter._ports = replace(meter._ports, woken=self.woken, watch=self.watch)
        return meter

    def wake(self, seconds: float, *names: str, content: bool = False) -> Woken:
        """A tip, so many seconds after the last run."""
        self._meter = self._meter or self.meter()
        waker = Waker(self.policy, self._meter._ports, self._meter)
        tip = Tip(tuple(map(digest_of, names or (NAME,))), content)
        return waker.wake(tip, self.at + timedelta(seconds=seconds), lambda: self.seconds_left)

    def ports(self) -> Ports:
        assert self._meter
        return self._meter._ports

    def metered(self, subject: str) -> float:
        state = Codec().decode(self.stored())
        return Habits(state.habits, state.waiting).spent(subject, state.tick, 60)

    def memory(self) -> Memory:
        stored = self.woken.stored
        return Memory.decode(stored.content or b"") if stored else Memory()

    def lines(self) -> Watch:
        assert self.watch.stored
        return Watch.decode(self.watch.stored.content or b"")


@pytest.fixture
def world() -> Pushed:
    return Pushed()


@pytest.fixture
def key(world: Pushed) -> str:
    """A key of which a month of $1 a day is known; its detector confirms from $10 in a quarter of an hour."""
    hash = world.account.add(NAME)
    world.account.add("prod-quiet")
    world.accustom(hash)
    return hash


def confirmed(world: Pushed) -> list[Any]:
    return world.bus.of(DetailType.RUNAWAY_CONFIRMED)


def test_the_watch_says_what_is_left_until_the_detector_confirms(world: Pushed, key: str) -> None:
    assert world.lines().lines[digest_of("prod-quiet")].usd == 10.0
    world.account.spend(key, 4.0)
    world.tick()
    line = world.lines().lines[digest_of(NAME)]
    assert line.usd == pytest.approx(10.0 - 4.02, abs=0.02)
    assert line.hashes == (key[:16],)
    world.tick()
    assert world.lines().lines[digest_of(NAME)].usd == line.usd, "a key that spends nothing keeps its line"


def test_the_watch_leaves_disabled_keys_out_and_asks_for_none_whose_detector_is_off_or_has_confirmed(
    world: Pushed, key: str
) -> None:
    world.account.keys[key]["disabled"] = True
    world.tick()
    assert digest_of(NAME) not in world.lines().lines
    world.account.keys[key]["disabled"] = False
    world.burn(key, 1_000, 3)
    assert confirmed(world)
    assert world.lines().lines[digest_of(NAME)].usd is None
    world.with_policy(defaults={"runaway": {"mode": "off"}}).restart()
    world.tick()
    assert {line.usd for line in world.lines().lines.values()} == {None}


def test_two_readings_that_each_see_growth_confirm_within_seconds(world: Pushed, key: str) -> None:
    world.account.spend(key, 10.5)
    assert world.wake(20) == Woken("read", 1, [])
    world.account.spend(key, 0.5)
    assert world.wake(23) == Woken("read", 1, ["Runaway Confirmed"])
    (event,) = confirmed(world)
    assert event.occurred_at == world.at + 23 * SECOND
    assert event.evidence["spent_usd"] == pytest.approx(11.02, abs=0.02)
    assert event.evidence["keys"][0]["hash"] == key


def test_one_dear_request_confirms_nothing_however_often_it_is_read_and_by_whom(world: Pushed, key: str) -> None:
    world.account.spend(key, 15.0)
    for second in (10, 13, 16, 22, 34, 58):
        assert world.wake(second).events in ([], ())
    world.tick()
    world.wake(3)
    for _ in range(5):
        world.tick()
        world.wake(5)
    assert confirmed(world) == []
    assert world.bus.of(DetailType.RUNAWAY_SUSPECTED) == []


def test_a_run_that_sees_further_growth_is_the_second_of_a_woken_first(world: Pushed, key: str) -> None:
    world.account.spend(key, 15.0)
    world.wake(50)
    world.account.spend(key, 1.0)
    world.tick()
    assert len(confirmed(world)) == 1


def test_a_tip_that_lambda_delivers_twice_is_one_run(world: Pushed, key: str) -> None:
    world.account.spend(key, 15.0)
    world.wake(20)
    world.account.spend(key, 0.5)
    world.wake(20 + GAP / 2)
    assert confirmed(world) == []
    world.wake(20 + GAP)
    assert len(confirmed(world)) == 1


def test_spend_is_metered_once_and_in_its_minute_however_many_readings_lie_between(world: Pushed, key: str) -> None:
    plain = Pushed()
    other = plain.account.add(NAME)
    plain.account.add("prod-quiet")
    plain.accustom(other)
    for minute in range(30):
        for part in range(4):
            for one, hash in ((world, key), (plain, other)):
                one.account.spend(hash, 0.05 * (part + minute % 3))
            world.wake(part * 14)
        for one in (world, plain):
            one.tick()
    assert world.metered(key) == pytest.approx(plain.metered(other))
    mine, theirs = (Codec().decode(one.stored()) for one in (world, plain))
    assert mine.habits[key] == theirs.habits[other]
    assert mine.keys["ws-1"][key] == theirs.keys["ws-1"][other]


def test_the_next_run_takes_the_incident_over_and_tells_it_neither_twice_nor_under_another_id(
    world: Pushed, key: str
) -> None:
    world.account.spend(key, 10.5)
    world.wake(20)
    world.account.spend(key, 0.5)
    world.wake(24)
    handed = len(world.bus.handed_over)
    for _ in range(12):
        world.account.spend(key, 8.0)
        world.tick()
        world.wake(10)
    assert len(confirmed(world)) == 1
    assert [event.detail_type for event in world.bus.handed_over[handed:]] == []
    for _ in range(15):
        world.tick()
    ended = world.bus.of(DetailType.RUNAWAY_ENDED)
    assert len(ended) == 1
    assert ended[0].evidence["started_at"] == confirmed(world)[0].evidence["started_at"]


def test_what_a_reading_could_not_publish_the_next_run_does_once_under_the_same_id(world: Pushed, key: str) -> None:
    world.account.spend(key, 10.5)
    world.wake(20)
    world.account.spend(key, 0.5)
    world.bus.down = True
    with pytest.raises(PublishFailed):
        world.wake(24)
    world.bus.down = False
    (kept,) = world.memory().found[key].outbox
    world.restart()
    world.tick()
    world.tick()
    assert [event.id for event in world.bus.handed_over if event.detail_type == "Runaway Confirmed"] == [kept.id]


def test_of_two_readings_beside_each_other_the_second_is_thrown_away_events_and_all(world: Pushed, key: str) -> None:
    world.account.spend(key, 10.5)
    world.wake(20)
    world.account.spend(key, 0.5)
    account: Any = world.account
    answer = world.account.answer
    meter = world.meter()
    beside = Waker(world.policy, meter._ports, meter)

    def interrupted(request: httpx.Request) -> httpx.Response:
        account.answer = answer
        beside.wake(Tip((digest_of(NAME),)), world.at + 24 * SECOND, lambda: 50.0)
        return answer(request)

    account.answer = interrupted
    world.restart()
    assert world.wake(25).outcome == "overtaken"
    assert len(confirmed(world)) == 1


def test_a_reading_beside_a_run_neither_overtakes_it_nor_is_overtaken(world: Pushed, key: str) -> None:
    world.account.spend(key, 10.5)
    world.wake(20)
    world.account.spend(key, 0.5)
    account: Any = world.account
    answer = world.account.answer
    meter = world.meter()
    beside = Waker(world.policy, meter._ports, meter)
    outcomes: list[str] = []

    def interrupted(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/keys") and not outcomes:
            outcomes.append(beside.wake(Tip((digest_of(NAME),)), world.at + 24 * SECOND, lambda: 50.0).outcome)
        return answer(request)

    account.answer = interrupted
    world.restart()
    assert world.tick().outcome == "metered"
    assert outcomes == ["read"]
    for _ in range(3):
        world.account.spend(key, 5.0)
        world.tick()
    assert len(confirmed(world)) == 1
    assert world.metered(key) == pytest.approx(10.5 + 0.5 + 15 + 0.02, abs=0.001)


@pytest.mark.parametrize("tip", ["made-up", "prod-search-agent#tag"])
def test_a_tip_can_make_the_meter_read_and_nothing_else(world: Pushed, key: str, tip: str) -> None:
    before = world.stored()
    outcome = world.wake(10, tip)
    assert not outcome.events
    assert outcome.keys_read == (0 if tip == "made-up" else 1)
    assert world.stored() == before
    assert world.bus.handed_over == []


def test_no_tip_confirms_what_the_counters_do_not_show(world: Pushed, key: str) -> None:
    for second in range(0, 60, 3):
        assert world.wake(second).events in ([], ())
    world.account.spend(key, 3.0)
    for second in range(0, 60, 3):
        assert world.wake(second).events in ([], ())


def test_more_readings_than_a_minute_may_have_are_not_made(world: Pushed, key: str) -> None:
    outcomes = [world.wake(second / 10).outcome for second in range(A_MINUTE + 5)]
    assert outcomes == ["read"] * A_MINUTE + ["bounded"] * 5
    assert world.wake(70).outcome == "read"


def test_a_name_of_more_keys_than_a_reading_asks_for_is_left_to_the_runs(world: Pushed, key: str) -> None:
    for _ in range(MOST_KEYS + 1):
        world.account.add("prod-many")
    world.tick()
    assert world.wake(5, "prod-many").outcome == "nothing"
    assert world.wake(5, "prod-many", NAME).keys_read == 1


def _always(status: int, _: httpx.Request) -> int:
    return status


def test_a_key_that_is_gone_is_no_failure_and_where_a_call_fails_nothing_is_judged(world: Pushed, key: str) -> None:
    gone = world.account.keys.pop(key)
    assert world.wake(5).outcome == "read"
    world.account.keys[key] = gone
    world.account.spend(key, 15.0)
    kept = world.memory()
    for status, error in ((500, "Unavailable"), (429, "RateLimited"), (401, "AuthenticationFailed")):
        world.account.failing = partial(_always, status)
        outcome = world.wake(10)
        assert outcome.outcome == "unread"
        assert outcome.error.startswith(error)
    assert world.memory() == kept


def test_who_was_restored_or_is_expected_since_the_last_run_is_left_to_the_next(world: Pushed, key: str) -> None:
    world.account.spend(key, 15.0)
    world.ledger.commit(Put("detector", key, {"kind": "rebaseline", "at": (world.at + 5 * SECOND).isoformat()}))
    for second in (10, 14, 20):
        world.account.spend(key, 1.0)
        assert world.wake(second).events in ([], ())
    world = Pushed()
    key = world.account.add(NAME)
    world.accustom(key)
    world.ledger.commit(
        Put("detector", f"{key}#expected", {"kind": "expected", "until": (world.at + timedelta(hours=4)).isoformat()})
    )
    world.account.spend(key, 15.0)
    for second in (10, 14, 20):
        world.account.spend(key, 1.0)
        assert world.wake(second).events in ([], ())


def test_an_incident_that_a_person_ended_does_not_come_back_from_an_old_reading(world: Pushed, key: str) -> None:
    world.account.spend(key, 10.5)
    world.wake(20)
    world.account.spend(key, 0.5)
    world.wake(24)
    world.tick()
    world.ledger.commit(Put("detector", key, {"kind": "rebaseline", "at": world.at.isoformat()}))
    for _ in range(5):
        world.tick()
        assert Codec().decode(world.stored()).suspicions.get(key, QUIET) == QUIET


def test_before_the_first_run_and_with_a_clock_gone_back_nothing_is_read(world: Pushed, key: str) -> None:
    assert Pushed().wake(5).outcome == "nothing"
    world.account.spend(key, 15.0)
    assert world.wake(-600).outcome == "nothing"


def test_runs_that_did_not_happen_are_covered_by_a_woken_reading_as_by_a_run(world: Pushed, key: str) -> None:
    world.account.spend(key, 4.0)
    world.wake(600)
    world.account.spend(key, 0.5)
    assert world.wake(605).events in ([], ()), "a lump over ten minutes is no burst"
    world.account.spend(key, 30.0)
    assert world.wake(660).outcome == "read"


def test_content_is_told_once_while_it_lasts_and_again_when_it_comes_back(world: Pushed, key: str) -> None:
    for minute in range(90):
        world.wake(minute * 60, content=True)
    (event,) = world.bus.of(DetailType.MONITOR_BLIND)
    assert event.evidence["kind"] == "broadcast_content"
    world.wake(89 * 60 + EPISODE, content=True)
    assert len(world.bus.of(DetailType.MONITOR_BLIND)) == 2


def test_content_that_could_not_be_told_is_told_under_the_same_id_by_the_next(world: Pushed, key: str) -> None:
    world.bus.down = True
    with pytest.raises(PublishFailed):
        world.wake(0, content=True)
    world.bus.down = False
    assert world.wake(60, content=True).events == ["Monitor Blind"]
    assert world.wake(120, content=True).events in ([], ())


def test_without_broadcast_there_is_no_watch_no_memory_and_no_woken_reading() -> None:
    world = World()
    world.accustom(world.account.add(NAME))
    meter = world.meter()
    waker = Waker(world.policy, meter._ports, meter)
    assert waker.wake(Tip((digest_of(NAME),)), world.at, lambda: 50.0) == Woken("nothing")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b'{"found": {"a": {}}}', b'{"found": {}, "readings": 1}'])
def test_a_memory_that_cannot_be_read_is_forgotten(world: Pushed, key: str, content: bytes) -> None:
    world.woken.put(content, None)
    world.tick()
    assert world.wake(5).outcome == "read"


def test_the_memory_comes_back_as_it_was(world: Pushed, key: str) -> None:
    world.account.spend(key, 10.5)
    world.wake(20)
    world.account.spend(key, 0.5)
    world.wake(24)
    memory = world.memory()
    assert isinstance(memory.found[key], Found)
    assert Memory.decode(memory.encode()) == memory


def test_no_name_stands_in_the_watch_or_the_memory(world: Pushed, key: str) -> None:
    world.account.spend(key, 15.0)
    world.wake(20)
    assert world.watch.stored
    assert world.woken.stored
    for content in (world.watch.stored.content, world.woken.stored.content):
        assert NAME not in (content or b"").decode()


@pytest.mark.parametrize(
    "tip", [None, [], {}, {"keys": "x"}, {"keys": [1]}, {"keys": ["a"] * (Tip.MOST + 1)}, {"keys": None}]
)
def test_a_tip_of_the_wrong_shape_is_refused(tip: Any) -> None:
    event = {"version": 1, "tip": tip}
    if tip == {}:
        assert tip_in(event) == Tip()
        return
    with pytest.raises(BadEvent):
        tip_in(event)


def test_a_tip_is_read_as_the_tally_writes_it() -> None:
    tip = Tip((digest_of(NAME),), content=True)
    assert tip_in(json.loads(json.dumps(tip.event()))) == tip
    assert tip_in({"version": 1, "scheduled_time": "2026-01-01T00:00:00Z"}) is None
