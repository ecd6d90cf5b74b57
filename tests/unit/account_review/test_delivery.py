"""What people get: a short message, one page, tables, an event; each once, whatever dies in between."""

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from account_review.settings import Run, Tick, received
from account_review.summary import lines
from governor.events import BadEvent, DetailType
from governor.storage.readings import MemoryReadingStore, ReadingConflict
from sandbox.openrouter.simulator import Simulator
from sandbox.reviewed import plant
from sandbox.reviewed.clean import STAGING, make_key
from tests.unit.account_review.world import MemoryChannel, World

WEEKLY = Run("weekly-2026-11-23")
SAMPLES = Path(__file__).resolve().parents[3] / "events" / "account_review"


def _channel(world: World) -> MemoryChannel:
    assert world.channel is not None
    return world.channel


class _Page(HTMLParser):
    """What a browser would fetch or run, and whether every tag is closed."""

    VOID = frozenset({"meta", "br", "rect", "line", "path", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.fetched += [f"{value}" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_message_has_at_most_twelve_lines_and_a_link_that_ends() -> None:
    world = World(faults=plant)
    world.review()
    (said,) = _channel(world).said
    text = "\n".join([said.message.text, *said.message.sections])
    assert len(text.splitlines()) <= 12
    assert "https://reviews.example.com/weekly-2026-11-23/index.html" in text
    assert "up" in text
    assert said.message.text.startswith("Account review of 2026-11-23: $")


def test_the_summary_never_passes_twelve_lines_however_much_is_found_and_unread() -> None:
    world = World(faults=plant)
    world.simulator.fault("/byok", "500", times=None)
    assert len(lines(world.review(), "https://reviews.example.com")) <= 12


def test_the_page_is_one_file_that_loads_nothing_and_is_the_file_in_slack() -> None:
    world = World(faults=plant)
    world.review()
    page = world.shelf.objects["weekly-2026-11-23/index.html"]
    ((name, text),) = _channel(world).files
    assert (name, text) == ("account-review-2026-11-23.html", page)
    read = _Page(page)
    assert (read.scripts, read.fetched, read.open) == (0, [], [])
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page


def test_what_people_named_is_text_on_the_page_and_no_formula_in_a_table() -> None:
    evil = "<script>alert(1)</script>"

    def faults(simulator: Simulator) -> None:
        make_key(simulator.organization, evil, STAGING)
        simulator.spend(make_key(simulator.organization, "=cmd|' /C calc'!A0", STAGING), 5.0, app="x")

    world = World(faults=faults)
    world.review()
    objects = world.shelf.objects
    assert evil not in objects["weekly-2026-11-23/index.html"]
    assert "&lt;script&gt;" in objects["weekly-2026-11-23/index.html"]
    for name in ("findings.csv", "costs.csv", "focus.csv"):
        for row in csv.reader(io.StringIO(objects[f"weekly-2026-11-23/{name}"])):
            assert not [cell for cell in row if re.match(r"[=@+]", cell)]


def test_the_event_has_the_figures_and_no_link() -> None:
    world = World(faults=plant)
    report = world.review()
    (event,) = world.bus.events
    assert event.detail_type == DetailType.ACCOUNT_REVIEWED
    assert event.evidence["new"] == len(report.findings.new)
    assert sum(event.evidence["findings"].values()) == len(report.findings.open)
    assert "https://" not in json.dumps(event.detail())


def test_without_slack_the_same_lines_come_by_mail() -> None:
    world = World(faults=plant)
    world.channel = None
    world.review()
    world.review()
    ((subject, body),) = world.topic.sent
    assert subject.startswith("[Governor] Account review of 2026-11-23")
    assert "*" not in body
    assert "<" not in body


def test_the_review_writes_nothing_at_openrouter() -> None:
    world = World(faults=plant)
    world.simulator.requests.clear()
    world.review()
    assert {(one.method, one.path) for one in world.simulator.requests if one.method != "GET"} == {
        ("POST", "/analytics/query")
    }


def test_a_run_asks_analytics_less_than_its_budget() -> None:
    world = World(faults=plant)
    world.simulator.requests.clear()
    world.review()
    assert sum(one.path == "/analytics/query" for one in world.simulator.requests) <= 30


class Died(Exception):
    """The function was killed here."""


def _dying(world: World, owner: object, name: str, *, after: bool, call: int = 1) -> Callable[[], None]:
    """From now on `owner.name` dies at its `call`-th call, before or after its effect; gives back what mends it."""
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


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("where", "name", "call"),
    [
        ("shelf", "put", 1), ("shelf", "put", 6), ("memory", "put", 1), ("memory", "put", 2), ("memory", "put", 3),
        ("channel", "post", 1), ("channel", "upload", 1), ("bus", "publish", 1),
    ],
)  # fmt: skip
def test_a_run_that_dies_and_begins_again_tells_the_same_once(where: str, name: str, call: int, after: bool) -> None:
    world = World(faults=plant)
    fix = _dying(world, getattr(world, where), name, after=after, call=call)
    with pytest.raises(Died):
        world.review(WEEKLY)
    fix()
    report = world.review(WEEKLY)
    assert len(report.findings.new) > 25
    channel = _channel(world)
    assert len(channel.said) == 1
    # A file whose note was lost is uploaded once more: Slack cannot be asked for it.
    lost_note = (where, name, call, after) in {("channel", "upload", 1, True), ("memory", "put", 3, False)}
    assert len(channel.files) == (2 if lost_note else 1)
    assert len({event.id for event in world.bus.events}) == 1
    again = world.review(WEEKLY)
    assert len(again.findings.new) == len(report.findings.new)
    assert len(channel.said) == 1


class _Crowded(MemoryReadingStore):
    """Lets `between` happen once, before its first write."""

    between: Callable[[], object] | None = None

    def put(self, content: bytes, replaces: str | None) -> str:
        between, self.between = self.between, None
        if between:
            between()
        return super().put(content, replaces)


def test_of_two_runs_beside_each_other_one_tells() -> None:
    world = World(faults=plant)
    store = _Crowded()
    store.between = lambda: world.review(WEEKLY)
    world.memory = store
    with pytest.raises(ReadingConflict):
        world.review(WEEKLY)
    assert len(_channel(world).said) == 1


def test_a_refused_management_key_fails_the_run_and_tells_nothing() -> None:
    world = World()
    world.simulator.management_hashes.clear()
    with pytest.raises(Exception, match="401"):
        world.review()
    assert _channel(world).said == []


def test_a_schedule_and_a_request_are_told_apart_and_anything_else_is_refused() -> None:
    assert received({"version": 1, "scheduled_time": "2026-11-23T07:00:00Z"}) == WEEKLY
    with pytest.raises(BadEvent, match="scheduled_time"):
        received({"scheduled_time": "Monday"})
    with pytest.raises(BadEvent, match="detail-type"):
        received(_request("Key Disabled"))


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda one: one.stem)
def test_every_sample_of_an_event_is_taken(sample: Path) -> None:
    taken = received(json.loads(sample.read_text()))
    assert isinstance(taken, Tick) or re.fullmatch(r"(weekly|asked)-[0-9a-f-]+", taken.id)


def test_who_asks_for_a_review_is_not_even_read() -> None:
    asked, forged = _request("Review Requested"), _request("Review Requested")
    forged["detail"]["evidence"] = {"requested_by": "U0SOMEBODY"}
    assert received(asked) == received(forged)
    forged["detail"]["id"] = "../../readings/state.bin"
    renamed = received(forged)
    assert isinstance(renamed, Run)
    assert re.fullmatch(r"asked-[0-9a-f]{40}", renamed.id)


def _request(detail_type: str) -> dict[str, Any]:
    detail = {"id": "0f8f2c1e5d5b4c27", "subject": "account", "occurred_at": "2026-11-23T07:00:00Z"}
    return {"detail-type": detail_type, "id": "1", "time": "2026-11-23T07:00:00Z", "detail": detail}
