"""Answers to one person in Slack, whom nobody else sees: over what a click or a command brought with it.

Raises the errors of `governor.slack.channel`, whose tree says what a caller does.
"""

from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from governor.slack.channel import MAX_SECTION, SlackRateLimited, SlackRefused, SlackUnavailable, called, clip
from redaction import redact

HOOKS = ("https", "hooks.slack.com")
"""Where a `response_url` leads; what claims another place is not asked."""


class Replies(Protocol):
    """Every method raises `SlackError`. Texts are mrkdwn, clipped to one section."""

    def respond(self, response_url: str, text: str) -> None:
        """Answers a click or a command (within 30 minutes, five times at most)."""

    def ephemeral(self, channel: str, user: str, text: str) -> None:
        """Says something to one person in a channel."""

    def direct(self, user: str, text: str) -> None:
        """Says something to one person in the app's own conversation with them."""

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Opens a modal before whoever clicked (within three seconds)."""


class SlackReplies:
    """`Replies` over slack_sdk. The token is asked for at every call, so a replaced secret is used without a deploy."""

    TIMEOUT_SECONDS = 4

    def __init__(self, token: Callable[[], SecretStr], base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._base_url = base_url

    def respond(self, response_url: str, text: str) -> None:
        from slack_sdk.errors import SlackClientError
        from slack_sdk.webhook import WebhookClient

        if _origin(response_url) not in (HOOKS, _origin(self._base_url)):
            raise SlackRefused("foreign_response_url", "Nothing was sent: it does not lead to Slack.")
        # No retry handlers: an answer that was lost is given again by whoever asked for it, not unseen below.
        client = WebhookClient(response_url, timeout=self.TIMEOUT_SECONDS, retry_handlers=[])
        try:
            said = clip(redact(text), MAX_SECTION)
            answer = client.send(text=said, response_type="ephemeral", replace_original=False)
        except (OSError, HTTPException, SlackClientError) as error:
            raise SlackUnavailable(f"no answer from Slack: {type(error).__name__}: {error}") from error
        if answer.status_code == 429:
            seconds = str(answer.headers.get("retry-after", ""))
            raise SlackRateLimited(float(seconds) if seconds.isdigit() else 1.0)
        if answer.status_code >= 500:
            raise SlackUnavailable(f"Slack answered {answer.status_code}")
        if answer.status_code != 200:
            raise SlackRefused(clip(answer.body, 80), "The answer came too late, or five were given already.")

    def ephemeral(self, channel: str, user: str, text: str) -> None:
        said = clip(redact(text), MAX_SECTION)
        self._call(lambda client: client.chat_postEphemeral(channel=channel, user=user, text=said), channel)

    def direct(self, user: str, text: str) -> None:
        # Slack takes a user's id for a channel's, and opens the conversation (reference/methods/chat.postMessage).
        said = clip(redact(text), MAX_SECTION)
        self._call(lambda client: client.chat_postMessage(channel=user, text=said, parse="none"), user)

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        self._call(lambda client: client.views_open(trigger_id=trigger_id, view=dict(view)), "")

    def _call(self, ask: Callable[[Any], Any], channel: str) -> None:
        called(ask, self._token, self._base_url, channel, self.TIMEOUT_SECONDS)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
