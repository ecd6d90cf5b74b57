"""Slack's Events API at the gateway: the URL is proven, whoever opens the Home is queued, and nothing else is."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from governor.slack.requests import SlackRequest
from tests.unit.slack_gateway.signing import NOW, request

OPENED: dict[str, Any] = {
    "type": "event_callback",
    "team_id": "T0SANDBOX",
    "event": {"type": "app_home_opened", "user": "U0SEARCH", "channel": "D1", "tab": "home"},
}


def _sent(body: Any, **changes: Any) -> dict[str, Any]:
    event = request(body if isinstance(body, str) else json.dumps(body), **changes)
    event["headers"]["content-type"] = "application/json; charset=utf-8"
    return event


def test_the_url_is_proven_to_slack_once_the_signature_is_checked(gateway: Any) -> None:
    asked = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZ", "token": "x"}
    answer = gateway.answer(_sent(asked))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"challenge": "3eZbrw1aBm2rZ"})
    assert gateway.answer(_sent(asked, secret="another")) == {"statusCode": 401}


def test_who_opens_the_home_is_queued_for_it_and_not_for_the_desk(gateway: Any) -> None:
    assert gateway.answer(_sent(OPENED)) == {"statusCode": 200}
    (body,) = gateway.homes.bodies
    asked = SlackRequest.decode(body)
    assert (asked.kind, asked.user, asked.at) == ("home", "U0SEARCH", int(NOW))
    assert (asked.team, asked.user_team) == ("T0SANDBOX", "T0SANDBOX")
    assert gateway.queue.bodies == []


def _with(**event: Any) -> dict[str, Any]:
    return {**OPENED, "event": {**OPENED["event"], **event}}


@pytest.mark.parametrize(
    "body", [_with(tab="messages"), _with(type="message"), {"type": "app_rate_limited"}, {"type": "event_callback"}]
)
def test_other_events_are_taken_and_dropped(gateway: Any, body: dict[str, Any]) -> None:
    assert gateway.answer(_sent(body)) == {"statusCode": 200}
    assert (gateway.homes.bodies, gateway.queue.bodies) == ([], [])


WRONG = {
    "empty": "",
    "not JSON": "not json",
    "a list": "[]",
    "deep": "[" * 100_000,
    "no user": _with(user=""),
    "a number for a user": _with(user=7),
    "a long user": _with(user="U" * 51),
    "no place": {**OPENED, "team_id": 1},
    "a number for a challenge": {"type": "url_verification", "challenge": 3},
    "a long challenge": {"type": "url_verification", "challenge": "x" * 501},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_slack_would_not_send_is_refused(gateway: Any, body: Any) -> None:
    assert gateway.answer(_sent(body)) == {"statusCode": 400}
    assert gateway.homes.bodies == []


def test_a_click_in_the_home_has_no_channel_and_is_for_the_desk(gateway: Any) -> None:
    payload = {
        "type": "block_actions",
        "user": {"id": "U0SEARCH", "team_id": "T0SANDBOX"},
        "team": {"id": "T0SANDBOX"},
        "container": {"type": "view", "view_id": "V1"},
        "trigger_id": "1.2",
        "view": {"type": "home", "app_installed_team_id": "T0SANDBOX"},
        "actions": [{"action_id": "governor.restore", "value": json.dumps({"subject": "a", "cause": "runaway"})}],
    }
    assert gateway.answer(request(urlencode({"payload": json.dumps(payload)})))["statusCode"] == 200
    asked = SlackRequest.decode(gateway.queue.bodies[0])
    assert (asked.kind, asked.channel, asked.response_url, asked.action) == ("button", "", "", "restore")
