"""What one of OpenRouter's own Notifications may name, whatever its shape. Pure.

No source states the shape of what its custom webhook sends (a private preview of the Enterprise plan), and nobody has
seen one here. So every text in the JSON that is short enough to be a name or an id is taken as a digest; the tally
knows which of them are a key's name or a workspace's id, name or slug. The others mean nothing, and nothing follows
from them. A text that names something in the middle of a sentence is not found.
"""

import json
from collections.abc import Iterator
from typing import Any

from governor.broadcast.messages import digest_of

MOST_TEXTS = 200
"""Texts of one notification. One that is genuine has a few dozen."""
LONGEST = 200
"""Characters of a text that may be a name."""
MOST_VALUES = 5_000
"""Values that are looked at."""


def named(body: bytes) -> tuple[str, ...] | None:
    """Digests of the texts, each once; None where the body is not JSON. Raises nothing: an answer that is no success
    would have OpenRouter stop sending (its guide, "Where an alert goes")."""
    try:
        document = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return None
    found: dict[str, None] = {}
    for text in _texts(document):
        if 0 < len(text) <= LONGEST:
            found[digest_of(text)] = None
        if len(found) == MOST_TEXTS:
            break
    return tuple(found)


def _texts(document: Any) -> Iterator[str]:
    """Texts in the order of their depth, so that what a deep payload adds crowds out nothing above it."""
    level = [document]
    looked_at = 0
    while level:
        below: list[Any] = []
        for value in level:
            looked_at += 1
            if looked_at > MOST_VALUES:
                return
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
        level = below
