"""The management key is read from its secret, and read again when it is said to be old."""

import httpx
import pytest
from pydantic import SecretStr

from governor.account.connection import ManagedAccount
from management_api import Deadline

DEADLINE = Deadline(lambda: 30.0)


class Stored:
    """`Secrets` with one secret, cached until it is read fresh."""

    def __init__(self) -> None:
        self.value = self.cached = "sk-or-v1-fake-old"

    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        assert (name, field) == ("governor/key", "api_key")
        if fresh:
            self.cached = self.value
        return SecretStr(self.cached)


def test_a_replaced_key_is_used_once_it_is_read_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json={"data": [], "total_count": 0})

    monkeypatch.setattr(httpx, "HTTPTransport", lambda: httpx.MockTransport(answer))
    secrets = Stored()
    connect = ManagedAccount(secrets, "governor/key", "https://openrouter.ai/api/v1")
    connect(DEADLINE).workspaces.list()
    secrets.value = "sk-or-v1-fake-new"
    connect(DEADLINE).workspaces.list()
    connect(DEADLINE, fresh=True).workspaces.list()
    connect(DEADLINE).workspaces.list()
    assert [text.rpartition("-")[2] for text in seen] == ["old", "old", "new", "new"]
