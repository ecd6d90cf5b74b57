"""What the gateway is told by its environment. Without pydantic, which would double the cold start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


class SettingsMissing(Exception):
    """An environment variable is missing; the message names it. Mend the template or its parameters."""


@dataclass(frozen=True)
class GatewaySettings:
    """The name of the secret that holds the header's token, and of the stream behind."""

    broadcast_secret: str
    stream_name: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises `SettingsMissing`."""
        names = ("BROADCAST_SECRET", "STREAM_NAME")
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise SettingsMissing(f"environment of broadcast_gateway lacks {', '.join(missing)}")
        return cls(*(environment[name] for name in names))
