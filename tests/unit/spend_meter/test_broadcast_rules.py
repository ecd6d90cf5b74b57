"""When Broadcast is told to be silent or changed: once while it lasts, its end too, never from what was not read."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.events import DetailType
from spend_meter.broadcast_rules import AT_LEAST, Memory, Place, checks_until_told, judge

START, EVERY = 29_000_000, 10
OFF = {"privacy_mode": "privacy mode is off"}
SWITCH = {"switch": "Broadcast is switched off in the workspace"}


class Told:
    """Checks one after the other; what was told, as (kind, whether it is the end)."""

    def __init__(self, rate: float = 1.0) -> None:
        self.memory, self.minute, self.rate = Memory(), START, rate
        self.pushed = 0
        self.news: list[tuple[str, bool]] = []
        self.ids: set[str] = set()
        self.reasons: list[str] = []

    def check(
        self, usd: float = 0.0, pushed: bool = False, wrong: dict[str, str] | None = None, times: int = 1, **more: Any
    ) -> list[tuple[str, bool]]:
        """What the last of these checks told."""
        fresh: list[tuple[str, bool]] = []
        for _ in range(times):
            self.minute += EVERY
            if pushed:
                self.pushed = self.minute - 2
            place = Place("search", [(self.minute - 3, usd)], self.pushed, {} if wrong is None else wrong, True)
            self.memory = judge(self.memory, {"ws-1": replace(place, **more)}, self.minute, self.rate)
            fresh = [
                (event.evidence["kind"], event.detail_type is DetailType.MONITOR_RECOVERED)
                for event in self.memory.outbox
            ]
            assert not self.ids & {event.id for event in self.memory.outbox}
            self.ids |= {event.id for event in self.memory.outbox}
            self.reasons += [event.reason for event in self.memory.outbox]
            self.news += fresh
            self.memory = Memory.decode(replace(self.memory, outbox=()).encode())
        return fresh


def test_money_spent_while_nothing_is_pushed_is_told_once_and_so_is_its_end() -> None:
    told = Told()
    told.check(usd=1.0, pushed=True, times=5)
    assert told.news == []
    told.check(usd=1.0, times=AT_LEAST)  # a push minutes before a check may be of what the next one sees
    assert told.news == []
    assert told.check(usd=1.0) == [("broadcast_silent", False)]
    assert "$3.00 was spent in workspace search since" in told.reasons[-1]
    told.check(usd=1.0, times=100)
    assert told.check(usd=1.0, pushed=True) == [("broadcast_silent", True)]
    assert told.check(usd=1.0, times=AT_LEAST + 1) == [("broadcast_silent", False)], "another episode is told anew"
    assert len(told.news) == 3


def test_a_workspace_that_spends_nothing_may_be_silent_for_days() -> None:
    told = Told()
    told.check(times=1_000)
    assert told.news == []


def test_a_push_ends_the_count_and_so_a_slow_counter_is_no_silence() -> None:
    told = Told()
    for _ in range(50):
        told.check(usd=1.0, times=AT_LEAST - 1)
        told.check(usd=1.0, pushed=True)
    assert told.news == []


@pytest.mark.parametrize(("rate", "checks"), [(1.0, 3), (0.9, 3), (0.5, 10), (0.1, 66), (0.01, 688)])
def test_with_sampling_a_silence_is_told_when_chance_does_not_explain_it(rate: float, checks: int) -> None:
    assert checks_until_told(rate) == checks
    assert (1 - rate) ** checks <= 0.001 + 1e-12
    told = Told(rate)
    told.check()  # the first only learns
    told.check(usd=1.0, times=checks - 1)
    assert told.news == []
    assert told.check(usd=1.0) == [("broadcast_silent", False)]


def test_what_differs_is_told_when_two_checks_saw_it_and_again_only_when_something_joins_it() -> None:
    told = Told()
    assert told.check(wrong=OFF) == []
    assert told.check(wrong={}) == [], "somebody was at it"
    told.check(wrong=OFF)
    assert told.check(wrong=OFF) == [("broadcast_drifted", False)]
    assert "privacy_mode: privacy mode is off" in told.reasons[-1]
    told.check(wrong=OFF, times=50)
    told.check(wrong=OFF | SWITCH)
    assert told.check(wrong=OFF | SWITCH) == [("broadcast_drifted", False)]
    told.check(wrong=OFF, times=3)
    told.check(wrong=OFF | SWITCH, times=3)
    assert told.check(wrong={}) == [("broadcast_drifted", True)]
    assert len(told.news) == 3


def test_what_drift_explains_is_not_told_as_silence_until_it_is_put_right_and_nothing_comes_still() -> None:
    told = Told()
    told.check(usd=1.0, wrong=SWITCH, times=20)
    assert told.news == [("broadcast_drifted", False)]
    assert told.check(usd=1.0) == [("broadcast_drifted", True), ("broadcast_silent", False)]


def test_what_was_not_read_changes_nothing() -> None:
    told = Told()
    told.check(wrong=OFF, times=2)
    assert told.news == [("broadcast_drifted", False)]
    told.check(differences=None, times=20)
    assert len(told.news) == 1
    assert told.check(wrong={}) == [("broadcast_drifted", True)]


def test_a_workspace_that_is_gone_ends_what_was_told_of_it() -> None:
    told = Told()
    told.check(wrong=OFF, times=2)
    after = judge(told.memory, {}, told.minute + EVERY, 1.0)
    assert [(event.detail_type, event.evidence["kind"]) for event in after.outbox] == [
        (DetailType.MONITOR_RECOVERED, "broadcast_drifted")
    ]
    assert after.places == {}


def test_a_check_that_comes_twice_or_late_changes_nothing() -> None:
    told = Told()
    told.check(usd=1.0, times=2)
    for late in (0, 1, 10_000):
        place = {"ws-1": Place("search", [(told.minute, 5.0)], 0, OFF)}
        assert judge(told.memory, place, told.minute - late, 1.0) == told.memory


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5]), st.booleans(), st.sampled_from([None, {}, OFF, SWITCH, OFF | SWITCH])),
        max_size=60,
    )
)
def test_whatever_happens_each_beginning_has_one_end_and_no_end_comes_without_a_beginning(
    checks: list[tuple[float, bool, dict[str, str] | None]],
) -> None:
    told = Told()
    open_silence = open_drift = False
    for usd, pushed, wrong in checks:
        for kind, ended in told.check(usd=usd, pushed=pushed, differences=wrong):
            if kind == "broadcast_silent":
                assert ended == open_silence
                open_silence = not ended
            else:
                assert open_drift or not ended
                open_drift = not ended
    one = told.memory.places.get("ws-1")
    assert (bool(one and one.silent), bool(one and one.drifted)) == (open_silence, open_drift)
