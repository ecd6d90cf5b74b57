"""What the gateway is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from governor.bare_environment import required


@dataclass(frozen=True)
class GatewaySettings:
    """The name of the secret that holds Slack's signing secret, and the URLs of the queues behind."""

    signing_secret: str
    request_queue_url: str
    home_queue_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises `SettingsMissing`."""
        return cls(
            *required(environment, "slack_gateway", ("SLACK_SIGNING_SECRET", "REQUEST_QUEUE_URL", "HOME_QUEUE_URL"))
        )
