"""Chats through LiteLLM, in an environment of its own, and prints what came of each request as JSON.

Standard input: `{name: arguments of litellm.completion}`. Connections to anything but this machine are refused, so
that LiteLLM works without what it would fetch.
"""

import json
import os
import socket
import sys
from typing import Any
from unittest import mock

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
_connect = socket.socket.connect


def _connected(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"refused: {address} is not this machine")
    _connect(self, address)


mock.patch.object(socket.socket, "connect", _connected).start()

import litellm  # noqa: E402 - after its settings


def _answer(arguments: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {"text": ""}
    try:
        answer = litellm.completion(num_retries=0, max_retries=0, **arguments)
        if not arguments.get("stream"):
            return _said(answer.choices[0].message.content, answer)
        for chunk in answer:
            if chunk.choices:
                read["text"] += chunk.choices[0].delta.content or ""
                read["finish"] = chunk.choices[0].finish_reason or read.get("finish")
            if getattr(chunk, "usage", None):
                read["tokens"] = chunk.usage.total_tokens
    except Exception as error:  # noqa: BLE001 - which class it is is what is asked
        read["error"] = type(error).__name__
        read["status"] = getattr(error, "status_code", None)
    return read


def _said(text: str, answer: Any) -> dict[str, Any]:
    usage = answer.usage
    return {"text": text, "model": answer.model, "tokens": usage.total_tokens, "cost": getattr(usage, "cost", None)}


asked = json.load(sys.stdin)
json.dump({name: _answer(arguments) for name, arguments in asked.items()}, sys.stdout)
