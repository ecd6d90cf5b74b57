"""Slack as a port: one channel in which messages are posted, updated, and found again by their metadata.

    SlackError
    ├── SlackRateLimited    wait `retry_after` seconds, then again
    ├── SlackUnavailable    no answer, or a 5xx; what was asked may have happened: `find` before posting again
    └── SlackRefused        Slack will never take it; `remedy` says what a person must change
        └── SlackGone       the message to update or answer is no longer there (or no longer ours to edit)

Text is Slack's mrkdwn, clipped here to Slack's limits (https://docs.slack.dev/reference/block-kit/blocks).
A little over 300 lines: the port, its errors and its adapter are read together.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from pydantic import SecretStr

from governor.secrets import SecretMalformed, SecretUnavailable
from governor.slack.requests import NTH
from governor.slack.text import MAX_CONTEXT, MAX_TEXTS, fitted
from governor.slack.text import clip as clip
from governor.slack.text import escape as escape
from redaction import redact, redact_all

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.models.blocks import ButtonElement, MarkdownTextObject
    from slack_sdk.web import SlackResponse

METADATA_TYPE = "governor_notice"
MAX_SECTION = 3000
MAX_CONTEXTS = 10
MAX_CONFIRM = 300
MAX_BLOCKS = 50
ACTION = "governor."
"""What the `action_id` of each of our buttons starts with; the action's name follows."""


class SlackError(Exception):
    """Slack did not confirm."""


class SlackRateLimited(SlackError):
    """429: nothing was done. `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Slack's rate limit is reached; it asks to wait {retry_after:g} s")
        self.retry_after = retry_after


class SlackUnavailable(SlackError):
    """The outcome is unknown: no answer, a broken one, or a 5xx."""


class SlackRefused(SlackError):
    """Slack's `error` code, and the `remedy` a person can apply."""

    def __init__(self, error: str, remedy: str) -> None:
        super().__init__(f"Slack refused: {error}. {remedy}")
        self.error = error
        self.remedy = remedy


class SlackGone(SlackRefused):
    """The message is no longer there, or no longer ours to edit; a new one can be posted."""


@dataclass(frozen=True)
class Button:
    """A button under a message. `action` and `value` come back with a click (at most 2,000 characters of JSON).

    `confirm`: a question that Slack asks first, in plain text; 300 characters of it are shown.
    """

    text: str
    action: str
    value: Mapping[str, str] = field(hash=False)
    style: Literal["primary", "danger"] | None = None
    confirm: str = ""


@dataclass(frozen=True)
class Message:
    """What people read: `text` stands alone in a notification; sections and small-print context follow in colour."""

    text: str
    color: str
    sections: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    actions: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Posted:
    """A message found in the channel, with the metadata it was posted with."""

    ts: str
    metadata: Mapping[str, str] = field(hash=False)


class Slack(Protocol):
    """One channel. Every method raises `SlackError`."""

    def post(
        self, message: Message, metadata: Mapping[str, str], *, thread_ts: str | None = None, broadcast: bool = False
    ) -> str:
        """Post, in a thread if given (and to the channel too, with `broadcast`); returns the message's `ts`."""

    def update(self, ts: str, message: Message) -> None:
        """Replace a message's content; its metadata stays."""

    def find(self, metadata: Mapping[str, str], *, thread_ts: str | None = None) -> Posted | None:
        """The newest message (of the channel, or of a thread) whose metadata holds all these values."""


class Files(Protocol):
    """Where text goes that is too long for a message."""

    def upload(self, name: str, text: str, comment: str) -> str:
        """Shows the text as a file in the channel; its permalink, or "" where Slack does not say. Once more is one file
        more. Raises `SlackError`."""


class SlackChannel:
    """`Slack` over slack_sdk. The token is asked for at every call, so a replaced secret is used without a deploy."""

    TIMEOUT_SECONDS = 4
    PAGE = 200
    PAGES = 5

    def __init__(self, token: Callable[[], SecretStr], channel: str, base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._channel = channel
        self._base_url = base_url

    def post(
        self, message: Message, metadata: Mapping[str, str], *, thread_ts: str | None = None, broadcast: bool = False
    ) -> str:
        content = _content(message)
        answer = self._call(
            lambda client: client.chat_postMessage(
                channel=self._channel,
                metadata={"event_type": METADATA_TYPE, "event_payload": dict(metadata)},
                thread_ts=thread_ts,
                reply_broadcast=broadcast or None,
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
        )
        return str(answer["ts"])

    def update(self, ts: str, message: Message) -> None:
        content = _content(message)
        self._call(lambda client: client.chat_update(channel=self._channel, ts=ts, parse="none", **content))

    def find(self, metadata: Mapping[str, str], *, thread_ts: str | None = None) -> Posted | None:
        # Newest first and bounded by pages, not by time: Slack's clock and ours need not agree.
        cursor: str | None = None
        found: Posted | None = None
        for _ in range(self.PAGES):
            answer = self._page(thread_ts, cursor)
            for message in answer["messages"]:
                held = message.get("metadata", {})
                payload = held.get("event_payload", {})
                if held.get("event_type") == METADATA_TYPE and metadata.items() <= payload.items():
                    posted = Posted(message["ts"], payload)
                    found = posted if found is None or float(posted.ts) > float(found.ts) else found
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if found or not cursor:
                break
        return found

    def upload(self, name: str, text: str, comment: str) -> str:
        answer = self._call(
            lambda client: client.files_upload_v2(
                channel=self._channel,
                filename=name,
                title=name,
                content=redact(text),
                initial_comment=redact(comment),
            )
        )
        return str(answer["files"][0].get("permalink", ""))

    def _page(self, thread_ts: str | None, cursor: str | None) -> Any:
        wanted: dict[str, Any] = {
            "channel": self._channel,
            "limit": self.PAGE,
            "cursor": cursor,
            "include_all_metadata": True,
        }
        if thread_ts is None:
            return self._call(lambda client: client.conversations_history(**wanted))
        return self._call(lambda client: client.conversations_replies(ts=thread_ts, **wanted))

    def _call(self, ask: Callable[["WebClient"], "SlackResponse"]) -> Any:
        return called(ask, self._token, self._base_url, self._channel, self.TIMEOUT_SECONDS)


def called(
    ask: Callable[["WebClient"], "SlackResponse"],
    token: Callable[[], SecretStr],
    base_url: str,
    channel: str,
    timeout_seconds: int,
) -> Any:
    """What Slack answers to one call of its Web API, about a channel. Raises `SlackError`, nothing of slack_sdk's."""
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError, SlackRequestError

    # No retry handlers: the SDK's default repeats a POST whose connection broke, which may post twice.
    client = WebClient(current(token).get_secret_value(), base_url, timeout=timeout_seconds, retry_handlers=[])
    try:
        return ask(client).data
    except SlackApiError as error:
        raise _translated(error.response, channel) from error
    except (OSError, HTTPException, SlackRequestError) as error:
        raise SlackUnavailable(f"no answer from Slack: {type(error).__name__}: {error}") from error


def current(token: Callable[[], SecretStr]) -> SecretStr:
    """The bot token. Raises `SlackRefused` where the secret holds none, `SlackUnavailable` where it cannot be read."""
    try:
        return token()
    except SecretMalformed as error:
        raise SlackRefused("no_token", f'{error}. Store {{"bot_token": "xoxb-..."}} in it.') from error
    except SecretUnavailable as error:
        raise SlackUnavailable(f"the secret with Slack's token could not be read: {error}") from error


_RENEW = "Put the app's bot token (xoxb-...) into the Slack secret, field bot_token; it is read within 5 minutes."
_TRANSIENT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})
_REMEDIES = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"),
        _RENEW,
    ),
    "channel_not_found": "Channel {channel} is unknown to the app: fix the policy (alerts.channel) or invite the app.",
    "not_in_channel": "Invite the app to channel {channel}: /invite @Governor.",
    "is_archived": "Channel {channel} is archived: name another in the policy (alerts.channel).",
    "missing_scope": "Give the app the scope {needed} and install it again.",
    "restricted_action": "A workspace setting forbids the app to post in {channel}: ask a Slack administrator.",
}


def _translated(response: "SlackResponse", channel: str) -> SlackError:
    error = str(response.get("error", "unknown_error"))
    if response.status_code == 429 or error == "ratelimited":
        headers = {name.lower(): value for name, value in response.headers.items()}
        seconds = str(headers.get("retry-after", ""))
        return SlackRateLimited(float(seconds) if seconds.isdigit() else 1.0)
    # For an answer that is not JSON (cut off, or a proxy's page) slack_sdk has a sentence where the code stands.
    if response.status_code >= 500 or error in _TRANSIENT or " " in error:
        return SlackUnavailable(f"Slack answered {response.status_code}: {clip(error, 80)}")
    if error in _GONE:
        return SlackGone(error, "Nothing to do: a new message is posted.")
    remedy = _REMEDIES.get(error, "See https://docs.slack.dev/reference/methods for this error code.")
    return SlackRefused(error, remedy.format(channel=channel, needed=response.get("needed", "it lacks")))


def _content(message: Message) -> dict[str, Any]:
    from slack_sdk.models.attachments import BlockAttachment
    from slack_sdk.models.blocks import ActionsBlock, Block, ContextBlock, SectionBlock

    context = fitted(message.context[:MAX_CONTEXTS], MAX_SECTION, MAX_CONTEXT)
    buttons = sum(len(one.text) * 2 + len(one.confirm) + 20 for one in message.actions)
    sections = message.sections[: MAX_BLOCKS - 1 - bool(message.actions)]
    kept = fitted(sections, MAX_SECTION, MAX_TEXTS - buttons - sum(map(len, context)))
    blocks: list[Block] = [SectionBlock(text=_mrkdwn(text)) for text in kept]
    if message.actions:
        earlier = [[other.action for other in message.actions[:at]] for at in range(len(message.actions))]
        elements = [
            button_element(one, seen.count(one.action)) for one, seen in zip(message.actions, earlier, strict=True)
        ]
        blocks.append(ActionsBlock(elements=elements))
    if context:
        blocks.append(ContextBlock(elements=[_mrkdwn(text) for text in context]))
    # A top-level `blocks` would hide `text` and could have no colour: the blocks go into one coloured attachment.
    attachments = [BlockAttachment(blocks=blocks, color=message.color, fallback=clip(message.text, 1000)).to_dict()]
    content = {"text": clip(message.text, MAX_SECTION), "attachments": attachments if blocks else []}
    return cast(dict[str, Any], redact_all(content))


def _mrkdwn(text: str) -> "MarkdownTextObject":
    from slack_sdk.models.blocks import MarkdownTextObject

    # Verbatim: what looks like an address in somebody's text is not made a link.
    return MarkdownTextObject(text=clip(text, MAX_SECTION), verbatim=True)


def button_element(button: Button, nth: int = 0) -> "ButtonElement":
    """The button as Block Kit has it. `nth`: how many of the same action stand before it in its block, where Slack
    takes each `action_id` once."""
    from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

    question = PlainTextObject(text=clip(button.confirm, MAX_CONFIRM), emoji=False)
    dialog = ConfirmObject(title="Are you sure?", text=question, confirm=button.text, deny="Cancel")
    return ButtonElement(
        text=button.text,
        action_id=f"{ACTION}{button.action}" + (f"{NTH}{nth}" if nth else ""),
        value=json.dumps(dict(button.value), separators=(",", ":")),
        style=button.style,
        confirm=dialog if button.confirm else None,
    )
