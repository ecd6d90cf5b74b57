"""The thread that owns the world, with a world that only counts: one thing after the other, and rest is rest."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from sandbox.play.driver import MINUTE, WAITING, Busy, Driver, Story
from sandbox.scenario.world import World

SECONDS = 30
"""A bound on a hang."""


@dataclass
class CountingClock:
    ticks: bool = False

    def tick(self) -> None:
        self.ticks = True

    def stand_still(self) -> None:
        self.ticks = False


@dataclass
class CountingEngine:
    clock: CountingClock = field(default_factory=CountingClock)


@dataclass
class CountingWorld:
    engine: CountingEngine = field(default_factory=CountingEngine)
    now: datetime = datetime(2026, 1, 29, tzinfo=UTC)
    steps: list[timedelta] = field(default_factory=list)

    def run(self, until: datetime, **_more: Any) -> None:
        assert self.engine.clock.ticks, "time passes only while the clock runs"
        self.steps.append(until - self.now)
        self.now = until


@pytest.fixture
def world() -> CountingWorld:
    return CountingWorld()


@pytest.fixture
def driver(world: CountingWorld) -> Iterator[Driver]:
    made = Driver(cast(World, world))
    made.start()
    yield made
    made.close()


def _told(driver: Driver, story: Story) -> str:
    """Tells the story to its end; what came of it."""
    driver.order(lambda: driver.tell("a story", story)).result(SECONDS)
    while driver.order(lambda: driver.doing).result(SECONDS):
        pass
    return driver.outcome


def test_a_paused_page_waits_for_ever_and_its_clock_stands(driver: Driver, world: CountingWorld) -> None:
    assert driver.order(lambda: world.engine.clock.ticks).result(SECONDS), "what a person does takes time"
    driver.close()
    assert driver.at_rest
    assert driver._patience() is None, "no time-out: nothing wakes the thread but an order"
    assert not world.engine.clock.ticks
    assert world.steps == []


def test_a_story_passes_its_time_step_by_step_and_says_what_came_of_it(driver: Driver, world: CountingWorld) -> None:
    def story() -> Story:
        yield MINUTE
        yield 15 * MINUTE
        return "done"

    assert _told(driver, story()) == "done"
    assert world.steps == [MINUTE, 15 * MINUTE]
    assert driver.at_rest


def test_one_story_at_a_time_and_a_pause_breaks_it_off(driver: Driver) -> None:
    def endless() -> Story:
        while True:
            yield MINUTE

    driver.order(lambda: driver.tell("endless", endless())).result(SECONDS)
    with pytest.raises(Busy, match="endless"):
        driver.order(lambda: driver.tell("another", endless())).result(SECONDS)
    driver.order(lambda: driver.set_pace("paused")).result(SECONDS)
    assert (driver.doing, driver.outcome, driver.at_rest) == ("", "It was broken off.", True)


def test_what_fails_is_told_and_the_thread_lives_on(driver: Driver) -> None:
    def broken() -> Story:
        yield MINUTE
        raise LookupError("no button 'Restore key'")

    assert _told(driver, broken()) == "This cannot be done now: no button 'Restore key'"
    with pytest.raises(ZeroDivisionError):
        driver.order(lambda: 1 / 0).result(SECONDS)
    assert driver.order(lambda: "alive").result(SECONDS) == "alive"


def test_a_page_that_cannot_be_drawn_does_not_end_the_thread(
    world: CountingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    def draws() -> None:
        raise KeyError("spent_usd")

    blind = Driver(cast(World, world), on_change=draws)
    blind.start()
    assert blind.order(lambda: "alive").result(SECONDS) == "alive"
    assert blind.order(lambda: "still").result(SECONDS) == "still"
    blind.close()
    assert "could not be drawn" in caplog.text


def test_too_many_orders_are_refused(world: CountingWorld) -> None:
    idle = Driver(cast(World, world))  # its thread was never started
    for _ in range(WAITING):
        idle.order(lambda: None)
    with pytest.raises(Busy, match="waiting"):
        idle.order(lambda: None)


def test_a_page_is_shown_after_everything_that_may_have_changed_it(world: CountingWorld) -> None:
    shown: list[str] = []
    watched = Driver(cast(World, world), on_change=lambda: shown.append(watched.outcome))
    watched.start()

    def story() -> Story:
        yield MINUTE
        return "told"

    _told(watched, story())
    watched.close()
    assert shown[0] == ""
    assert shown[-1] == "told"
