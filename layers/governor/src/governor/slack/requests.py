"""What a person did in Slack, as one small message: `slack_gateway` writes it, `approval_desk` reads it.

Nothing of Slack's payload is kept but what is needed to decide and to answer; no message's text, no prompt. Standard
library only, for the gateway must answer within Slack's three seconds from a cold start.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

Kind = Literal["command", "button", "modal", "home"]
KINDS: tuple[str, ...] = get_args(Kind)
PREFIX = "governor."
"""Every `action_id` and `callback_id` of ours begins so; other apps' and links' do not."""
NTH = "#"
"""Between an action's name and a number, where a message has several buttons of one action."""


class BadSlackRequest(Exception):
    """A message is not what `SlackRequest.encode` makes; it says where. Take it out of the queue."""


@dataclass(frozen=True)
class SlackRequest:
    """One interaction. `id`: the hash of the body that Slack signed, so a retry or a replay has the same.

    `at`: when Slack signed it, epoch seconds. `team`: the workspace where it happened, empty where Slack names none (an
    app installed in a whole organization of Enterprise Grid). `enterprise`: that organization, empty outside of one.
    `user_team`: the person's own workspace, which is another for somebody from outside (Slack Connect), and may be
    another for a colleague in the same organization. `text`: what follows the slash command. `action`: the
    button's or the modal's name without `PREFIX`. `value`: the button's value, or the modal's `private_metadata` and
    its inputs by name. `response_url` and `trigger_id` answer the person, within 30 minutes and 3 seconds. A request of
    kind `home`: somebody opened the app's Home; a click there has no `channel` and no `response_url`.
    """

    id: str
    at: int
    kind: Kind
    user: str
    team: str
    user_team: str
    channel: str = ""
    text: str = ""
    action: str = ""
    value: Mapping[str, str] = field(default_factory=dict, hash=False)
    response_url: str = ""
    trigger_id: str = ""
    enterprise: str = ""

    def encode(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Self:
        """Raises `BadSlackRequest`."""
        try:
            data = json.loads(text)
            request = cls(**data)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadSlackRequest(f"not an interaction: {error}") from None
        for name, value in data.items():
            wanted = {"at": int, "value": dict}.get(name, str)
            if not isinstance(value, wanted):
                raise BadSlackRequest(f"{name}: expected {wanted.__name__}")
        if request.kind not in KINDS:
            raise BadSlackRequest(f"kind: {request.kind!r} is none of {', '.join(KINDS)}")
        if not texts(request.value):
            raise BadSlackRequest("value: every member must be text")
        return request


def texts(value: Any) -> bool:
    """Whether a value is an object of texts, as every button's value is."""
    return isinstance(value, dict) and all(isinstance(part, str) for pair in value.items() for part in pair)
