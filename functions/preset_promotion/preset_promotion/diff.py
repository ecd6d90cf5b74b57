"""What a candidate changes against what production serves, and what that may mean. Pure.

Lines for people hold no text that anybody wrote: of a prompt they count lines, of a tool they give the name, of a
parameter the value only where it is a number, a switch, or one of OpenRouter's own words. One item is one line, so that
nothing hides behind a long list. `text` holds everything, `masked` everything but the texts: each is a file, and the
policy says which of them is uploaded (`presets[].prompts`).
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from preset_promotion.catalogue import Catalogue, Listed
from preset_promotion.content import PROMPT, WORDED, Content, differences, plain_name, texts
from preset_promotion.data_policy import loosened
from preset_promotion.shown import Masked, as_json, lines, too_many

DEARER = 0.1
"""A price that rises by more than this share is a risk."""
_LISTED = frozenset({"order", "only", "ignore", "quantizations"})
_STRUCTURED = frozenset({"model", "models", "provider", "tools", "plugins", PROMPT})
_NOTHING = Content(None, {})
MAX_TEXT = 1_000_000
"""Characters of a diff's text; Slack takes files far larger, a function's memory should not."""


@dataclass(frozen=True)
class Diff:
    """`risks` and `changes`: a line each, for people. `text`: prompts and all. `masked`: without any text."""

    risks: tuple[str, ...]
    changes: tuple[str, ...]
    text: str = field(repr=False)
    masked: str = field(default="", repr=False)

    @property
    def shown(self) -> tuple[str, ...]:
        """Risks first; what is too much for a message is counted, and told as a risk."""
        return lines(self.risks, self.changes)

    @property
    def unshown_risks(self) -> int:
        """Risks that a message does not hold."""
        return too_many(self.risks)

    def file(self, prompts: Literal["private", "shown"]) -> str:
        """What the policy lets the file hold."""
        return self.text if prompts == "shown" else self.masked


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
        *_items("Tool", _named_tools(before), _named_tools(candidate)),
        *_items("Plugin", _named(before, "plugins"), _named(candidate, "plugins")),
        *(line for name in changed if name not in _STRUCTURED for line in _parameter(name, before, candidate)),
    )
    new = () if base else ("Production has no such preset yet: nothing to go back to",)
    risks = (
        *new,
        *loosened(before, candidate),
        *_unbounded(before.provider, candidate.provider),
        *_added_models(before, candidate, catalogue),
        *_dearer(before, candidate, catalogue),
        *_cached(before, candidate),
        *_gained(before, candidate),
    )
    masked = Masked()
    hidden = (as_json(masked.of(before.config)), as_json(masked.of(candidate.config)))
    listed = [*(f"! {risk}" for risk in risks), *changes]
    return Diff(
        risks,
        changes,
        _text(before, candidate, names),
        _cut("\n".join((*listed, "", *_unified("config", names, *hidden)))) if listed else "",
    )


def _prompt(before: Content, after: Content) -> Iterator[str]:
    if before.prompt == after.prompt:
        return
    # Not ndiff, which looks into each pair of lines: of two long prompts that takes minutes.
    lines = list(difflib.unified_diff((before.prompt or "").splitlines(), (after.prompt or "").splitlines(), n=0))[2:]
    plus, minus = (sum(line.startswith(mark) for line in lines) for mark in "+-")
    yield f"System prompt: +{plus} −{minus} lines, {len(after.prompt or '')} characters now"


def _models(before: Content, after: Content, catalogue: Catalogue) -> Iterator[str]:
    old, new = before.models, after.models
    if old == new:
        return
    for model in old:
        if model not in new:
            yield f"Model removed: {_priced(model, catalogue)}"
    if [model for model in old if model in new] != [model for model in new if model in old]:
        yield "Models are tried in another order"
    if old and new and old[0] != new[0]:
        yield f"Model tried first: {plain_name(old[0])} → {plain_name(new[0])}"


def _added_models(before: Content, after: Content, catalogue: Catalogue) -> Iterator[str]:
    for model in after.models:
        if model not in before.models:
            yield f"model added: {_priced(model, catalogue)}"


def _priced(model: str, catalogue: Catalogue) -> str:
    return f"{plain_name(model)} ({_price(catalogue.find(model))})"


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
    for kind, old_ones, new_ones in (
        ("tool", _named_tools(before), _named_tools(after)),
        ("plugin", _named(before, "plugins"), _named(after, "plugins")),
    ):
        for name in sorted(new_ones):
            if name not in old_ones:
                yield f"{kind} added: {name}"
            elif new_ones[name] != old_ones[name]:
                more = f", {len(new_ones[name])} of this name now" if len(new_ones[name]) > 1 else ""
                yield f"{kind} redefined: {name}{more}"


def _unbounded(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Routing rules beside those about data (`data_policy`) that hold less back than before."""
    if before.get("require_parameters") is True and after.get("require_parameters") is not True:
        yield "provider.require_parameters loosened: providers that ignore a parameter may serve"
    old, new = texts(before.get("quantizations")), texts(after.get("quantizations"))
    if old and not new:
        yield "provider.quantizations dropped: any quantization may serve"
    for name in sorted(set(new) - set(old)) if old else ():
        yield f"provider.quantizations loosened: {plain_name(name)} may serve too"
    bounds, now = before.get("max_price"), after.get("max_price")
    if isinstance(bounds, Mapping) and bounds != now:
        for name in sorted(bounds, key=str):
            if not isinstance(now, Mapping) or now.get(name) is None:
                yield f"provider.max_price.{plain_name(name)} dropped: any price may be paid"
            elif _number(now[name]) is None or (_number(now[name]) or 0) > (_number(bounds[name]) or 0):
                yield f"provider.max_price.{plain_name(name)} raised"


def _cached(before: Content, after: Content) -> Iterator[str]:
    old, new = before.cached_seconds, after.cached_seconds
    if new > old:
        was = f"for up to {old} s" if old else "not"
        yield (
            f"answers are cached for up to {new} s (before: {was}): callers get the same answer again, and after a "
            "promotion that of the former version"
        )


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _rules(title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield from _rule(f"{plain_name(title)}.{plain_name(name)}", name, before.get(name), after.get(name))


def _rule(where: str, name: str, old: Any, new: Any) -> Iterator[str]:
    if name not in _LISTED or not isinstance(old or [], list) or not isinstance(new or [], list):
        yield f"{where}: {_value(name, old)} → {_value(name, new)}"
        return
    before, after = [plain_name(one) for one in old or []], [plain_name(one) for one in new or []]
    yield f"{where}: {_counted(old)} → {_counted(new)}"
    yield from (f"{where} adds {one}" for one in dict.fromkeys(after) if one not in before)
    yield from (f"{where} no longer names {one}" for one in dict.fromkeys(before) if one not in after)


def _counted(names: Sequence[Any] | None) -> str:
    if not names:
        return "unset" if names is None else "nobody"
    return f"{len(names)} names, {plain_name(names[0])} first" if len(names) > 1 else plain_name(names[0])


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
    if name in WORDED and isinstance(value, str):
        return plain_name(value)
    return "set"


def _items(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What was taken away; what was added or redefined is told as a risk."""
    for name in sorted(before.keys() - after.keys()):
        yield f"{kind} removed: {name}"


def _named_tools(content: Content) -> dict[str, list[Any]]:
    """By the function's name; another tool by its type. Two of one name are both there: neither hides the other."""
    return _named(content, "tools")


def _named(content: Content, field: str) -> dict[str, list[Any]]:
    given = content.config.get(field)
    found: dict[str, list[Any]] = {}
    for one in given if isinstance(given, list) else ():
        held = one if isinstance(one, Mapping) else {}
        function = held.get("function")
        name = function.get("name") if isinstance(function, Mapping) else held.get("type") or held.get("id")
        found.setdefault(plain_name(name), []).append(one)
    return found


def _text(before: Content, after: Content, names: tuple[str, str]) -> str:
    """A unified diff of the prompts, and of everything else as JSON."""
    parts = (
        *_unified("system_prompt", names, before.prompt or "", after.prompt or ""),
        *_unified("config", names, as_json(before.config), as_json(after.config)),
    )
    return _cut("\n".join(parts))


def _cut(text: str) -> str:
    """A file that is cut says so first."""
    if len(text) <= MAX_TEXT:
        return text
    return f"! {len(text) - MAX_TEXT} characters of this difference are left out at its end\n{text[:MAX_TEXT]}"


def _unified(what: str, names: tuple[str, str], before: str, after: str) -> Iterator[str]:
    old, new = (f"{name}/{what}" for name in names)
    return difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="")
