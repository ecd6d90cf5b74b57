"""The far side of the unit tests: keys as OpenRouter sends them, a clock that moves by sleeping, a fake credential."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from management_api import OpenRouter

SECRET = "sk-or-v1-fake-management-key"

ClientOf = Callable[..., OpenRouter]
"""The fixture `client_of`."""


CHAT = {
    "id": "gen-1", "model": "a/b", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.01, "is_byok": True},
    "openrouter_metadata": {"is_byok": True, "attempt": 1, "attempts": [{"provider": "X", "status": 200}]},
}  # fmt: skip
"""An answered chat request, with its routing."""

ROWS = {"data": {"data": [{"total_usage": "1.50", "request_count": 3}], "metadata": {"truncated": True}}}
"""An answered question to analytics: counts as strings and as numbers."""


class Sleeper:
    """A clock that moves only by sleeping on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Recorder:
    """Answers everything with one body and keeps the last request."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self._body = body
        self._status = status
        self.request = httpx.Request("GET", "https://nothing.asked")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        return httpx.Response(self._status, json=self._body)

    @property
    def sent(self) -> Any:
        return json.loads(self.request.content) if self.request.content else None


class Account:
    """`GET /keys` over lists of keys by workspace, 100 a page; `fault` may answer in its stead."""

    def __init__(self, workspaces: dict[str, list[dict[str, Any]]]) -> None:
        self.workspaces = workspaces
        self.asked: list[tuple[str, int]] = []

    def fault(self, workspace_id: str, offset: int) -> httpx.Response | None:
        return None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        workspace_id, offset = request.url.params["workspace_id"], int(request.url.params["offset"])
        self.asked.append((workspace_id, offset))
        return self.fault(workspace_id, offset) or httpx.Response(
            200, json={"data": self.workspaces[workspace_id][offset : offset + 100]}
        )


def error_json(status: int, message: str = "no", error_type: str | None = None, **headers: str) -> httpx.Response:
    """An error as OpenRouter sends it."""
    metadata = {"metadata": {"error_type": error_type}} if error_type else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": {"code": status, "message": message, **metadata}}, headers=named)


def key_json(number: int, **changes: Any) -> dict[str, Any]:
    """A key as OpenRouter sends it."""
    return {
        "hash": f"{number:064x}",
        "name": f"prod-team-{number}",
        "label": "sk-or-v1-abc...123",
        "disabled": False,
        "limit": 100,
        "limit_remaining": 74.5,
        "limit_reset": "monthly",
        "include_byok_in_limit": False,
        "usage": 25.5,
        "usage_daily": 1.5,
        "usage_weekly": 2.5,
        "usage_monthly": 25.5,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "created_at": "2026-08-24T10:30:00Z",
        "updated_at": "2026-08-24T15:45:00Z",
        "last_used_at": None,
        "expires_at": "2027-12-31T23:59:59Z",
        "creator_user_id": "user_2dHFtVWx2n56w6HkM0000000000",
        "external_user": None,
        "workspace_id": "ws-1",
        **changes,
    }
