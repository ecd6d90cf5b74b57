"""Takes secrets out of texts that came from elsewhere, and keeps those texts short."""

import re
from collections.abc import Iterable

from redaction import REDACTED, redact

MAX_LENGTH = 300
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]+")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` on one line, cut to `MAX_LENGTH`, without any of `secrets` or anything shaped like a credential."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    text = _UNPRINTABLE.sub(" ", redact(text))
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"
