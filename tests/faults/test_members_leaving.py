"""A member leaves: two whole lists prove it, once it is told, and whatever dies in between tells the same."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from account_review.departures import Roll, count, mark
from account_review.leaving import LIST, ROWS, watch
from account_review.ports import Ports
from governor.events import DetailType, Event
from governor.events.member_evidence import MOST_KEYS
from governor.events.published import RecordedBus, partition
from governor.ledger import LedgerConflict
from governor.storage.readings import MemoryReadingStore
from governor.topic import MemoryTopic
from sandbox.reviewed import NOW
from sandbox.reviewed.clean import STAGING, make_key
from tests.doubles.bus import Bus
from tests.doubles.log import MemoryLog
from tests.unit.account_review.world import World

ANA = "user_ana"
HOUR = timedelta(hours=1)


class Died(Exception):
    """The function was killed here."""


class Account:
    """The clean organization, with a member who has keys in two workspaces; runs an hour apart."""

    def __init__(self, *, keys: int = 1) -> None:
        self.world = World()
        self.simulator = self.world.simulator
        self.organization = self.simulator.organization
        self.organization.members[ANA] = "org:member"
        self.hashes = [
            make_key(self.organization, f"ana-notebook-{number}", STAGING, creator_user_id=ANA)
            for number in range(keys)
        ]
        self.bus = Bus()
        self.at = NOW

    def ports(self) -> Ports:
        world = self.world
        bus = RecordedBus("account_review", world.ledger, self.bus)
        return Ports(
            world.policy, world._connect, lambda: world.since, world.ledger, world.decisions, MemoryReadingStore(),
            world.shelf, None, MemoryTopic(), bus, lambda: self.at, MemoryLog(), "governor",
        )  # fmt: skip

    def tick(self, *, again: bool = False) -> int:
        """The next hour's run, or the last one once more."""
        if not again:
            self.at += HOUR
            self.world.now = self.at
        return watch(self.ports(), self.at, lambda: 600.0)

    @property
    def told(self) -> Sequence[Event]:
        """What consumers keep: each id once."""
        return list({event.id: event for event in self.bus.events}.values())


def test_a_member_who_is_missing_from_two_lists_in_a_row_is_told_once_with_their_keys() -> None:
    account = Account(keys=2)
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    assert account.told == []
    for _ in range(3):
        account.tick()
    (event,) = account.told
    assert event.detail_type is DetailType.MEMBER_DEPARTED
    assert event.subject == ANA
    assert {key["hash"] for key in event.evidence["keys"]} == set(account.hashes)
    assert account.world.ledger.get(partition("account_review"), event.id) is not None


def test_a_creator_who_was_never_a_member_did_not_leave() -> None:
    account = Account()
    del account.organization.members[ANA]
    for _ in range(4):
        account.tick()
    assert account.told == []


def test_a_member_who_is_back_for_the_second_list_did_not_leave() -> None:
    account = Account()
    account.tick()
    for _ in range(3):
        account.organization.remove_member(ANA)
        account.tick()
        account.organization.members[ANA] = "org:member"
        account.tick()
    assert account.told == []


def test_who_comes_back_and_leaves_again_is_told_again() -> None:
    account = Account()
    for _ in range(2):
        account.organization.members[ANA] = "org:member"
        account.tick()
        account.organization.remove_member(ANA)
        account.tick()
        account.tick()
    assert [event.subject for event in account.told] == [ANA, ANA]


@pytest.mark.parametrize("fault", ["500", "403"])
def test_a_list_that_fails_neither_counts_nor_breaks_the_count(fault: str) -> None:
    account = Account()
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    if fault == "500":
        account.simulator.fault("/organization/members", "500", times=2)
    else:
        account.simulator.fault("/organization/members", "fail_before", status=403, times=2)
    account.tick()
    account.tick()
    assert account.told == []
    account.tick()
    assert [event.subject for event in account.told] == [ANA]


def test_an_emptied_or_halved_list_says_nothing_however_often_it_comes() -> None:
    account = Account()
    account.tick()
    whole = dict(account.organization.members)
    assert len(whole) > 2
    for short in ({}, dict(list(whole.items())[:1])):
        account.organization.members = short
        for _ in range(3):
            account.tick()
    assert account.told == []
    account.organization.members = whole
    account.tick()
    account.tick()
    assert account.told == []


def test_the_same_run_again_is_no_second_list() -> None:
    account = Account()
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    for _ in range(3):
        account.tick(again=True)
    assert account.told == []


def test_who_left_without_a_key_is_not_told_and_forgotten() -> None:
    account = Account(keys=0)
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    account.tick()
    row = account.world.ledger.get(ROWS, LIST)
    assert account.told == []
    assert row is not None
    assert Roll.of(row.data).missing == {}


def test_keys_that_cannot_be_read_are_not_taken_for_none() -> None:
    account = Account()
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    account.simulator.fault("/keys", "500", times=50)
    account.tick()
    assert account.told == []
    account.simulator.faults.clear()
    account.tick()
    assert [event.subject for event in account.told] == [ANA]


def test_of_more_keys_than_an_event_names_it_says_how_many() -> None:
    account = Account(keys=MOST_KEYS + 3)
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    account.tick()
    (event,) = account.told
    assert len(event.evidence["keys"]) == MOST_KEYS
    assert event.evidence["total"] == MOST_KEYS + 3


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("effect", ["list", "stored", "published", "settled"])
def test_a_run_that_dies_tells_the_same_once(effect: str, after: bool) -> None:
    account = Account()
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    owner, name = (account.bus, "publish") if effect == "published" else (account.world.ledger, "commit")
    fix = _dying(owner, name, {"list": 1, "stored": 2, "published": 1, "settled": 3}[effect], after=after)
    with pytest.raises(Died):
        account.tick()
    fix()
    account.tick(again=True)
    account.tick()
    assert [event.subject for event in account.told] == [ANA]
    row = account.world.ledger.get(ROWS, LIST)
    assert row is not None
    assert Roll.of(row.data).missing == {}


def test_of_two_copies_beside_each_other_one_counts_and_the_words_are_the_same() -> None:
    account = Account()
    account.tick()
    account.organization.remove_member(ANA)
    account.tick()
    ledger = account.world.ledger
    whole = ledger.commit

    def crowded(*writes: object) -> None:
        ledger.commit = whole  # type: ignore[method-assign]
        account.tick(again=True)
        whole(*writes)  # type: ignore[arg-type]

    ledger.commit = crowded  # type: ignore[method-assign]
    with pytest.raises(LedgerConflict):
        account.tick()
    account.tick(again=True)
    assert [event.subject for event in account.told] == [ANA]
    assert len({str(event.detail()) for event in account.bus.events}) == 1


def test_a_list_says_what_its_rule_says() -> None:
    at = datetime.fromisoformat("2026-11-23T08:00:00+00:00")
    four = ["a", "b", "c", "d"]
    first = count(None, four, at)
    assert first.roll == Roll(at, frozenset(map(mark, four)))
    assert count(None, [], at).roll is None
    for rule, members, when in (
        ("repeated", ["a", "b", "c"], at), ("empty", [], at + HOUR), ("shorter", ["a"], at + HOUR),
    ):  # fmt: skip
        counted = count(first.roll, members, when)
        assert (counted.rule, counted.roll) == (rule, first.roll)
    half = count(first.roll, ["a", "b", "e"], at + HOUR)
    assert half.roll is not None
    assert half.roll.left == {}
    again = count(half.roll, ["a", "b", "e", "c"], at + 2 * HOUR)
    assert again.roll is not None
    assert again.roll.left == {mark("d"): at + HOUR}
    assert Roll.of(again.roll.data()) == again.roll


def _dying(owner: object, name: str, call: int, *, after: bool) -> Callable[[], None]:
    whole, seen = getattr(owner, name), [0]

    def deadly(*arguments: object, **named: object) -> object:
        seen[0] += 1
        if seen[0] != call:
            return whole(*arguments, **named)
        if after:
            whole(*arguments, **named)
        raise Died

    setattr(owner, name, deadly)
    return lambda: setattr(owner, name, whole)
