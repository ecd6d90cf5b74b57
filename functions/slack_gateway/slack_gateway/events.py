"""Slack's Events API, read into one small message. Pure; `Refused` with a 4xx is the only thing raised.

Two kinds are known: that the URL is ours (`url_verification`), and that somebody opened the app's Home
(`app_home_opened`). Sources: https://docs.slack.dev/reference/events/url_verification, .../app_home_opened and
https://docs.slack.dev/apis/events-api.
"""

import hashlib
import json
from typing import Any

from governor.slack.requests import SlackRequest
from slack_gateway.decide import Refused, Signed

MAX_ID = 50
MAX_CHALLENGE = 500


def challenge(signed: Signed) -> str | None:
    """What Slack wants to hear back; None for an event."""
    payload = _payload(signed)
    if payload.get("type") != "url_verification":
        return None
    found = payload.get("challenge")
    if not isinstance(found, str) or len(found) > MAX_CHALLENGE:
        raise Refused(400, "challenge is not a text")
    return found


def opened(signed: Signed) -> SlackRequest | None:
    """Who opened the Home; None for the app's other tabs and for events that nobody asked for.

    Slack names the workspace in which it was opened; whether the person is of it, `users.info` says.
    """
    payload = _payload(signed)
    event = payload.get("event")
    if payload.get("type") != "event_callback" or not isinstance(event, dict):
        return None
    if event.get("type") != "app_home_opened" or event.get("tab") != "home":
        return None
    user, team, enterprise = _id(event.get("user")), _id(payload.get("team_id")), _id(payload.get("enterprise_id"))
    if not user or not (team or enterprise):
        raise Refused(400, "neither a person nor a place is named")
    return SlackRequest(
        id=hashlib.sha256(signed.body).hexdigest(),
        at=int(signed.timestamp),
        kind="home",
        user=user,
        team=team,
        user_team=team,
        enterprise=enterprise,
    )


def _payload(signed: Signed) -> dict[str, Any]:
    try:
        payload = json.loads(signed.body)
    except (ValueError, RecursionError):
        raise Refused(400, "the event is not JSON") from None
    if not isinstance(payload, dict):
        raise Refused(400, "the event is not an object")
    return payload


def _id(found: object) -> str:
    return found if isinstance(found, str) and len(found) <= MAX_ID else ""
