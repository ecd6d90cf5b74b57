"""What the gateway is told by its environment. Without pydantic, which would double the cold start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


class SettingsMissing(Exception):
    """An environment variable is missing; the message names it. Mend the template or its parameters."""


@dataclass(frozen=True)
class GatewaySettings:
    """The name of the secret that holds Slack's signing secret, and the URL of the queue behind."""

    signing_secret: str
    request_queue_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises `SettingsMissing`."""
        names = ("SLACK_SIGNING_SECRET", "REQUEST_QUEUE_URL")
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise SettingsMissing(f"environment of slack_gateway lacks {', '.join(missing)}")
        return cls(*(environment[name] for name in names))
