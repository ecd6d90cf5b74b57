"""What OpenRouter refuses of a guardrail that is to be written."""

import re
from typing import Any

from sandbox.openrouter.refusals import Refusal, invalid

_UNSUPPORTED = re.compile(r"\(\?(?:=|!|<=|<!)|\\[1-9]")
"""Lookarounds and backreferences: an engine that runs in linear time has neither."""


def check_rules(rules: dict[str, Any]) -> None:
    """Raises a 400 on a limit without an interval, and on a content filter whose pattern cannot be run."""
    if rules.get("limit_usd") is not None and rules.get("reset_interval") is None:
        raise invalid("reset_interval is required when limit_usd is set")
    for each in rules.get("content_filters") or ():
        pattern = str(each.get("pattern", ""))
        if _UNSUPPORTED.search(pattern) or not _compiles(pattern):
            raise Refusal(
                400, "Invalid regex pattern in content_filters", metadata={"error_type": "invalid_regex_pattern"}
            )


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
