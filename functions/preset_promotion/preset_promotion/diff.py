"""What a candidate changes against what production serves, and what that may mean. Pure.

Lines for people hold no text that anybody wrote: of a prompt they count lines, of a tool they give the name, of a
parameter the value only where it is a number, a switch, or one of OpenRouter's own words. `text` holds everything, and
is for the file that the policy allows or forbids (`presets[].prompts`).
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from governor.slack import clip
from preset_promotion.catalogue import Catalogue, Listed
from preset_promotion.content import PROMPT, Content, differences, plain_name
from preset_promotion.data_policy import loosened

DEARER = 0.1
"""A price that rises by more than this share is a risk."""
_WORDED = frozenset({"route", "verbosity", "effort", "sort", "data_collection"})
"""Fields whose texts are OpenRouter's own words."""
_LISTED = frozenset({"order", "only", "ignore", "quantizations"})
_STRUCTURED = frozenset({"model", "models", "provider", "tools", PROMPT})
_NOTHING = Content(None, {})
MAX_LINES, MAX_LINE = 25, 300
MAX_TEXT = 1_000_000
"""Characters of a diff's text; Slack takes files far larger, a function's memory should not."""


@dataclass(frozen=True)
class Diff:
    """`risks` and `changes`: a line each, for people. `text`: prompts and all."""

    risks: tuple[str, ...]
    changes: tuple[str, ...]
    text: str = field(repr=False)

    @property
    def shown(self) -> tuple[str, ...]:
        """Risks first; what is too much for a message is counted."""
        lines = (*(f"⚠ {risk}" for risk in self.risks), *self.changes)
        more = (f"… and {len(lines) - MAX_LINES} lines more",) if len(lines) > MAX_LINES else ()
        return (*(clip(line, MAX_LINE) for line in lines[:MAX_LINES]), *more)


def compare(
    base: Content | None, candidate: Content, catalogue: Catalogue, names: tuple[str, str] = ("production", "candidate")
) -> Diff:
    """`base` None: production has no such preset yet. `names`: of the two in the text."""
    before = base or _NOTHING
    changed = differences(before, candidate)
    changes = (
        *_prompt(before, candidate),
        *_models(before, candidate, catalogue),
        *_rules("provider", before.provider, candidate.provider),
        *_tools(before, candidate),
        *(line for name in changed if name not in _STRUCTURED for line in _parameter(name, before, candidate)),
    )
    new = () if base else ("Production has no such preset yet: nothing to go back to",)
    risks = (
        *new,
        *loosened(before, candidate),
        *_dearer(before, candidate, catalogue),
        *_gained(before, candidate),
    )
    return Diff(risks, changes, _text(before, candidate, names))


def _prompt(before: Content, after: Content) -> Iterator[str]:
    if before.prompt == after.prompt:
        return
    # Not ndiff, which looks into each pair of lines: of two long prompts that takes minutes.
    lines = list(difflib.unified_diff((before.prompt or "").splitlines(), (after.prompt or "").splitlines(), n=0))[2:]
    plus, minus = (sum(line.startswith(mark) for line in lines) for mark in "+-")
    yield f"System prompt: +{plus} −{minus} lines, {len(after.prompt or '')} characters now"


def _models(before: Content, after: Content, catalogue: Catalogue) -> Iterator[str]:
    if before.models == after.models:
        return
    yield f"Models: {_priced(before, catalogue)} → {_priced(after, catalogue)}"


def _priced(content: Content, catalogue: Catalogue) -> str:
    return ", ".join(f"{plain_name(model)} ({_price(catalogue.find(model))})" for model in content.models) or "none"


def _price(listed: Listed | None) -> str:
    if listed is None or listed.prompt_usd is None or listed.completion_usd is None:
        return "price unknown"
    return f"${listed.prompt_usd:g} in, ${listed.completion_usd:g} out a million tokens"


def _dearer(before: Content, after: Content, catalogue: Catalogue) -> Iterator[str]:
    """The dearest model that may serve, before and after: a fallback counts as much as the first."""
    for what in ("prompt", "completion"):
        old, new = _dearest(before, catalogue, what), _dearest(after, catalogue, what)
        if old is not None and new is not None and new > old * (1 + DEARER):
            rise = f" (+{(new / old - 1) * 100:.0f} %)" if old else ""
            yield f"{what} tokens may cost ${old:g} → ${new:g} a million{rise}"


def _dearest(content: Content, catalogue: Catalogue, what: str) -> float | None:
    found = [catalogue.find(model) for model in content.models]
    prices = [getattr(one, f"{what}_usd") for one in found if one]
    return max((price for price in prices if price is not None), default=None)


def _gained(before: Content, after: Content) -> Iterator[str]:
    for name in ("max_tokens", "max_completion_tokens"):
        old, new = before.config.get(name), after.config.get(name)
        if isinstance(old, int) and new is None:
            yield f"{name} dropped: answers are as long as the model likes (was {old})"
    gained = sorted(_named_tools(after).keys() - _named_tools(before).keys())
    if gained:
        yield f"tools added: {', '.join(gained)}"
    if after.config.get("plugins") and not before.config.get("plugins"):
        yield "plugins added: what they send elsewhere is theirs to say"


def _rules(title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            old, new = _value(name, before.get(name)), _value(name, after.get(name))
            yield f"{plain_name(title)}.{plain_name(name)}: {old} → {new}"


def _parameter(name: str, before: Content, after: Content) -> Iterator[str]:
    old, new = before.config.get(name), after.config.get(name)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _rules(name, old, new)
    else:
        yield f"{plain_name(name)}: {_value(name, old)} → {_value(name, new)}"


def _value(name: str, value: Any) -> str:
    """The value, where nobody can have written a text into it."""
    if value is None:
        return "unset"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if name in _WORDED and isinstance(value, str):
        return plain_name(value)
    if name in _LISTED and isinstance(value, list):
        return ", ".join(map(plain_name, value)) or "nobody"
    return "set"


def _tools(before: Content, after: Content) -> Iterator[str]:
    old, new = _named_tools(before), _named_tools(after)
    added, gone = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    parts = [f"{mark}{name}" for mark, names in (("+", added), ("−", gone), ("~", changed)) for name in names]
    if parts:
        yield f"Tools: {', '.join(parts)}"


def _named_tools(content: Content) -> dict[str, Any]:
    """By the function's name; another tool by its type."""
    tools = content.config.get("tools")
    found = {}
    for tool in tools if isinstance(tools, list) else ():
        held = tool if isinstance(tool, Mapping) else {}
        function = held.get("function")
        name = function.get("name") if isinstance(function, Mapping) else held.get("type")
        found[plain_name(name)] = tool
    return found


def _text(before: Content, after: Content, names: tuple[str, str]) -> str:
    """A unified diff of the prompts, and of everything else as JSON."""
    parts = (
        *_unified("system_prompt", names, before.prompt or "", after.prompt or ""),
        *_unified("config", names, _as_json(before.config), _as_json(after.config)),
    )
    return "\n".join(parts)[:MAX_TEXT]


def _unified(what: str, names: tuple[str, str], before: str, after: str) -> Iterator[str]:
    old, new = (f"{name}/{what}" for name in names)
    return difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="")


def _as_json(config: Mapping[str, Any]) -> str:
    return json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False)
