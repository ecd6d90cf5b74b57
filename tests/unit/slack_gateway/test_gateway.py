"""What the gateway lets in, what it refuses, and what a refusal costs."""

import json
import logging
from typing import Any

import pytest

from governor.slack.requests import SlackRequest
from slack_gateway import handler
from slack_gateway.service import Gateway
from tests.unit.slack_gateway.signing import COMMAND, NOW, Queue, Signature, request


def test_a_command_is_queued_once_as_a_small_message_and_answered_to_its_author_only(gateway: Any) -> None:
    answer = gateway.answer(request())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["response_type"] == "ephemeral"
    (body,) = gateway.queue.bodies
    asked = SlackRequest.decode(body)
    assert (asked.kind, asked.user, asked.text, asked.at) == ("command", "U0LEAD", "status", int(NOW))


def test_a_body_in_base64_is_verified_as_the_bytes_it_was(gateway: Any) -> None:
    assert gateway.answer(request(is_base64=True))["statusCode"] == 200
    plain = SlackRequest.decode(gateway.queue.bodies[0])
    gateway.answer(request())
    assert SlackRequest.decode(gateway.queue.bodies[1]) == plain


def test_a_retry_has_the_same_id_and_another_click_another(gateway: Any) -> None:
    retried = request(at=NOW + 1)
    retried["headers"] |= {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    for event in (request(), retried, request(COMMAND + "&x=1")):
        assert gateway.answer(event)["statusCode"] == 200
    first, again, other = (SlackRequest.decode(body).id for body in gateway.queue.bodies)
    assert first == again != other


def _without(name: str) -> dict[str, Any]:
    event = request()
    del event["headers"][name]
    return event


def _with(name: str, value: str) -> dict[str, Any]:
    event = request()
    event["headers"][name] = value
    return event


CHEAP = {
    "no signature": (_without("x-slack-signature"), 401),
    "no timestamp": (_without("x-slack-request-timestamp"), 401),
    "a signature of another shape": (_with("x-slack-signature", "v1=" + "0" * 64), 401),
    "a signature that is not ASCII": (_with("x-slack-signature", "v0=" + "é" * 64), 401),
    "a timestamp that is not a number": (_with("x-slack-request-timestamp", "now"), 401),
    "a timestamp in other digits": (_with("x-slack-request-timestamp", "١٧٧٣١٩٧٠٤٠"), 401),
    "signed five minutes and a second ago": (request(at=NOW - 301), 401),
    "signed in the future": (request(at=NOW + 301), 401),
    "not base64": ({**request(), "isBase64Encoded": True, "body": "%%%"}, 401),
    "bytes that are no text": ({**request(), "isBase64Encoded": True, "body": "/wA="}, 401),
    "another path": ({**request(), "rawPath": "/admin"}, 404),
    "another method": ({**request(), "requestContext": {"http": {"method": "GET"}}}, 405),
    "XML": (_with("content-type", "application/xml"), 415),
    "no content type": (_without("content-type"), 415),
    "an enormous body": ({**request(), "body": "x" * 512_001}, 413),
    "nothing at all": ({}, 405),
}


@pytest.mark.parametrize(("event", "status"), CHEAP.values(), ids=CHEAP)
def test_what_cannot_be_slacks_is_refused_before_any_secret_is_read(
    event: dict[str, Any], status: int, monkeypatch: pytest.MonkeyPatch, gateway: Any
) -> None:
    def build() -> Gateway:
        raise AssertionError("nothing may be built for this")

    monkeypatch.setattr(handler, "build", build)
    assert gateway.answer(event) == {"statusCode": status}
    assert gateway.queue.bodies == []


@pytest.mark.parametrize("seconds", [-300, 300])
def test_the_window_is_five_minutes_on_either_side(gateway: Any, seconds: int) -> None:
    assert gateway.answer(request(at=NOW + seconds))["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [request(secret="another-secret"), {**request(), "body": COMMAND[:-1]}, {**request(), "body": ""}],
    ids=["forged", "truncated", "empty"],
)
def test_what_slack_did_not_sign_is_refused(gateway: Any, event: dict[str, Any]) -> None:
    assert gateway.answer(event) == {"statusCode": 401}
    assert gateway.queue.bodies == []


def test_what_the_queue_does_not_take_is_an_error_that_the_person_sees(
    monkeypatch: pytest.MonkeyPatch, gateway: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handler, "build", lambda: Gateway(Signature(), Queue(broken=True), Queue()))
    with caplog.at_level(logging.ERROR):
        assert gateway.answer(request()) == {"statusCode": 500}
    assert "the queue does not answer" in caplog.text
    assert "response_url" not in caplog.text


@pytest.mark.parametrize("body", ["ssl_check=1", "payload=%7B%22type%22%3A%22view_closed%22%7D"])
def test_what_asks_for_an_answer_only_gets_one_and_nothing_is_queued(gateway: Any, body: str) -> None:
    assert gateway.answer(request(body)) == {"statusCode": 200}
    assert gateway.queue.bodies == []
