"""Pictures in Slack as a port: one message in a thread that shows an image, updated when there is a newer one.

The file is uploaded without a channel and shown by an image block that names it, so that the message with it is an
ordinary one: it has metadata to be found by, alternative text, and can be updated (decision 47). Sources:
https://docs.slack.dev/reference/methods/files.getUploadURLExternal, .../files.completeUploadExternal and
https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object. Raises
`governor.slack.channel.SlackError`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from governor.slack.channel import METADATA_TYPE, Posted, SlackChannel, SlackRefused, SlackUnavailable, called
from governor.slack.text import clip
from redaction import redact

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse

MAX_ALT, MAX_UPLOAD_ALT, MAX_TITLE = 2000, 1000, 2000
"""Characters of alternative text in an image block and with an upload, and of an image block's title."""


class PictureNotReady(SlackUnavailable):
    """Slack has the file and does not show it yet: it works on an upload after it has answered. Nothing was posted."""


@dataclass(frozen=True)
class Picture:
    """A PNG, its file's name, its title, and the same in words."""

    name: str
    title: str
    alt: str
    png: bytes = field(repr=False)


class Pictures(Protocol):
    """One channel's pictures. Every method raises `SlackError`."""

    def upload(self, picture: Picture) -> str:
        """Gives Slack the file, which nobody sees yet; its id. Once more is one file more."""

    def show(self, file: str, picture: Picture, metadata: Mapping[str, str], *, thread_ts: str) -> str:
        """Posts a message with the picture in a thread; its `ts`. Raises `PictureNotReady`."""

    def replace(self, ts: str, file: str, picture: Picture) -> None:
        """Shows this picture in the message instead. Raises `PictureNotReady`, and `SlackGone` where it is no more."""

    def find(self, metadata: Mapping[str, str], *, thread_ts: str) -> Posted | None:
        """The thread's newest message whose metadata holds all these values."""


class SlackPictures:
    """`Pictures` over slack_sdk. The token is asked for at every call: a replaced secret is used without a deploy."""

    TIMEOUT_SECONDS = 8

    def __init__(self, token: Callable[[], SecretStr], channel: str, base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._channel = channel
        self._base_url = base_url
        self._messages = SlackChannel(token, channel, base_url)

    def upload(self, picture: Picture) -> str:
        answer = self._call(
            lambda client: client.files_upload_v2(
                filename=picture.name,
                title=redact(clip(picture.title, MAX_TITLE)),
                alt_txt=redact(clip(picture.alt, MAX_UPLOAD_ALT)),
                file=picture.png,
            )
        )
        return str(answer["files"][0]["id"])

    def show(self, file: str, picture: Picture, metadata: Mapping[str, str], *, thread_ts: str) -> str:
        answer = self._with_file(
            lambda client: client.chat_postMessage(
                channel=self._channel,
                thread_ts=thread_ts,
                metadata={"event_type": METADATA_TYPE, "event_payload": dict(metadata)},
                unfurl_links=False,
                unfurl_media=False,
                **_content(file, picture),
            )
        )
        return str(answer["ts"])

    def replace(self, ts: str, file: str, picture: Picture) -> None:
        self._with_file(
            lambda client: client.chat_update(channel=self._channel, ts=ts, **_content(file, picture)),
        )

    def find(self, metadata: Mapping[str, str], *, thread_ts: str) -> Posted | None:
        return self._messages.find(metadata, thread_ts=thread_ts)

    def _with_file(self, ask: Callable[["WebClient"], "SlackResponse"]) -> Any:
        try:
            return self._call(ask)
        except SlackRefused as error:
            # Our blocks are the same each time, and all else in them is bounded: what can be wrong is the file.
            if error.error == "invalid_blocks":
                raise PictureNotReady("Slack does not show the file that it has just been given") from error
            raise

    def _call(self, ask: Callable[["WebClient"], "SlackResponse"]) -> Any:
        return called(ask, self._token, self._base_url, self._channel, self.TIMEOUT_SECONDS)


def _content(file: str, picture: Picture) -> dict[str, Any]:
    alt = redact(clip(picture.alt, MAX_ALT))
    image = {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": alt,
        "title": {"type": "plain_text", "text": redact(clip(picture.title, MAX_TITLE)), "emoji": False},
    }
    return {"text": alt, "blocks": [image], "parse": "none"}
