"""One suite over Slack in memory and the Slack adapter driving the simulator, so that the double is proven."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from governor.slack.channel import Button, Message, Slack, SlackChannel, SlackGone
from governor.slack.memory import MemorySlack
from sandbox.slack import SlackSimulator

HELLO = Message("🔴 hello", "#d72b3f", ("one", "two"), ("small print",))


@pytest.fixture(params=["memory", "simulator"])
def slack(request: pytest.FixtureRequest) -> Iterator[Slack]:
    if request.param == "memory":
        yield MemorySlack()
        return
    with SlackSimulator("xoxb-fake").serve() as url:
        yield SlackChannel(lambda: SecretStr("xoxb-fake"), "C0GOVERNOR", url)


def test_a_message_is_found_by_any_part_of_its_metadata(slack: Slack) -> None:
    ts = slack.post(HELLO, {"id": "e1", "incident": "runaway#a#1"})
    for part in ({"id": "e1"}, {"incident": "runaway#a#1"}, {"id": "e1", "incident": "runaway#a#1"}):
        found = slack.find(part)
        assert found is not None
        assert (found.ts, found.metadata["id"]) == (ts, "e1")


def test_a_message_that_was_never_posted_is_not_found(slack: Slack) -> None:
    slack.post(HELLO, {"id": "e1"})
    assert slack.find({"id": "e2"}) is None
    assert slack.find({"id": "e1", "incident": "other"}) is None


@pytest.mark.parametrize("filled", ["x" * 5_000, "&lt;" * 800, "é" * 3_000])
def test_the_largest_message_is_posted_and_edited_with_its_buttons(slack: Slack, filled: str) -> None:
    buttons = tuple(Button(f"Approve {n}", f"approve{n}", {"id": "e1"}, confirm="Sure?") for n in range(3))
    largest = Message(filled * 3, "#d72b3f", (filled,) * 60, (filled,) * 12, buttons)
    ts = slack.post(largest, {"id": "e1"})
    slack.update(ts, largest)
    assert slack.find({"id": "e1"})


def test_of_two_messages_that_match_the_newest_is_found(slack: Slack) -> None:
    slack.post(HELLO, {"id": "e1"})
    newest = slack.post(HELLO, {"id": "e1"})
    found = slack.find({"id": "e1"})
    assert found is not None
    assert found.ts == newest


def test_a_reply_is_found_in_its_thread_and_not_in_the_channel(slack: Slack) -> None:
    parent = slack.post(HELLO, {"id": "e1"})
    reply = slack.post(HELLO, {"id": "e2"}, thread_ts=parent)
    assert slack.find({"id": "e2"}) is None
    found = slack.find({"id": "e2"}, thread_ts=parent)
    assert found is not None
    assert found.ts == reply


def test_a_broadcast_reply_is_found_in_the_channel_too(slack: Slack) -> None:
    parent = slack.post(HELLO, {"id": "e1"})
    reply = slack.post(HELLO, {"id": "e2"}, thread_ts=parent, broadcast=True)
    found = slack.find({"id": "e2"})
    assert found is not None
    assert found.ts == reply


def test_an_update_keeps_the_metadata(slack: Slack) -> None:
    ts = slack.post(HELLO, {"id": "e1"})
    slack.update(ts, Message("🟢 goodbye", "#2eb67d"))
    found = slack.find({"id": "e1"})
    assert found is not None
    assert found.ts == ts


def test_updating_a_message_that_is_not_there_says_that_it_is_gone(slack: Slack) -> None:
    with pytest.raises(SlackGone):
        slack.update("1.000001", HELLO)


def test_answering_in_a_thread_that_is_not_there_says_that_it_is_gone(slack: Slack) -> None:
    with pytest.raises(SlackGone):
        slack.post(HELLO, {"id": "e1"}, thread_ts="1.000001")
    with pytest.raises(SlackGone):
        slack.find({"id": "e1"}, thread_ts="1.000001")
