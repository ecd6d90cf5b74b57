"""Whether a config lets prompts go where another would not. Pure.

The rules are OpenRouter's `provider` preferences: without them any provider may serve, and may keep what it is sent.
"""

from collections.abc import Callable, Mapping
from typing import Any

from preset_promotion.content import Content, plain_name, texts


def loosened(base: Content, candidate: Content) -> tuple[str, ...]:
    """What the candidate allows that the base does not, a sentence each; empty when it is as strict."""
    before, after = base.provider, candidate.provider
    return tuple(told for rule in _RULES for told in rule(before, after))


def _data_collection(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    if before.get("data_collection") == "deny" and after.get("data_collection") != "deny":
        return ("data_collection loosened: providers may store prompts (deny → allow)",)
    return ()


def _zdr(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    if before.get("zdr") is True and after.get("zdr") is not True:
        return ("ZDR dropped: providers that retain data may serve",)
    return ()


def _only(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    old, new = texts(before.get("only")), texts(after.get("only"))
    if not old:
        return ()
    if not new:
        return (f"provider.only dropped: any provider may serve, no longer only {len(set(old))} named ones",)
    return tuple(f"provider.only loosened: {plain_name(one)} may serve too" for one in sorted(set(new) - set(old)))


def _ignore(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    freed = sorted(set(texts(before.get("ignore"))) - set(texts(after.get("ignore"))))
    return tuple(f"provider.ignore loosened: {plain_name(one)} may serve again" for one in freed)


def _fallbacks(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    if before.get("allow_fallbacks") is False and after.get("allow_fallbacks") is not False:
        return ("provider.allow_fallbacks loosened: providers beyond the ordered ones may serve",)
    return ()


_RULES: tuple[Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[str, ...]], ...] = (
    _data_collection, _zdr, _only, _ignore, _fallbacks,
)  # fmt: skip
