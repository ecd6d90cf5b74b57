"""Contents, a catalogue and answers to judge."""

from typing import Any

from management_api import ChatCompletion
from preset_promotion.catalogue import Catalogue, Listed
from preset_promotion.content import Content

CHEAP, DEAR = "anthropic/claude-haiku-4.5", "anthropic/claude-sonnet-4.5"
TAKES = frozenset({"temperature", "max_tokens", "tools", "response_format"})
CATALOGUE = Catalogue(
    {CHEAP: Listed(1.0, 5.0, TAKES), DEAR: Listed(3.0, 15.0, TAKES), "router/auto": Listed(None, None)}
)


def content(prompt: str | None = "Sort tickets.", **config: Any) -> Content:
    return Content(prompt, {"model": CHEAP, **config})


def completion(
    text: Any = "", *, finish_reason: str = "stop", refusal: str | None = None, **usage: Any
) -> ChatCompletion:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    counted = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **usage}
    choice = {"index": 0, "finish_reason": finish_reason, "message": message}
    return ChatCompletion.model_validate({"id": "g", "model": CHEAP, "choices": [choice], "usage": counted})
