"""Governor's mark in a BYOK credential's name: that Governor disabled it, and for what.

OpenRouter does not say who disabled a credential, and a write whose answer was lost leaves nobody the wiser. The mark
goes in with the same PATCH as `disabled`, so the credential itself tells: a person who disables one leaves no mark, and
one who wants a credential of Governor's to stay disabled takes the mark off.
"""

import re

MAX_NAME = 255
_MARK = re.compile(r" ?\[Governor: ([a-z]+) ([0-9a-f]{8})\]$")


def marked(name: str | None, cause: str, token: str) -> str:
    """The name with the mark; cut where it would be longer than OpenRouter takes."""
    mark = f"[Governor: {cause} {token[:8]}]"
    plain = unmarked(name)
    return f"{plain[: MAX_NAME - len(mark) - 1]} {mark}" if plain else mark


def unmarked(name: str | None) -> str | None:
    """The name as people gave it; None for none."""
    return _MARK.sub("", name) or None if name else None


def mark_of(name: str | None) -> tuple[str, str] | None:
    """The cause and the token of the mark; None where there is none."""
    found = _MARK.search(name or "")
    return (found[1], found[2]) if found else None
