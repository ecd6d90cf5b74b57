"""The response cache: equal requests of one key get the same answer for a time, at no cost.

As the vendor says (https://openrouter.ai/docs/guides/features/response-caching): keyed by API key, model and body, not
by the preset's version; enabled by `X-OpenRouter-Cache` or by a preset's `cache_enabled`, the header first; 300 seconds
where nobody says otherwise; only answers of status 200; a hit has an id of its own and no usage. Streams are not cached
here.
"""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_SECONDS, MOST_SECONDS = 300, 86_400


@dataclass(slots=True)
class ResponseCache:
    """Answers by what was asked, and until when they are kept (epoch seconds)."""

    kept: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)

    def found(self, asked: str, now: float) -> dict[str, Any] | None:
        """The answer that is kept, as it was given."""
        until, answer = self.kept.get(asked, (0.0, {}))
        return copy.deepcopy(answer) if now < until else None

    def keep(self, asked: str, answer: dict[str, Any], now: float, seconds: int) -> None:
        self.kept[asked] = (now + seconds, copy.deepcopy(answer))


def asked_for(key_hash: str, model: str, raw: bytes) -> str:
    """The cache's key."""
    return hashlib.sha256(f"{key_hash}\n{model}\n".encode() + raw).hexdigest()


def seconds_of(headers: Mapping[str, str], config: Mapping[str, Any]) -> int:
    """How long this request's answer may be kept and taken; 0 where the cache is not used. `config`: the preset's."""
    header = headers.get("x-openrouter-cache", "").lower()
    if header not in ("true", "false"):
        header = "true" if config.get("cache_enabled") is True else "false"
    if header == "false":
        return 0
    given = headers.get("x-openrouter-cache-ttl", "")
    seconds = int(given) if given.isdecimal() else config.get("cache_ttl_seconds")
    return max(1, min(seconds, MOST_SECONDS)) if isinstance(seconds, int) else DEFAULT_SECONDS


def as_hit(answer: dict[str, Any], id: str) -> dict[str, Any]:
    """The kept answer as a hit gives it: every counter of its usage is zero."""
    return {**answer, "id": id, "usage": _zeroed(answer.get("usage"))}


def _zeroed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _zeroed(one) for name, one in value.items()}
    return type(value)(0) if isinstance(value, int | float) and not isinstance(value, bool) else value
