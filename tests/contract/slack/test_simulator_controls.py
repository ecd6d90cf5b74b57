"""The simulator's control API and its command line."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from slack_sdk import WebClient

from sandbox.slack import SlackSimulator


@pytest.fixture
def url() -> Iterator[str]:
    with SlackSimulator("xoxb-fake").serve() as url:
        yield url


@pytest.fixture
def control(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url.removesuffix("api/"), trust_env=False) as client:
        yield client


def test_the_channel_is_read_as_data_and_as_text(url: str, control: httpx.Client) -> None:
    control.post("/_sim/clock", json={"now": "2026-03-01T12:00:00+00:00"})
    WebClient("xoxb-fake", url).chat_postMessage(channel="C0GOVERNOR", text="hello")
    [message] = control.get("/_sim/messages").json()["messages"]
    assert (message["text"], message["replies"]) == ("hello", [])
    assert control.get("/_sim/transcript").text == "[2026-03-01 12:00:00Z] Governor\n  hello"
    assert control.get("/_sim/messages", params={"channel": "C0NOWHERE"}).status_code == 404


def test_faults_are_set_read_and_cleared(control: httpx.Client) -> None:
    control.post("/_sim/faults", json={"method": "chat.update", "kind": "server_error", "times": 0})
    assert control.get("/_sim/faults").json()["faults"][0]["method"] == "chat.update"
    assert control.delete("/_sim/faults").json() == {"faults": []}
    assert control.post("/_sim/faults", json={"method": "*", "kind": "explode"}).status_code == 400
    assert control.post("/_sim/faults", json={"method": "*"}).status_code == 400


def test_the_command_line_prints_the_url_it_serves() -> None:
    command = [sys.executable, "-m", "sandbox.slack", "--token", "xoxb-fake", "--channel", "C0OTHER=other"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            client = WebClient("xoxb-fake", url)
            assert client.conversations_info(channel="C0OTHER")["channel"]["name"] == "other"
        finally:
            process.terminate()
