"""A completion as server-sent events (vendor: guide on streaming).

A comment that keeps the connection alive, chunks, one with the usage and no choice, and `[DONE]`. A provider that fails
midway ends the stream with a chunk that has an `error`, and a choice that finished with `error`; the status is 200.
"""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.openrouter.generations import Generation

CHARACTERS_A_CHUNK = 40


def events(generation: Generation, whole: dict[str, Any]) -> bytes:
    """`whole`: the completion as it is answered at once."""
    lines = (f"data: {json.dumps(chunk, separators=(',', ':'))}" for chunk in _chunks(generation, whole))
    return "\n\n".join((": OPENROUTER PROCESSING", *lines, "data: [DONE]", "")).encode()


def _chunks(generation: Generation, whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    head = {name: whole[name] for name in ("id", "created", "model", "provider")}
    head["object"] = "chat.completion.chunk"
    text = generation.reply if generation.breaks_after is None else generation.reply[: generation.breaks_after]
    for start in range(0, len(text), CHARACTERS_A_CHUNK):
        yield {**head, "choices": [_choice(text[start : start + CHARACTERS_A_CHUNK], None)]}
    if generation.breaks_after is not None:
        metadata = {"provider_name": whole["provider"], "error_type": "provider_unavailable"}
        error = {"code": 502, "message": "Provider disconnected unexpectedly", "metadata": metadata}
        yield {**head, "error": error, "choices": [_choice("", "error")]}
        return
    yield {**head, "choices": [_choice("", generation.finish_reason)]}
    beside = {"openrouter_metadata": whole["openrouter_metadata"]} if "openrouter_metadata" in whole else {}
    yield {**head, "choices": [], "usage": whole["usage"], **beside}


def _choice(content: str, finish_reason: str | None) -> dict[str, Any]:
    delta = {"role": "assistant", "content": content}
    reasons = {"finish_reason": finish_reason, "native_finish_reason": finish_reason}
    return {"index": 0, "delta": delta, **reasons, "logprobs": None}
