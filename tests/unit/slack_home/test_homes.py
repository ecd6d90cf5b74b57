"""What each person's Home shows, who sees one, and that the newest is what stays."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governor.events import BadEvent
from governor.slack.channel import SlackError, SlackUnavailable
from governor.slack.identity import Person
from governor.slack.memory import MemoryHomeTab
from slack_home import handler
from slack_home.settings import received
from tests.unit.slack_home.homes import HASHES, TEAM, World

SAMPLES = sorted((Path(__file__).parents[3] / "events" / "slack_home").glob("*.json"))


@pytest.fixture
def world() -> World:
    return World()


def test_ones_own_stands_first_with_the_buttons_of_the_message(world: World) -> None:
    world.disabled("prod-checkout")
    world.disabled("prod-search-agent")
    assert world.opens("U0SEARCH") == "shown"
    seen = world.sees("U0SEARCH")
    own, other = (
        next(number for number, text in enumerate(seen) if f"*{name}* is disabled" in text)
        for name in ("prod-search-agent", "prod-checkout")
    )
    assert own < other
    assert seen[own].startswith("_Disabled_ · *prod-search-agent* is disabled for runaway since 21 Nov 08:00 UTC")
    assert "20 times the habit" in seen[own]
    assert seen[own + 1] == "[Restore key]"


def test_a_button_carries_what_the_messages_button_carries(world: World) -> None:
    world.disabled("prod-search-agent")
    world.turning("prod-checkout")
    world.opens("U0SEARCH")
    buttons = {
        one["action_id"]: json.loads(one["value"])
        for block in world.tab.views["U0SEARCH"]["blocks"]
        if block["type"] == "actions"
        for one in block["elements"]
    }
    assert buttons == {
        "governor.restore": {"subject": "prod-search-agent", "cause": "runaway"},
        "governor.rollback-key": {"subject": "prod-checkout", "back": HASHES[0], "goes": HASHES[1]},
    }


def test_a_request_that_waits_for_somebody_is_theirs_and_shown_whole_or_without_buttons(world: World) -> None:
    world.asks("small")
    file = "https://sandbox.slack.com/f"
    world.asks("large", kind="promotion", subject="triage", name="triage", file=file, change={})
    world.opens("U0LEAD")
    seen = world.sees("U0LEAD")
    assert "Yours" in seen
    assert any("asks to *restore prod-checkout (disabled for runaway)*" in text for text in seen)
    assert seen.count("[Approve]") == seen.count("[Reject]") == 1
    assert any("decide under its message" in text for text in seen)
    world.approvals.withdraw("small", "changed")
    world.opens("U0SEC")
    assert "[Approve]" not in world.sees("U0SEC")


def test_a_budget_is_shown_as_the_meter_stored_it_until_its_period_ends(world: World) -> None:
    world.opens("U0SEARCH")
    world.homes.refresh([world.budget()])
    assert any("has spent $201.25 of its monthly $200.00, 101%" in text for text in world.sees("U0SEARCH"))
    assert "[Disable key]" in world.sees("U0SEARCH")
    world.homes.refresh([world.budget(minute=5, spent_usd=210.0), world.budget(minute=3, spent_usd=205.0)])
    assert any("$210.00" in text for text in world.sees("U0SEARCH")), "the newest, in whatever order they come"
    world.homes.refresh([world.budget(minute=6, spent_usd=150.0, threshold=0.5, limit_usd=300.0)])
    assert not any("150.00" in text for text in world.sees("U0SEARCH"))
    world.homes.refresh([world.budget(minute=7)])
    assert any("201.25" in text for text in world.sees("U0SEARCH"))
    world.now = datetime(2026, 12, 1, 0, 1, tzinfo=UTC)
    world.opens("U0SEARCH")
    assert not any("201.25" in text for text in world.sees("U0SEARCH"))


def test_a_budget_that_no_row_holds_is_not_believed(world: World) -> None:
    world.opens("U0SEARCH")
    world.homes.refresh([world.budget(stored=False)])
    assert not any("201.25" in text for text in world.sees("U0SEARCH"))


def test_events_bring_every_home_up_to_date_and_nobody_is_given_one_unasked(world: World) -> None:
    world.opens("U0SEARCH")
    world.disabled("prod-checkout")
    assert world.homes.refresh([]) == 1
    assert any("prod-checkout" in text for text in world.sees("U0SEARCH"))
    assert set(world.tab.views) == {"U0SEARCH"}
    world.now += timedelta(days=31)
    assert world.homes.refresh([]) == 0


STRANGERS = {
    "guest": Person("U0EVE", frozenset({TEAM}), guest=True),
    "deactivated": Person("U0EVE", frozenset({TEAM}), guest=False, deactivated=True),
    "bot": Person("U0EVE", frozenset({TEAM}), guest=False, bot=True),
    "outsider": Person("U0EVE", frozenset({"T0OTHER"}), guest=False),
}


@pytest.mark.parametrize("rule", STRANGERS)
def test_whoever_may_not_use_governor_sees_one_sentence_and_nothing_of_the_organization(
    world: World, rule: str
) -> None:
    world.disabled("prod-search-agent")
    world.directory.people["U0EVE"] = STRANGERS[rule]
    assert world.opens("U0EVE") == rule
    (said,) = world.sees("U0EVE")
    assert said.startswith("Nothing was done")
    assert world.homes.refresh([]) == 0


def test_a_request_from_another_workspace_shows_nothing(world: World) -> None:
    assert world.opens("U0SEARCH", team="T0OTHER") == "elsewhere"


def test_whoever_becomes_a_guest_loses_their_home_at_the_next_event(world: World) -> None:
    world.disabled("prod-search-agent")
    world.opens("U0EVE")
    world.directory.people["U0EVE"] = STRANGERS["guest"]
    world.homes.refresh([])
    (said,) = world.sees("U0EVE")
    assert "guest" in said


@pytest.mark.parametrize("unclear", ["no answer", "no flags"])
def test_while_slack_does_not_say_who_it_is_nothing_is_shown(world: World, unclear: str) -> None:
    if unclear == "no answer":
        world.directory.unread = SlackUnavailable("down")
    else:
        world.directory.people["U0SEARCH"] = Person("U0SEARCH", frozenset({TEAM}), guest=None)
    with pytest.raises(SlackError):
        world.opens("U0SEARCH")
    assert world.tab.views == {}


class _Beside(MemoryHomeTab):
    """While one copy publishes, another reads and publishes something newer, and the first one's comes last."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world: World | None = world

    def publish(self, user: str, view: Mapping[str, Any]) -> None:
        world, self.world = self.world, None
        if world is not None:
            world.disabled("prod-search-agent")
            world.homes.refresh([])
        super().publish(user, view)


def test_a_copy_that_was_slower_reads_anew_and_publishes_again(world: World) -> None:
    world.opens("U0SEARCH")
    world.tab = _Beside(world)
    world.homes = replace(world.homes, tab=world.tab)
    world.homes.refresh([])
    assert any("prod-search-agent* is disabled" in text for text in world.sees("U0SEARCH"))


def test_a_hundred_blocks_are_enough_and_what_does_not_fit_is_counted() -> None:
    world = World(workloads=200)
    for workload in world.policy.workloads:
        world.disabled(workload.name, reason="x" * 2000)
    world.opens("U0SEARCH")
    assert 98 <= len(world.tab.views["U0SEARCH"]["blocks"]) <= 100
    shown = sum("is disabled" in text for text in world.sees("U0SEARCH"))
    assert world.sees("U0SEARCH")[-1].startswith(f"… and {200 - shown} more")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_taken(world: World, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(handler, "build", lambda: world.homes)
    assert handler.lambda_handler(json.loads(path.read_text()), None) == {"batchItemFailures": []}


def test_a_batch_fails_by_its_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "build", lambda: world.homes)
    happened, opened = (json.loads(path.read_text())["Records"] for path in SAMPLES)
    bad = {"messageId": "bad", "body": "{"}
    answer = handler.lambda_handler({"Records": [bad, *opened, *happened]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    world.directory.unread = SlackUnavailable("down")
    answer = handler.lambda_handler({"Records": [*opened, *happened]}, None)
    assert len(answer["batchItemFailures"]) == 3


@pytest.mark.parametrize("body", ["", "[]", '{"kind": "button"}', '{"kind": 3}', "null", '{"detail-type": "Weather"}'])
def test_a_malformed_message_is_an_error(body: str) -> None:
    with pytest.raises(BadEvent):
        received({"messageId": "m", "body": body})
