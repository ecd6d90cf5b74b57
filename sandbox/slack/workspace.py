"""The workspace's state: channels and what was said in them, files, views. In memory; no HTTP, no Slack error codes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.slack.membership import TEAM as TEAM
from sandbox.slack.membership import Membership

BOT_USER = "U0GOVERNOR"
BOT_ID = "B0GOVERNOR"


@dataclass
class Channel:
    """A conversation the app may or may not be a member of."""

    id: str
    name: str
    is_member: bool = True
    is_archived: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    """Every message in order of `ts`, replies among them, in Slack's shape plus nothing."""

    def message(self, ts: str) -> dict[str, Any] | None:
        return next((message for message in self.messages if message["ts"] == ts), None)

    def parents(self) -> list[dict[str, Any]]:
        """What the channel itself shows: parents, and replies broadcast to it."""
        return [
            message
            for message in self.messages
            if message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
        ]

    def thread(self, ts: str) -> list[dict[str, Any]]:
        """A parent and its replies."""
        return [message for message in self.messages if message.get("thread_ts", message["ts"]) == ts]


@dataclass
class ResponseUrl:
    """Where the app may answer one person. `expires`: epoch seconds."""

    channel: str
    user: str
    expires: float
    uses: int = 0


@dataclass
class Trigger:
    """What lets the app open one view before one person. `expires`: epoch seconds."""

    user: str
    expires: float
    used: bool = False


class Workspace:
    """One Slack workspace with one installed app."""

    def __init__(self, clock: Callable[[], datetime], channels: dict[str, str]) -> None:
        self.clock = clock
        self.channels = {id_: Channel(id_, name) for id_, name in channels.items()}
        self.membership = Membership()
        self.files: dict[str, dict[str, Any]] = {}
        self.views: list[dict[str, Any]] = []
        self.homes: dict[str, dict[str, Any]] = {}
        """What each person sees in the app's Home."""
        self.ephemeral: list[dict[str, Any]] = []
        self.response_urls: dict[str, ResponseUrl] = {}
        self.triggers: dict[str, Trigger] = {}
        self._last = 0

    def stamp(self) -> str:
        """A `ts`: the present moment, unique and increasing even when the clock stands still or steps back."""
        self._last = max(self._last + 1, int(self.clock().timestamp() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def trigger(self, user: str) -> str:
        """A new `trigger_id`, good for one view in the next three seconds."""
        id = f"{len(self.triggers) + 1}.{self.stamp()}"
        self.triggers[id] = Trigger(user, self.clock().timestamp() + 3)
        return id

    def tell(self, channel: str, user: str, text: str) -> None:
        """Shows a text to one person only."""
        self.ephemeral.append({"channel": channel, "user": user, "ts": self.stamp(), "text": text})

    def say(
        self, channel: Channel, message: dict[str, Any], *, thread_ts: str | None, broadcast: bool
    ) -> dict[str, Any]:
        """Add a message, as the app or as whoever `user` names, and keep the thread's counters as Slack does."""
        ts = self.stamp()
        said = {"type": "message", "user": BOT_USER, "team": TEAM, **message, "ts": ts}
        if said["user"] == BOT_USER:
            said["bot_id"] = BOT_ID
        if thread_ts is not None:
            said["thread_ts"] = thread_ts
            if broadcast:
                said["subtype"] = "thread_broadcast"
            parent = channel.message(thread_ts)
            if parent is not None:
                parent["thread_ts"] = thread_ts
                parent["reply_count"] = parent.get("reply_count", 0) + 1
                parent["latest_reply"] = ts
        channel.messages.append(said)
        return said
