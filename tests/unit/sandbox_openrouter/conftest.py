"""The simulator in process: no socket, a clock that tests move."""

from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import pytest

from sandbox.openrouter import Simulator
from sandbox.openrouter.catalogue import PROVIDERS

MANAGEMENT = "sk-or-v1-fake-management"
NOW = 1_795_000_000.0
"""Wednesday 2026-11-18 11:06:40 UTC."""
DAY = 86_400.0


@dataclass
class Api:
    """The API called as a client would, in process."""

    simulator: Simulator

    def call(self, method: str, path: str, *, key: str | None = MANAGEMENT, **request: Any) -> httpx.Response:
        headers = request.pop("headers", {}) | ({} if key is None else {"Authorization": f"Bearer {key}"})

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.simulator.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
                prefix = "" if path.startswith("/_sim") else "/api/v1"
                return await client.request(method, prefix + path, headers=headers, **request)

        return anyio.run(send)

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.call("GET", path, **request)

    def post(self, path: str, json: Any, **request: Any) -> httpx.Response:
        return self.call("POST", path, json=json, **request)

    def patch(self, path: str, json: Any, **request: Any) -> httpx.Response:
        return self.call("PATCH", path, json=json, **request)

    def put(self, path: str, json: Any, **request: Any) -> httpx.Response:
        return self.call("PUT", path, json=json, **request)

    def delete(self, path: str, **request: Any) -> httpx.Response:
        return self.call("DELETE", path, **request)

    def chat(
        self, key: str, *, model: str = "anthropic/claude-haiku-4.5", text: str = "hi", **body: Any
    ) -> httpx.Response:
        messages = [{"role": "user", "content": text}]
        headers = {"X-OpenRouter-Metadata": "enabled"}
        return self.post("/chat/completions", {"model": model, "messages": messages, **body}, key=key, headers=headers)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(MANAGEMENT, clock=lambda: NOW, seed=3)


@pytest.fixture
def api(simulator: Simulator) -> Api:
    return Api(simulator)


@pytest.fixture
def key(simulator):
    return simulator.create_key("prod-search-agent")


@pytest.fixture
def credential(api):
    """Makes one of this provider; answers its id."""

    def make(provider, **fields):
        answer = api.post("/byok", {"provider": provider, "key": "fake-raw-key", **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["id"]

    return make


@pytest.fixture
def order(simulator, api, key):
    """Every endpoint that a request tries when all fail, as (provider, whether BYOK)."""

    def of(model="anthropic/claude-haiku-4.5", caller=key[1], **preferences):
        for provider in PROVIDERS:
            simulator.trouble(provider=provider, status=503)
        answer = api.chat(caller, model=model, provider=preferences)
        assert answer.status_code in (503, 404)
        if answer.status_code == 404:
            return []
        generation = api.get(f"/generation?id={answer.headers['X-Generation-Id']}").json()["data"]
        return [(each["provider_name"], each["is_byok"]) for each in generation["provider_responses"]]

    return of
