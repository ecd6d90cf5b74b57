"""What a preset holds: a system prompt and a config, as one value to compare, to name by a hash, and to post. Pure.

Neither ever leaves this function but to OpenRouter, and in the file of a diff: its repr shows nothing.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from management_api import PresetVersion

PROMPT = "system_prompt"
WORDED = frozenset({"route", "verbosity", "effort", "sort", "data_collection"})
"""Fields whose texts are OpenRouter's own words."""
LIMITS = ("max_tokens", "max_completion_tokens")
CACHE_SECONDS = 300
"""What the cache keeps an answer where a preset does not say (the vendor's default)."""
_NAME = re.compile(r"[\w./:@~-]{1,80}")
_NOBODY = {"role": "user", "content": "Saved by Governor."}
"""A chat body needs a message; only a system message is kept."""


@dataclass(frozen=True)
class Content:
    """`prompt` None: the preset has no system prompt."""

    prompt: str | None = field(repr=False)
    config: Mapping[str, Any] = field(repr=False, hash=False)

    @classmethod
    def of(cls, version: "PresetVersion") -> "Content":
        return cls(version.system_prompt, version.config)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The config and the prompt by name; what is null is not there."""
        held = {**self.config, PROMPT: self.prompt}
        return {name: value for name, value in held.items() if value is not None}

    @property
    def digest(self) -> str:
        """The same for the same content, in whatever order OpenRouter tells it."""
        text = json.dumps(self.fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that may serve, in the order in which they are tried."""
        return tuple(dict.fromkeys(texts([self.config.get("model")]) + texts(self.config.get("models"))))

    @property
    def provider(self) -> Mapping[str, Any]:
        """The routing rules; none means OpenRouter's defaults."""
        rules = self.config.get("provider")
        return rules if isinstance(rules, Mapping) else {}

    @property
    def cached_seconds(self) -> int:
        """How long OpenRouter may answer equal requests from its response cache, in seconds; 0: it does not.

        The cache is keyed by API key, model and body, not by the preset's version
        (https://openrouter.ai/docs/guides/features/response-caching).
        """
        seconds = self.config.get("cache_ttl_seconds")
        if self.config.get("cache_enabled") is not True:
            return 0
        return seconds if isinstance(seconds, int) and seconds > 0 else CACHE_SECONDS

    def body(self) -> dict[str, Any]:
        """The chat body that saves this content as a version."""
        return {**self.config, "messages": [*self._system(), _NOBODY]}

    def asked(self, prompt: str, max_tokens: int) -> dict[str, Any]:
        """The chat body that asks this content, and not whatever the preset has become meanwhile.

        `max_tokens` bounds the answer, whatever the config allows.
        """
        allowed = [self.config[name] for name in LIMITS if isinstance(self.config.get(name), int)]
        kept = {name: value for name, value in self.config.items() if name not in LIMITS}
        messages = [*self._system(), {"role": "user", "content": prompt}]
        return {**kept, "messages": messages, "max_tokens": min([max_tokens, *allowed])}

    def _system(self) -> list[dict[str, str]]:
        return [] if self.prompt is None else [{"role": "system", "content": self.prompt}]


def texts(value: Any) -> list[str]:
    """The texts in a list; nothing where it is not a list. A config is free-form, and people write it."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def plain_name(name: Any) -> str:
    """The name of a model, a provider, a tool or a field, or one of OpenRouter's own words. A text that somebody wrote
    in its place is not shown: no sentence fits into a name."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "(no name)"


def differences(wanted: Content, found: Content) -> tuple[str, ...]:
    """The names of the fields in which they differ: changed, dropped or added."""
    names = sorted(wanted.fields.keys() | found.fields.keys())
    return tuple(name for name in names if wanted.fields.get(name) != found.fields.get(name))


def remains_of(wanted: Content, found: Content) -> bool:
    """Whether `found` may be `wanted` of which fields were dropped: nothing in it is of somebody else."""
    return bool(found.fields) and all(wanted.fields.get(name) == value for name, value in found.fields.items())
