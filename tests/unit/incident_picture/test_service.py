"""One message in the thread, brought up to date: whatever comes twice, late, or beside itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from governor.clock import format_instant
from governor.events import Event
from governor.ledger import MemoryLedger, Put
from governor.slack.channel import Message, SlackUnavailable
from governor.slack.memory import MemoryPictures
from governor.slack.pictures import Picture, PictureNotReady
from incident_picture.service import LEASE, Illustrator, Postponed
from tests.unit.incident_picture.conftest import T0, disabled, runaway, sample

KEY = "runaway#prod-search-agent"


@dataclass
class World:
    """The ledger with an incident's row as the notifier writes it, and a channel with its thread."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    pictures: MemoryPictures = field(default_factory=MemoryPictures)
    now: datetime = T0
    paused: list[float] = field(default_factory=list)
    drawn: int = 0

    def __post_init__(self) -> None:
        self.thread = self.pictures.post(Message("🔴", "#000000"), {"part": "parent"})

    @property
    def illustrator(self) -> Illustrator:
        return Illustrator(self.ledger, self.pictures, self._draw, lambda: self.now, self.paused.append)

    def _draw(self, _plot: Any) -> bytes:
        self.drawn += 1
        return b"png"

    def remember(self, *steps: Event, ts: str | None = "", generation: int = 1) -> None:
        """The notifier's row, whose lease is over."""
        row = self.ledger.get(f"incident#{KEY}", "incident")
        envelopes = [
            {"detail-type": one.detail_type.value, "id": one.id, "time": format_instant(one.occurred_at),
             "detail": one.detail()}
            for one in steps
        ]  # fmt: skip
        incident = {
            "key": KEY, "generation": generation, "after": None, "steps": envelopes, "opened_by": "x",
            "ts": self.thread if ts == "" else ts,
        }  # fmt: skip
        data = {"incident": incident, "leased_until": None, "unsure": False}
        self.ledger.commit(Put(f"incident#{KEY}", "incident", data, row.version if row else 0))

    @property
    def replies(self) -> list[str]:
        return [said.message.text for said in self.pictures.said if said.thread_ts == self.thread]


@pytest.fixture
def world() -> World:
    return World()


def test_a_picture_follows_in_the_thread_with_its_words(world: World) -> None:
    world.remember(runaway())
    assert world.illustrator.illustrate(KEY) == "shown"
    (said,) = world.replies
    assert said.startswith("Spend of prod-search-agent by the minute")
    assert world.pictures.said[-1].metadata == {"incident": f"{KEY}#1", "part": "picture"}


def test_twice_is_once_and_news_is_shown_in_the_same_message(world: World) -> None:
    world.remember(runaway())
    assert [world.illustrator.illustrate(KEY) for _ in range(3)] == ["shown", "shown_before", "shown_before"]
    assert world.drawn == 1
    world.remember(runaway(), disabled())
    assert world.illustrator.illustrate(KEY) == "shown"
    (said,) = world.replies
    assert "disabled 03:01" in said


@pytest.mark.parametrize(
    ("arrange", "rule"),
    [
        (lambda world: None, "no_incident"),
        (lambda world: world.remember(runaway(), ts=None), "no_thread"),
        (lambda world: world.remember(sample("monitor_blind")), "nothing_to_draw"),
    ],
    ids=["no incident", "told by mail", "nothing measured"],
)
def test_where_there_is_nothing_to_show_nothing_is_done(
    world: World, arrange: Callable[[World], None], rule: str
) -> None:
    arrange(world)
    assert world.illustrator.illustrate(KEY) == rule
    assert (world.replies, world.pictures.files) == ([], {})


def test_a_next_thread_of_the_incident_has_a_picture_of_its_own(world: World) -> None:
    world.remember(runaway())
    world.illustrator.illustrate(KEY)
    first, world.thread = world.thread, world.pictures.post(Message("🔴", "#000000"), {})
    world.remember(runaway(minute=60), generation=2)
    assert world.illustrator.illustrate(KEY) == "shown"
    assert [said.thread_ts for said in world.pictures.said if said.thread_ts] == [first, world.thread]


def test_a_deleted_thread_gets_nothing_until_there_is_a_new_one(world: World) -> None:
    world.remember(runaway())
    world.pictures.said.clear()
    assert world.illustrator.illustrate(KEY) == "thread_gone"
    assert world.illustrator.illustrate(KEY) == "shown_before", "the same figures are not tried again"
    world.thread = world.pictures.post(Message("🔴", "#000000"), {})
    world.remember(runaway(), disabled())
    assert world.illustrator.illustrate(KEY) == "shown"
    assert len(world.replies) == 1


def test_a_deleted_picture_comes_back_with_news_only(world: World) -> None:
    world.remember(runaway())
    world.illustrator.illustrate(KEY)
    world.pictures.said.pop()
    assert world.illustrator.illustrate(KEY) == "shown_before"
    world.remember(runaway(), disabled())
    assert world.illustrator.illustrate(KEY) == "shown"
    assert len(world.replies) == 1


def test_a_copy_beside_waits_for_the_lease_and_goes_on_when_it_is_over(world: World) -> None:
    world.remember(runaway())

    def beside(_plot: Any) -> bytes:
        with pytest.raises(Postponed):
            world.illustrator.illustrate(KEY)
        raise KeyboardInterrupt  # the first copy dies here

    first = Illustrator(world.ledger, world.pictures, beside, lambda: world.now, world.paused.append)
    with pytest.raises(KeyboardInterrupt):
        first.illustrate(KEY)
    world.now += LEASE + timedelta(seconds=1)
    assert world.illustrator.illustrate(KEY) == "shown"
    assert len(world.replies) == 1


class _Slow(MemoryPictures):
    """Slack needs `refusals` attempts until it shows a file."""

    refusals = 0

    def show(self, file: str, picture: Picture, metadata: Any, *, thread_ts: str) -> str:
        if self.refusals:
            self.refusals -= 1
            raise PictureNotReady("not yet")
        return super().show(file, picture, metadata, thread_ts=thread_ts)


@pytest.mark.parametrize(("refusals", "paused"), [(1, [1.0]), (3, [1.0, 2.0, 4.0])])
def test_a_file_that_slack_still_works_on_is_waited_for(refusals: int, paused: list[float]) -> None:
    pictures = _Slow()
    pictures.refusals = refusals
    world = World(pictures=pictures)
    world.remember(runaway())
    assert world.illustrator.illustrate(KEY) == "shown"
    assert world.paused == paused


def test_what_slack_does_not_take_comes_again_and_finds_the_lease_free() -> None:
    pictures = _Slow()
    pictures.refusals = 4
    world = World(pictures=pictures)
    world.remember(runaway())
    with pytest.raises(SlackUnavailable):
        world.illustrator.illustrate(KEY)
    assert world.illustrator.illustrate(KEY) == "shown"
    assert len(world.replies) == 1
