"""The handler over doubles, at a fixed instant."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from slack_gateway import handler
from slack_gateway.service import Gateway
from tests.unit.slack_gateway.signing import NOW, Queue, Signature


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`answer(event)` is what the function answers; `queue`, `homes` and `signature` are what it used."""
    signature, queue, homes = Signature(), Queue(), Queue()
    monkeypatch.setattr(handler, "build", lambda: Gateway(signature, queue, homes))
    monkeypatch.setattr(time, "time", lambda: NOW)
    return SimpleNamespace(
        answer=lambda event: handler.lambda_handler(event, None), queue=queue, homes=homes, signature=signature
    )
