"""The simulated workspace in one object: what people do in it, and what they read."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.slack.app import SlackApi
from sandbox.slack.faults import Fault
from sandbox.slack.interactions import Sent
from sandbox.slack.transcript import conversation, texts_of, transcript
from sandbox.slack.workspace import TEAM, Channel, Workspace

CHANNEL = "C0GOVERNOR"


def _machine_clock() -> datetime:
    return datetime.now(UTC)


class SimulatedSlack:
    """A workspace with one app, whose bot token is `token`, in the given channels (id to name)."""

    def __init__(
        self,
        token: str,
        clock: Callable[[], datetime] = _machine_clock,
        *,
        channels: dict[str, str] | None = None,
        rate_limited: bool = False,
    ) -> None:
        self._clock = clock
        self._frozen: datetime | None = None
        self.workspace = Workspace(self._now, channels or {CHANNEL: "governor"})
        self.api = SlackApi(self.workspace, token, rate_limited=rate_limited)

    def _now(self) -> datetime:
        return self._frozen or self._clock()

    def set_clock(self, now: datetime | None) -> None:
        """Let every message from here on be said at `now`; None returns to the clock it was made with."""
        self._frozen = now

    def channel(self, channel: str) -> Channel:
        """The channel's state, to read or to arrange (`is_member`, `is_archived`)."""
        return self.workspace.channels[channel]

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Parents, oldest first, each with its `replies`, after all updates."""
        return conversation(self.channel(channel))

    def transcript(self, channel: str) -> str:
        """The channel in plain text, as a person reads it."""
        return transcript(self.channel(channel), self.workspace)

    def fault(self, method: str, kind: Any, **more: Any) -> None:
        """Make calls of a method fail; see `sandbox.slack.faults.Fault`."""
        self.api.faults.add(Fault(method, kind, **more))

    def say(self, channel: str, user: str, text: str) -> str:
        """A person says something; returns its `ts`."""
        said = self.workspace.say(self.channel(channel), {"user": user, "text": text}, thread_ts=None, broadcast=False)
        return str(said["ts"])

    def person(self, user: str, **facts: Any) -> None:
        """From now on the user is a guest, deactivated, a bot, of another workspace, ...: `membership.Member`.

        Whoever was not described is a full member.
        """
        self.workspace.membership.describe(user, **facts)

    def install(self, **where: Any) -> None:
        """Where the app is installed: `membership.Installation`."""
        self.workspace.membership.install(**where)

    def connect(self, url: str, signing_secret: str) -> None:
        """Install the app: Slack sends what people do to `url`, signed."""
        self.api.people.connect(url, signing_secret)

    def click(
        self,
        user: str,
        button: str,
        *,
        channel: str = CHANNEL,
        ts: str | None = None,
        holding: str = "",
        team: str = TEAM,
    ) -> Sent:
        """A person clicks a button, by its text or its action, of the newest message that has it.

        `ts`, `holding`: of that message, or of one that holds this text. `team`: the person's own workspace.
        """
        return self.api.people.click(user, button, self.channel(channel), ts, holding, team)

    def open_home(self, user: str, *, team: str = TEAM) -> Sent:
        """A person opens the app's Home."""
        return self.api.people.open_home(user, team)

    def press(self, user: str, button: str, *, holding: str = "", value: str | None = None, team: str = TEAM) -> Sent:
        """A person clicks a button of their Home, by its text or its action, in the part that holds this text.

        `value`: the button that carries it, wherever it stands by now.
        """
        return self.api.people.press(user, button, holding, value, team)

    def home(self, user: str) -> list[str]:
        """What the person's Home says: its texts, and its buttons in brackets."""
        view = self.workspace.homes.get(user)
        return texts_of(view["blocks"]) if view else []

    def command(
        self, user: str, text: str, *, channel: str = CHANNEL, team: str = TEAM, name: str = "/governor"
    ) -> Sent:
        """A person types a slash command."""
        return self.api.people.command(user, text, self.channel(channel), team, name)

    def submit(self, user: str, *, team: str = TEAM, **inputs: str) -> Sent:
        """A person fills in the modal that was opened before them, by the `action_id` of its inputs."""
        return self.api.people.submit(user, inputs, team)

    def resend(self, sent: Sent, *, retry: int = 0, anew: bool = True) -> Sent:
        """Slack (or a thief, `anew` False: with the signature it had then) sends the same once more."""
        return self.api.people.send(sent.body, retry=retry, headers=None if anew else sent.headers)

    def told(self, user: str) -> list[str]:
        """What was shown to this person only, oldest first."""
        return [said["text"] for said in self.workspace.ephemeral if said["user"] == user]
