"""What the gateway is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from governor.bare_environment import required


@dataclass(frozen=True)
class GatewaySettings:
    """The name of the secret that holds the header's token, and of the stream behind."""

    broadcast_secret: str
    stream_name: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises `SettingsMissing`."""
        return cls(*required(environment, "broadcast_gateway", ("BROADCAST_SECRET", "STREAM_NAME")))
