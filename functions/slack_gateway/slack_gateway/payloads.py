"""Slack's payloads, read into one small message, without a credential that somebody typed. Pure; `Refused` with a 4xx
is the only thing raised.

Sources: https://docs.slack.dev/interactivity/implementing-slash-commands (a form), and
https://docs.slack.dev/reference/interaction-payloads (a form with `payload`, a JSON document).
"""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl

from governor.slack.requests import NTH, PREFIX, SlackRequest, texts
from redaction import redact
from slack_gateway.decide import Refused, Signed

MAX_FIELDS = 50
MAX_ID = 50
MAX_TEXT = 500
"""Characters of a command's text, or of a reason, that are kept."""
MAX_VALUE = 3000
"""Characters of a button's value (Slack allows 2000) or a modal's `private_metadata` (3000)."""


def read(signed: Signed) -> SlackRequest | None:
    """What the person did; None for what asks for an answer only (`ssl_check`, links, other people's buttons)."""
    form = _form(signed.body)
    identity = {"id": hashlib.sha256(signed.body).hexdigest(), "at": int(signed.timestamp)}
    if "payload" in form:
        payload = _object(form["payload"], "payload")
        match payload.get("type"):
            case "block_actions":
                return _button(payload, identity)
            case "view_submission":
                return _modal(payload, identity)
            case _:
                return None
    if "command" in form:
        return _command(form, identity)
    if "ssl_check" in form:
        return None
    raise Refused(400, "neither a command nor a payload")


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except (ValueError, UnicodeError):
        raise Refused(400, "not a form") from None


def _command(form: dict[str, str], identity: dict[str, Any]) -> SlackRequest:
    # Slack offers a command to members of the workspace in which it is typed: theirs is the team named.
    team = _text(form, "team_id")
    return SlackRequest(
        **identity,
        kind="command",
        user=_text(form, "user_id"),
        team=team,
        user_team=team,
        channel=_text(form, "channel_id"),
        text=redact(form.get("text", ""))[:MAX_TEXT],
        response_url=_text(form, "response_url"),
        enterprise=_id(form.get("enterprise_id")),
    )


def _button(payload: dict[str, Any], identity: dict[str, Any]) -> SlackRequest | None:
    actions = payload.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        raise Refused(400, "payload.actions is empty")
    action = actions[0].get("action_id")
    if not isinstance(action, str) or not action.startswith(PREFIX):
        return None
    view = payload.get("view")
    in_home = isinstance(view, dict) and view.get("type") == "home"
    return SlackRequest(
        **{**identity, **_person(payload)},
        kind="button",
        # The Home is in no channel, and whoever clicks there is answered otherwise.
        channel="" if in_home else _text(_member(payload, "channel"), "id"),
        action=action.removeprefix(PREFIX).partition(NTH)[0],
        value=_value(actions[0].get("value"), "the button's value"),
        response_url="" if in_home else _text(payload, "response_url"),
        trigger_id=_text(payload, "trigger_id"),
    )


def _modal(payload: dict[str, Any], identity: dict[str, Any]) -> SlackRequest | None:
    view = _member(payload, "view")
    callback = view.get("callback_id")
    if not isinstance(callback, str) or not callback.startswith(PREFIX):
        return None
    value = _value(view.get("private_metadata"), "private_metadata")
    return SlackRequest(
        **{**identity, **_person(payload)},
        kind="modal",
        channel=value.get("channel", ""),
        action=callback.removeprefix(PREFIX),
        value={**value, **_inputs(view)},
    )


def _person(payload: dict[str, Any]) -> dict[str, str]:
    """Who, where, and of which workspace. Whoever's workspace Slack does not name is nobody's: the desk refuses them.

    `team` is null where the app is installed in a whole organization, whose id is then in `enterprise`. A modal that
    was opened from a channel shared with another workspace names that one in `team`, and the app's in `view`.
    """
    user = _member(payload, "user")
    view, team, organization = payload.get("view"), payload.get("team"), payload.get("enterprise")
    installed = _id(view.get("app_installed_team_id")) if isinstance(view, dict) else ""
    place = installed or (_id(team.get("id")) if isinstance(team, dict) else "")
    enterprise = _id(organization.get("id")) if isinstance(organization, dict) else ""
    if not enterprise and isinstance(team, dict):
        enterprise = _id(team.get("enterprise_id"))
    if not place and not enterprise:
        raise Refused(400, "neither a team nor an enterprise is named")
    return {"user": _text(user, "id"), "team": place, "user_team": _id(user.get("team_id")), "enterprise": enterprise}


def _id(found: object) -> str:
    return found if isinstance(found, str) and len(found) <= MAX_ID else ""


def _inputs(view: dict[str, Any]) -> dict[str, str]:
    """What was typed, by the input's `action_id`."""
    blocks = _member(_member(view, "state"), "values")
    inputs = [found for block in blocks.values() if isinstance(block, dict) for found in block.items()]
    return {
        str(name): redact(one["value"]).strip()[:MAX_TEXT]
        for name, one in inputs
        if isinstance(one, dict) and isinstance(one.get("value"), str)
    }


def _value(text: Any, where: str) -> dict[str, str]:
    if not isinstance(text, str) or len(text) > MAX_VALUE:
        raise Refused(400, f"{where} is not ours")
    value = _object(text, where)
    if not texts(value):
        raise Refused(400, f"{where} is not ours")
    return value


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(400, f"{where} is not JSON") from None
    if not isinstance(value, dict):
        raise Refused(400, f"{where} is not an object")
    return value


def _member(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    if not isinstance(found, dict):
        raise Refused(400, f"{name} is not an object")
    return found


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= MAX_TEXT:
        raise Refused(400, f"{name} is not a text")
    return found
