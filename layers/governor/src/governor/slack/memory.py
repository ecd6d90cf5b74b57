"""`Slack`, `Pictures`, `Replies`, `Directory` in memory, for tests; a suite over both proves each like its adapter."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from governor.slack.channel import Message, Posted, SlackError, SlackGone
from governor.slack.identity import Identity, Installation, Person
from governor.slack.pictures import Picture


@dataclass(frozen=True)
class Said:
    """One message as the channel holds it."""

    ts: str
    message: Message
    metadata: Mapping[str, str] = field(hash=False)
    thread_ts: str | None = None
    broadcast: bool = False


class MemorySlack:
    """A channel in memory; `said` holds every message, oldest first."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self._count = 0

    def post(
        self, message: Message, metadata: Mapping[str, str], *, thread_ts: str | None = None, broadcast: bool = False
    ) -> str:
        if thread_ts is not None:
            self._place(thread_ts)
        self._count += 1
        ts = f"{self._count}.000000"
        self.said.append(Said(ts, message, dict(metadata), thread_ts, broadcast))
        return ts

    def update(self, ts: str, message: Message) -> None:
        place = self._place(ts)
        self.said[place] = replace(self.said[place], message=message)

    def find(self, metadata: Mapping[str, str], *, thread_ts: str | None = None) -> Posted | None:
        if thread_ts is None:
            seen = [said for said in self.said if said.thread_ts is None or said.broadcast]
        else:
            self._place(thread_ts)
            seen = [said for said in self.said if thread_ts in {said.ts, said.thread_ts}]
        found = [Posted(said.ts, said.metadata) for said in seen if metadata.items() <= said.metadata.items()]
        return found[-1] if found else None

    def _place(self, ts: str) -> int:
        for place, said in enumerate(self.said):
            if said.ts == ts:
                return place
        raise SlackGone("message_not_found", "Nothing to do: a new message is posted.")


class MemoryPictures(MemorySlack):
    """`Pictures` in memory: `said` has each message, whose text is the picture's; `files`, what was uploaded by id."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Picture] = {}
        self.shown: dict[str, str] = {}

    def upload(self, picture: Picture) -> str:
        file = f"F{len(self.files) + 1}"
        self.files[file] = picture
        return file

    def show(self, file: str, picture: Picture, metadata: Mapping[str, str], *, thread_ts: str) -> str:
        ts = self.post(Message(picture.alt, ""), metadata, thread_ts=thread_ts)
        self.shown[ts] = file
        return ts

    def replace(self, ts: str, file: str, picture: Picture) -> None:
        self.update(ts, Message(picture.alt, ""))
        self.shown[ts] = file


class MemoryDirectory:
    """`Directory` in memory. Whoever is not in `people` is a full member of the app's workspace.

    `unread`: what stands in the way of Slack's answer, if anything.
    """

    def __init__(self, home: Installation) -> None:
        self.home: Installation | None = home
        self.people: dict[str, Person] = {}
        self.unread: SlackError | None = None
        self.known: set[str] = set()

    def look_up(self, user: str) -> Identity:
        home, person = self.home, self.people.get(user)
        if person is None and home:
            person = Person(user, frozenset({home.team} - {""}), home.enterprise, guest=False)
        if self.unread is not None:
            return Identity(home if self.known else None, person if user in self.known else None, self.unread)
        self.known.add(user)
        return Identity(home, person)


class MemoryReplies:
    """`Replies` in memory: `told` holds who (or which `response_url`) was told what; `views`, what was opened."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.views: list[Mapping[str, Any]] = []

    def respond(self, response_url: str, text: str) -> None:
        self.told.append((response_url, text))

    def ephemeral(self, channel: str, user: str, text: str) -> None:
        self.told.append((user, text))

    def direct(self, user: str, text: str) -> None:
        self.told.append((user, text))

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        self.views.append(view)


class MemoryHomeTab:
    """`HomeTab` in memory: `views` has what each person sees; `published`, who was published to, in order."""

    def __init__(self) -> None:
        self.views: dict[str, Mapping[str, Any]] = {}
        self.published: list[str] = []

    def publish(self, user: str, view: Mapping[str, Any]) -> None:
        self.views[user] = view
        self.published.append(user)
