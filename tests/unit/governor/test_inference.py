"""Each secret's inference key on one connection pool; a replaced one is used once it is read fresh."""

import httpx
import pytest
from pydantic import SecretStr

from governor.account.inference import InferenceKeys
from management_api import Deadline

DEADLINE = Deadline(lambda: 30.0)


class Stored:
    """`Secrets` whose values are the names themselves; fresh ones say so."""

    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        assert field == "api_key"
        return SecretStr(f"{name}-{'new' if fresh else 'old'}")


def test_each_secret_asks_with_its_own_key_on_one_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    pools: list[httpx.MockTransport] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json={"data": [], "total_count": 0})

    def pool() -> httpx.MockTransport:
        pools.append(httpx.MockTransport(answer))
        return pools[-1]

    monkeypatch.setattr(httpx, "HTTPTransport", pool)
    connect = InferenceKeys(Stored(), "https://openrouter.ai/api/v1")
    staging, production = connect("staging", DEADLINE), connect("production", DEADLINE)
    staging.presets.list()
    production.presets.list()
    connect("staging", DEADLINE, fresh=True).presets.list()
    staging.presets.list()
    assert seen == ["Bearer staging-old", "Bearer production-old", "Bearer staging-new", "Bearer staging-old"]
    assert len(pools) == 1
