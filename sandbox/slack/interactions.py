"""The other direction: people click, type and submit, and Slack signs it and sends it to the app's request URL.

Sources: https://docs.slack.dev/reference/interaction-payloads, /interactivity/implementing-slash-commands,
/interactivity/handling-user-interaction (`response_url`: five times in 30 minutes; `trigger_id`: once, in three
seconds), and /authentication/verifying-requests-from-slack.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from sandbox.slack.limits import Refused
from sandbox.slack.workspace import Channel, ResponseUrl, Workspace

TIMEOUT_SECONDS = 30
"""Slack gives three; here the machine may be busy, and whoever asks can look at `Sent.seconds`."""


class NothingThere(LookupError):
    """There is no such button, view or app; the message says what there is."""


@dataclass(frozen=True)
class Sent:
    """One signed request and the app's answer. `seconds`: real ones."""

    body: str
    headers: Mapping[str, str]
    status: int
    answer: str
    seconds: float


class People:
    """Everybody in the workspace, and Slack between them and the app."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._url = self._secret = ""
        self.base_url = ""
        """Where the simulator itself is served; a `response_url` leads there."""

    def connect(self, url: str, signing_secret: str) -> None:
        """The app's request URL, and the secret with which Slack signs what it sends there."""
        self._url, self._secret = url, signing_secret

    def click(self, user: str, button: str, channel: Channel, ts: str | None, holding: str, team: str) -> Sent:
        message, element = _newest_button(channel, button, ts, holding)
        payload = {
            "type": "block_actions",
            **self._who(user, team),
            "container": {"type": "message_attachment", "message_ts": message["ts"], "channel_id": channel.id},
            "trigger_id": self._workspace.trigger(user),
            "channel": {"id": channel.id, "name": channel.name},
            "message": message,
            "state": {"values": {}},
            "response_url": self._response_url(user, channel.id),
            "actions": [{**element, "action_ts": self._workspace.stamp()}],
        }
        return self._interact(payload, user, channel.id)

    def open_home(self, user: str, team: str) -> Sent:
        """Opens the app's Home: an event of Slack's Events API (`app_home_opened`)."""
        home = self._workspace.membership.installation
        known = self._workspace.homes.get(user)
        payload = {
            "token": "deprecated",
            "team_id": team if not home.org_wide else home.team,
            "api_app_id": "A0GOVERNOR",
            "event": {
                "type": "app_home_opened", "user": user, "channel": f"D{user}", "tab": "home",
                "event_ts": self._workspace.stamp(), **({"view": known} if known else {}),
            },
            "type": "event_callback",
            "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
            "event_time": int(self._workspace.clock().timestamp()),
            "authorizations": [{"team_id": home.team, "is_bot": True, "is_enterprise_install": home.org_wide}],
            **({"enterprise_id": home.enterprise} if home.enterprise else {}),
        }  # fmt: skip
        body = json.dumps(payload)
        return self.send(body, headers={**self._signed(body), "Content-Type": "application/json"})

    def press(self, user: str, button: str, holding: str, value: str | None, team: str) -> Sent:
        """Clicks a button of the person's Home, by its text or action, in the part that holds a text; `value`: the one
        that carries it."""
        view = self._workspace.homes.get(user)
        if view is None:
            raise NothingThere(f"{user} has no Home yet")
        payload = {
            "type": "block_actions",
            **self._who(user, team),
            "container": {"type": "view", "view_id": view["id"]},
            "trigger_id": self._workspace.trigger(user),
            "view": view,
            "actions": [{**_home_button(view, button, holding, value), "action_ts": self._workspace.stamp()}],
        }
        return self._interact(payload, user, f"D{user}")

    def submit(self, user: str, inputs: Mapping[str, str], team: str) -> Sent:
        """Fills in the view that was opened last before this person, and submits it."""
        view = next((one for one in reversed(self._workspace.views) if one["user"] == user and one["open"]), None)
        if view is None:
            raise NothingThere(f"no view is open before {user}")
        values = {
            block["block_id"]: {
                block["element"]["action_id"]: {
                    "type": block["element"]["type"],
                    "value": inputs.get(block["element"]["action_id"]),
                }
            }
            for block in view["blocks"]
            if block["type"] == "input"
        }
        shown = {name: value for name, value in view.items() if name not in ("user", "open")}
        payload = {
            "type": "view_submission",
            **self._who(user, team, modal=True),
            "trigger_id": self._workspace.trigger(user),
            "view": {**shown, "state": {"values": values}},
            "response_urls": [],
        }
        sent = self._interact(payload, user, "")
        view["open"] = sent.status != 200
        return sent

    def command(self, user: str, text: str, channel: Channel, team: str, command: str) -> Sent:
        form = {
            "token": "deprecated",
            **self._workspace.membership.command(team),
            "team_domain": "sandbox",
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user,
            "user_name": user.lower(),
            "command": command,
            "text": text,
            "api_app_id": "A0GOVERNOR",
            "response_url": self._response_url(user, channel.id),
            "trigger_id": self._workspace.trigger(user),
        }
        sent = self.send(urlencode(form))
        if sent.status != 200:
            self._workspace.tell(channel.id, user, f"{command} failed with the error {sent.status}")
        elif sent.answer:
            self._workspace.tell(channel.id, user, str(json.loads(sent.answer)["text"]))
        return sent

    def send(self, body: str, *, retry: int = 0, headers: Mapping[str, str] | None = None) -> Sent:
        """Sends a body, signed now, or as it was once (`headers`). `retry`: Slack has sent it so often before."""
        if not self._url:
            raise NothingThere("no app is connected: `connect` one first")
        chosen = dict(headers) if headers is not None else self._signed(body)
        if retry:
            chosen |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        answer = httpx.post(self._url, content=body, headers=chosen, timeout=TIMEOUT_SECONDS, trust_env=False)
        return Sent(body, chosen, answer.status_code, answer.text, answer.elapsed.total_seconds())

    def respond(self, id: str, answer: Mapping[str, Any]) -> None:
        """What the app sends to a `response_url`. Raises `Refused`."""
        known = self._workspace.response_urls.get(id)
        if known is None or self._workspace.clock().timestamp() >= known.expires:
            raise Refused("expired_url")
        if known.uses >= 5:
            raise Refused("used_url")
        known.uses += 1
        if answer.get("response_type", "ephemeral") == "ephemeral":
            self._workspace.tell(known.channel, known.user, str(answer.get("text", "")))
        else:
            channel = self._workspace.channels[known.channel]
            self._workspace.say(channel, {"text": answer.get("text", "")}, thread_ts=None, broadcast=False)

    def _interact(self, payload: Mapping[str, Any], user: str, channel: str) -> Sent:
        sent = self.send(urlencode({"payload": json.dumps(payload)}))
        if sent.status != 200:
            self._workspace.tell(channel, user, f"⚠ This app responded with Status Code {sent.status}.")
        return sent

    def _signed(self, body: str) -> dict[str, str]:
        timestamp = str(int(self._workspace.clock().timestamp()))
        signature = SignatureVerifier(self._secret).generate_signature(timestamp=timestamp, body=body)
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }

    def _who(self, user: str, team: str, *, modal: bool = False) -> dict[str, Any]:
        said = self._workspace.membership.interaction(user, team, modal=modal)
        return {**said, "api_app_id": "A0GOVERNOR", "token": "deprecated"}

    def _response_url(self, user: str, channel: str) -> str:
        id = uuid.uuid4().hex
        expires = self._workspace.clock().timestamp() + 30 * 60
        self._workspace.response_urls[id] = ResponseUrl(channel, user, expires)
        return f"{self.base_url}response/{id}"


def _newest_button(
    channel: Channel, button: str, ts: str | None, holding: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The newest message that has a button of this text or action; `holding`: and this text, anywhere in it."""
    seen = []
    for message in reversed(channel.messages):
        if (ts and message["ts"] != ts) or holding not in json.dumps(message, ensure_ascii=False):
            continue
        for element in _buttons(message):
            if _is_called(element, button):
                return message, element
            seen.append(element["text"]["text"])
    raise NothingThere(f"no button {button!r} in #{channel.name}; there are {sorted(set(seen))}")


def _home_button(view: Mapping[str, Any], button: str, holding: str, value: str | None) -> dict[str, Any]:
    """The first button of this text or action, and value, under a section that holds the text."""
    above, seen = "", []
    for block in view["blocks"]:
        if block["type"] == "section":
            above = block["text"]["text"]
        for element in _buttons({"blocks": [block]}):
            if holding in above and _is_called(element, button) and value in (None, element.get("value")):
                return element
            seen.append(f"{element['text']['text']} ({above[:40]})")
    raise NothingThere(f"no button {button!r} in the Home; there are {sorted(set(seen))}")


def _is_called(element: Mapping[str, Any], button: str) -> bool:
    action = element["action_id"]
    return button in (element["text"]["text"], action, action.rpartition(".")[2])


def _buttons(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for holder in (message, *(message.get("attachments") or [])):
        for block in holder.get("blocks") or []:
            elements = [*(block.get("elements") or []), *([block["accessory"]] if "accessory" in block else [])]
            for element in elements:
                if element.get("type") == "button":
                    yield {**element, "block_id": block.get("block_id", "")}
