"""How a difference is put before people: what matters is never clipped, and what is left out is counted. Pure.

Slack refuses a message whose blocks together hold more than about 13,000 characters (`msg_blocks_too_long`), at most
3,000 in one of them. So the lines of a difference share `ROOM`, risks first; the rest is in the file of the difference.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from preset_promotion.content import WORDED, plain_name

ROOM = 6_000
"""Characters of a message that the lines of a difference may take; checks, golden cases and buttons need theirs."""
_MARK = "⚠ "
_NAMES = frozenset({"model", "models", "order", "only", "ignore", "quantizations", "type", "id", "name"})
"""Fields whose texts are names. A text there that is not a plain name is hidden like any other."""


def lines(risks: Sequence[str], changes: Sequence[str], room: int = ROOM) -> tuple[str, ...]:
    """A line an item, risks first, each whole. What finds no room is counted, and that it is not shown is a risk."""
    everything = (*(_MARK + risk for risk in risks), *changes)
    kept = _fitting(everything, room)
    if kept == len(everything):
        return everything
    kept = _fitting(everything, room - 200)
    hidden_risks = max(len(risks) - kept, 0)
    hidden = len(everything) - kept
    of_them = f", {hidden_risks} of them risks" if hidden_risks else ""
    return (
        f"{_MARK}{hidden} of {len(everything)} items are not listed here{of_them}: read the file",
        *everything[:kept],
    )


def too_many(risks: Sequence[str], room: int = ROOM) -> int:
    """How many risks find no room: nobody can approve what cannot be put before them."""
    marked = [_MARK + risk for risk in risks]
    kept = _fitting(marked, room)
    return 0 if kept == len(marked) else len(marked) - _fitting(marked, room - 200)


def _fitting(given: Sequence[str], room: int) -> int:
    for index, line in enumerate(given):
        room -= len(line) + 3  # a bullet and a line break
        if room < 0:
            return index
    return len(given)


class Masked:
    """Configs without any text that a person wrote: equal texts get equal numbers, so that a difference stays one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, value: Any, name: str = "") -> Any:
        """The value as JSON that may be shown. `name`: of the field that holds it."""
        if isinstance(value, Mapping):
            return self._object(value)
        if isinstance(value, list):
            return [self.of(one, name) for one in value]
        if not isinstance(value, str):
            return value
        if name in WORDED | _NAMES and plain_name(value) == value:
            return value
        number = self._numbers.setdefault(value, len(self._numbers) + 1)
        return f"(text {number}, {len(value)} characters)"

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name in sorted(value):
            shown = plain_name(name)
            # Two names that may not be shown must not hide one another.
            while shown in made:
                shown += "'"
            made[shown] = self.of(value[name], name)
        return made


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
