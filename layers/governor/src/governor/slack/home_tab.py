"""The app's Home in Slack as a port: a page for each person, which stays as it was published last.

Source: https://docs.slack.dev/reference/methods/views.publish and /reference/views/home-tab-views: 100 blocks, 250 KB,
about a hundred calls a minute; no document limits how many people have a Home. Raises
`governor.slack.channel.SlackError`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import SecretStr

from governor.slack.channel import called
from redaction import redact_all

MAX_BLOCKS = 100


class HomeTab(Protocol):
    """Every person's Home."""

    def publish(self, user: str, view: Mapping[str, Any]) -> None:
        """Puts the view in the place of the one that is there. Twice is once."""


class SlackHomeTab:
    """`HomeTab` over slack_sdk."""

    TIMEOUT_SECONDS = 4

    def __init__(self, token: Callable[[], SecretStr], base_url: str = "https://slack.com/api/") -> None:
        self._token = token
        self._base_url = base_url

    def publish(self, user: str, view: Mapping[str, Any]) -> None:
        shown = redact_all(dict(view))
        called(lambda client: client.views_publish(user_id=user, view=shown), self._token, self._base_url, "",
               self.TIMEOUT_SECONDS)  # fmt: skip
