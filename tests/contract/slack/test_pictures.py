"""Pictures, in memory and over slack_sdk to the simulator: one suite over both; then what Slack alone can refuse."""

import pytest
from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from governor.slack.channel import Message, SlackChannel, SlackGone, SlackRefused, SlackUnavailable
from governor.slack.memory import MemoryPictures
from governor.slack.pictures import Picture, PictureNotReady, Pictures, SlackPictures
from sandbox.slack import SlackSimulator

CHANNEL = "C0GOVERNOR"
PNG = b"\x89PNG\r\n\x1a\n"
PICTURE = Picture("incident.png", "prod-search-agent: $498.00 an hour", "Spend by the minute.", PNG + b"bytes")
NEWER = Picture("incident.png", "prod-search-agent: $500.00 an hour", "Spend, and more of it.", PNG + b"more")


@pytest.fixture
def slack(url: str) -> SlackPictures:
    return SlackPictures(lambda: SecretStr("xoxb-fake"), CHANNEL, url)


@pytest.fixture
def thread(url: str) -> str:
    return SlackChannel(lambda: SecretStr("xoxb-fake"), CHANNEL, url).post(Message("🔴", "#000000"), {"id": "e1"})


@pytest.fixture(params=["memory", "slack"])
def either(request: pytest.FixtureRequest, slack: SlackPictures, thread: str) -> tuple[Pictures, str]:
    """The port, and a thread."""
    if request.param == "slack":
        return slack, thread
    memory = MemoryPictures()
    return memory, memory.post(Message("🔴", "#000000"), {"id": "e1"})


def test_a_picture_is_found_by_what_it_was_posted_with_and_replaced(either: tuple[Pictures, str]) -> None:
    pictures, thread = either
    ts = pictures.show(pictures.upload(PICTURE), PICTURE, {"part": "picture"}, thread_ts=thread)
    found = pictures.find({"part": "picture"}, thread_ts=thread)
    assert found is not None
    assert (found.ts, found.metadata) == (ts, {"part": "picture"})
    pictures.replace(ts, pictures.upload(NEWER), NEWER)
    assert pictures.find({"part": "another"}, thread_ts=thread) is None


def test_what_is_no_longer_there_is_gone(either: tuple[Pictures, str]) -> None:
    pictures, _ = either
    file = pictures.upload(PICTURE)
    with pytest.raises(SlackGone):
        pictures.replace("9.000000", file, PICTURE)
    with pytest.raises(SlackGone):
        pictures.show(file, PICTURE, {}, thread_ts="9.000000")
    with pytest.raises(SlackGone):
        pictures.find({}, thread_ts="9.000000")


def test_the_message_is_an_image_with_alternative_text_and_the_file_is_slacks(
    simulator: SlackSimulator, slack: SlackPictures, thread: str
) -> None:
    ts = slack.show(slack.upload(PICTURE), PICTURE, {"part": "picture"}, thread_ts=thread)
    slack.replace(ts, slack.upload(NEWER), NEWER)
    (parent,) = simulator.messages(CHANNEL)
    (reply,) = parent["replies"]
    (image,) = reply["blocks"]
    assert (image["type"], image["alt_text"], reply["text"]) == ("image", NEWER.alt, NEWER.alt)
    file = simulator.workspace.files[image["slack_file"]["id"]]
    assert (file["content"], file["alt_txt"]) == (NEWER.png, NEWER.alt)
    assert reply["metadata"]["event_payload"] == {"part": "picture"}
    assert f"[picture: {NEWER.title}] {NEWER.alt}" in simulator.transcript(CHANNEL)


def test_nobody_sees_a_file_before_its_message(simulator: SlackSimulator, slack: SlackPictures, thread: str) -> None:
    slack.upload(PICTURE)
    (parent,) = simulator.messages(CHANNEL)
    assert parent["replies"] == []


def test_a_file_that_slack_does_not_show_yet_is_worth_another_attempt(
    simulator: SlackSimulator, slack: SlackPictures, thread: str
) -> None:
    file = slack.upload(PICTURE)
    simulator.fault("chat.postMessage", "refused", error="invalid_blocks")
    with pytest.raises(PictureNotReady):
        slack.show(file, PICTURE, {}, thread_ts=thread)
    assert slack.show(file, PICTURE, {}, thread_ts=thread)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_an_upload_that_is_cut_off_is_an_unknown_outcome_and_one_that_is_refused_says_why(
    simulator: SlackSimulator, slack: SlackPictures, method: str
) -> None:
    simulator.fault(method, "fail_after")
    with pytest.raises(SlackUnavailable):
        slack.upload(PICTURE)
    simulator.fault(method, "refused", error="missing_scope", extra={"needed": "files:write"})
    with pytest.raises(SlackRefused, match="files:write"):
        slack.upload(PICTURE)


def test_no_text_is_longer_than_slack_takes(simulator: SlackSimulator, slack: SlackPictures, thread: str) -> None:
    long = Picture("incident.png", "t" * 5000, "a" * 5000, PICTURE.png)
    slack.show(slack.upload(long), long, {}, thread_ts=thread)
    (parent,) = simulator.messages(CHANNEL)
    assert len(parent["replies"][0]["blocks"][0]["alt_text"]) == 2000


@pytest.mark.parametrize(
    "block",
    [
        {"slack_file": {"id": "F0NOWHERE"}, "alt_text": "x"},
        {"alt_text": "x"},
        {"image_url": "https://example.com/a.png"},
        {"image_url": "https://example.com/a.png", "slack_file": {"id": "F1"}, "alt_text": "x"},
    ],
    ids=["unknown file", "no image", "no words", "two images"],
)
def test_the_simulator_refuses_what_slack_refuses(url: str, block: dict[str, object]) -> None:
    client = WebClient("xoxb-fake", base_url=url)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=CHANNEL, text="x", blocks=[{"type": "image", **block}])
    assert caught.value.response["error"] == "invalid_blocks"
