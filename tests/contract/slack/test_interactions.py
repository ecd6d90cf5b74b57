"""The simulator as Slack: what people do arrives signed, as slack_sdk's verifier checks it, and can be answered."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.webhook import WebhookClient

from governor.slack.channel import Button, Message, SlackChannel
from sandbox.slack import SlackSimulator
from sandbox.slack.interactions import NothingThere

SECRET = "fake-signing-secret"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class App:
    """The app's side: every request, verified; what it answers is set."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.status, self.answer = 200, ""

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.heard[-1][1]["payload"])
        return payload


class Then(Clock):
    def now(self) -> float:
        return NOON.timestamp()


@contextmanager
def _listening(app: App) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            assert SignatureVerifier(SECRET, Then()).is_valid_request(body, headers)
            app.heard.append((headers, {name: values[0] for name, values in parse_qs(body.decode()).items()}))
            self.send_response(app.status)
            self.end_headers()
            self.wfile.write(app.answer.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def simulator() -> SlackSimulator:
    return SlackSimulator("xoxb-fake")


@pytest.fixture
def url(simulator: SlackSimulator, app: App) -> Iterator[str]:
    simulator.set_clock(NOON)
    with simulator.serve() as url, _listening(app) as listening:
        simulator.connect(listening, SECRET)
        yield url


@pytest.fixture
def channel(url: str) -> SlackChannel:
    return SlackChannel(lambda: SecretStr("xoxb-fake"), "C0GOVERNOR", url)


def _message(text: str, approval: str) -> Message:
    return Message(text, "#d72b3f", actions=(Button("Approve", "approve", {"approval": approval}, "primary"),))


def test_a_click_on_a_button_of_a_posted_message_arrives_with_its_value(
    simulator: SlackSimulator, channel: SlackChannel, app: App
) -> None:
    first = channel.post(_message("one", "a1"), {})
    channel.post(_message("two", "a2"), {}, thread_ts=first)
    assert simulator.click("U0LEAD", "Approve").status == 200
    assert json.loads(app.payload["actions"][0]["value"]) == {"approval": "a2"}
    simulator.click("U0SEC", "approve", ts=first, team="T0OTHER")
    assert json.loads(app.payload["actions"][0]["value"]) == {"approval": "a1"}
    assert (app.payload["user"]["id"], app.payload["user"]["team_id"]) == ("U0SEC", "T0OTHER")
    assert app.payload["message"]["ts"] == first
    simulator.click("U0LEAD", "governor.approve", holding="one")
    assert app.payload["message"]["ts"] == first


def test_a_button_that_is_not_there_is_named_with_those_that_are(
    simulator: SlackSimulator, channel: SlackChannel
) -> None:
    channel.post(_message("one", "a1"), {})
    with pytest.raises(NothingThere, match="Approve"):
        simulator.click("U0LEAD", "Detonate")


def test_a_command_arrives_as_a_form_and_its_answer_is_its_authors_only(
    simulator: SlackSimulator, url: str, app: App
) -> None:
    app.answer = json.dumps({"response_type": "ephemeral", "text": "One moment …"})
    simulator.command("U0LEAD", "restore x")
    form = app.heard[-1][1]
    assert (form["command"], form["text"], form["user_id"]) == ("/governor", "restore x", "U0LEAD")
    assert simulator.told("U0LEAD") == ["One moment …"]
    assert simulator.told("U0SEC") == []
    assert "only U0LEAD sees this" in simulator.transcript("C0GOVERNOR")


def test_what_the_app_does_not_take_is_shown_to_the_person(
    simulator: SlackSimulator, channel: SlackChannel, app: App
) -> None:
    channel.post(_message("one", "a1"), {})
    app.status = 500
    simulator.command("U0LEAD", "status")
    simulator.click("U0LEAD", "Approve")
    assert ["500" in text for text in simulator.told("U0LEAD")] == [True, True]


def test_a_retry_is_the_same_body_with_a_number(simulator: SlackSimulator, url: str, app: App) -> None:
    sent = simulator.command("U0LEAD", "status")
    simulator.resend(sent, retry=2)
    simulator.resend(sent, anew=False)
    (_, first), (headers, second), (stolen, third) = app.heard
    assert first == second == third
    assert headers["x-slack-retry-num"] == "2"
    assert stolen["x-slack-signature"] == sent.headers["X-Slack-Signature"]


def test_a_modal_opened_with_a_clicks_trigger_comes_back_filled_in(
    simulator: SlackSimulator, channel: SlackChannel, url: str, app: App
) -> None:
    element = {"type": "plain_text_input", "action_id": "reason"}
    view = {
        "type": "modal",
        "callback_id": "governor.reject",
        "private_metadata": "{}",
        "title": {"type": "plain_text", "text": "Reject"},
        "submit": {"type": "plain_text", "text": "Reject"},
        "blocks": [
            {"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why?"}, "element": element}
        ],
    }
    channel.post(_message("one", "a1"), {})
    simulator.click("U0LEAD", "Approve")
    WebClient("xoxb-fake", url).views_open(trigger_id=app.payload["trigger_id"], view=view)
    with pytest.raises(NothingThere):
        simulator.submit("U0SEC", reason="not mine")
    simulator.submit("U0LEAD", reason="no")
    assert app.payload["type"] == "view_submission"
    assert app.payload["view"]["state"]["values"]["why"]["reason"]["value"] == "no"
    with pytest.raises(NothingThere):
        simulator.submit("U0LEAD", reason="again")


def test_a_response_url_takes_five_answers_in_half_an_hour(simulator: SlackSimulator, url: str, app: App) -> None:
    simulator.command("U0LEAD", "status")
    webhook = WebhookClient(app.heard[-1][1]["response_url"], retry_handlers=[])
    assert [webhook.send(text=f"{n}").status_code for n in range(6)] == [200] * 5 + [404]
    assert simulator.told("U0LEAD") == ["0", "1", "2", "3", "4"]
    simulator.command("U0LEAD", "status")
    late = WebhookClient(app.heard[-1][1]["response_url"], retry_handlers=[])
    simulator.set_clock(NOON + timedelta(minutes=30))
    assert (late.send(text="late").status_code, late.send(text="late").body) == (404, "expired_url")


def test_a_file_is_read_in_the_transcript(simulator: SlackSimulator, channel: SlackChannel) -> None:
    channel.upload("prompt.diff", "\n".join(f"+ line {n}" for n in range(60)), "what changes")
    text = simulator.transcript("C0GOVERNOR")
    assert ": + line 0" in text
    assert "20 more lines" in text


def test_a_person_with_curl_does_the_same(url: str, app: App, simulator: SlackSimulator) -> None:
    with httpx.Client(base_url=url.removesuffix("api/"), trust_env=False) as control:
        assert control.post("/_sim/command", json={"user": "U0LEAD", "text": "help"}).json()["status"] == 200
        assert control.post("/_sim/click", json={"user": "U0LEAD", "button": "Approve"}).status_code == 404
        assert control.post("/_sim/submit", json={"user": "U0LEAD", "reason": "x"}).status_code == 404
        assert control.get("/_sim/told", params={"user": "U0LEAD"}).json() == {"told": []}
        control.post("/_sim/connect", json={"url": "http://localhost:9/", "signing_secret": SECRET})
        assert control.post("/_sim/command", json={"user": "U0LEAD", "text": "help"}).status_code == 502
