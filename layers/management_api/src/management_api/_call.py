"""One request as the resources describe it: everything the transport needs, and no secret in its repr."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

Effect = Literal["read", "write", "inference"]
"""`read`: may be repeated. `write`: repeated only if it provably did not happen; a lost answer is `OutcomeUnknown`.
`inference`: sent once, because it costs money and a probe wants the first answer; there is nothing to read back."""


@dataclass(frozen=True)
class Call[T]:
    """A request and how to read its answer.

    `path` is a template; `ids` fill it. `parse` turns the body of a 2xx answer into the result, or raises.
    `management`: the path takes a management key, so that a 403 speaks of that key or of the address it is used from.
    """

    method: str
    path: str
    parse: Callable[[bytes], T] = field(repr=False)
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: "Body | None" = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: Effect = "read"
    management: bool = True

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def target(self) -> str:
        """The path with its ids in place, each quoted whole: no id may lead to another resource.

        Raises `ValueError` for an id that would: an empty one names the collection, dots its parent.
        """
        for name, value in self.ids.items():
            if value in ("", ".", ".."):
                raise ValueError(f"{self.name}: {name} must not be {value!r}")
        return self.path.format_map({name: quote(value, safe="") for name, value in self.ids.items()})


class Body:
    """A JSON body, encoded; its repr and its attributes' reprs show nothing.

    A model sends only the fields that were set; an explicit None is sent as null. A `SecretStr` is sent in the clear.
    """

    __slots__ = ("_content", "_secrets")

    def __init__(self, content: BaseModel | Mapping[str, Any]) -> None:
        secrets: list[SecretStr] = []

        def plain(value: object) -> str:
            if isinstance(value, SecretStr):
                secrets.append(value)
                return value.get_secret_value()
            if isinstance(value, datetime):
                return instant(value)
            raise TypeError(f"not a JSON value: {type(value).__name__}")

        data = content.model_dump(exclude_unset=True) if isinstance(content, BaseModel) else content
        self._content = SecretStr(json.dumps(data, default=plain, separators=(",", ":"), allow_nan=False))
        self._secrets = tuple(secrets)

    @property
    def content(self) -> bytes:
        return self._content.get_secret_value().encode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The plaintexts inside, to be scrubbed from an answer that quotes them."""
        return tuple(secret.get_secret_value() for secret in self._secrets)


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC with seconds and a `Z`, the one form that `expires_at` takes."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
