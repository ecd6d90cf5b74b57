"""The client: one credential, one connection pool, every call."""

from collections.abc import Iterable, Mapping
from datetime import date as Date
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from management_api._answers import many, one, whole
from management_api._call import Body, Call
from management_api._listing import list_all
from management_api._models.analytics import ActivityItem, Credits
from management_api._models.inference import ChatCompletion, Generation, Model, Provider
from management_api._models.keys import CurrentKey
from management_api._resources import (
    Analytics,
    Byok,
    Destinations,
    Guardrails,
    Keys,
    Organization,
    Presets,
    Workspaces,
)
from management_api._retry import Deadline, Pace, Retry
from management_api._sweep import WorkspaceReading, read_account
from management_api._transport import Transport

BASE_URL = "https://openrouter.ai/api/v1"


class OpenRouter:
    """OpenRouter's API under one key. Synchronous; shared by threads; one per process, since it owns a connection pool.

    `api_key`: a management key for everything but inference and presets, which take an inference key.
    `base_url`: also `https://eu.openrouter.ai/api/v1` and `https://us...`. `transport`: another way to the far side,
    such as `httpx.MockTransport`. `pacing`: the account's pace, shared with other clients; None sends at will.
    Raises `AuthenticationFailed` for a key that could not travel in a header, and `ValueError` for a bad `base_url`.
    """

    def __init__(
        self,
        api_key: SecretStr,
        *,
        base_url: str = BASE_URL,
        transport: httpx.BaseTransport | None = None,
        retry: Retry | None = None,
        pacing: Pace | None = None,
    ) -> None:
        url = httpx.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise ValueError(f"base_url must be http(s)://host/path without credentials, not scheme {url.scheme!r}")
        # Proxies from the environment are not used: the key must go where base_url says and nowhere else.
        inner = transport or httpx.HTTPTransport()
        self._bind(Transport(inner, api_key, base_url=base_url, retry=retry or Retry(), pacing=pacing))

    def _bind(self, transport: Transport) -> None:
        self._transport = transport
        self.keys = Keys(transport)
        self.workspaces = Workspaces(transport)
        self.organization = Organization(transport)
        self.guardrails = Guardrails(transport)
        self.byok = Byok(transport)
        self.destinations = Destinations(transport)
        self.analytics = Analytics(transport)
        self.presets = Presets(transport)

    def within(self, deadline: Deadline) -> "OpenRouter":
        """A cheap copy on the same pool, every call of which ends by `deadline`: it waits, retries and reads no longer.

        A write that runs out of time while under way is `OutcomeUnknown`; one that was not begun is `Unavailable`.
        """
        return self._copy(self._transport.within(deadline))

    def with_key(self, api_key: SecretStr) -> "OpenRouter":
        """A cheap copy on the same pool under another key, to ask `current_key` of it."""
        return self._copy(self._transport.with_key(api_key))

    def read_account(self, workspace_ids: Iterable[str], *, concurrency: int = 8) -> dict[str, WorkspaceReading]:
        """Every key of every workspace, by workspace id: `Read` whole, or `Unknown` and why. `concurrency` bounds the
        requests under way, and the threads.

        Raises `AuthenticationFailed` when the key itself is refused (401).
        """
        return read_account(self._transport, workspace_ids, concurrency)

    def current_key(self) -> CurrentKey:
        """The key that asks, with every budget that could block it. Free of charge: the proof that a key works."""
        return self._transport.send(Call("GET", "/key", one(CurrentKey), management=False))

    def credits(self) -> Credits:
        return self._transport.send(Call("GET", "/credits", one(Credits)))

    def activity(
        self,
        *,
        date: Date | None = None,
        api_key_hash: str | None = None,
        workspace_id: str | None = None,
        group_by: str | None = None,
    ) -> list[ActivityItem]:
        """Completed UTC days only, the last 30, by model and endpoint. `date` picks one of them.

        `group_by="workspace"`: each row's `workspace_id` is given, and rows are split by it.
        """
        given = {
            "date": date and date.isoformat(),
            "api_key_hash": api_key_hash,
            "workspace_id": workspace_id,
            "group_by": group_by,
        }
        query = {name: value for name, value in given.items() if value}
        return self._transport.send(Call("GET", "/activity", many(ActivityItem), query=query))

    def models(self) -> list[Model]:
        return list_all(self._transport, "/models", many(Model), management=False, page_size=1000)

    def providers(self) -> list[Provider]:
        """Every provider that OpenRouter routes to."""
        return self._transport.send(Call("GET", "/providers", many(Provider), management=False))

    def generation(self, id: str) -> Generation:
        return self._transport.send(Call("GET", "/generation", one(Generation), query={"id": id}, management=False))

    def chat(self, request: Mapping[str, Any], *, metadata: bool = False) -> ChatCompletion:
        """One chat completion, sent once: it costs money, and a probe wants the first answer.

        `metadata` asks how it was routed. A lost answer is `Unavailable`, and may have cost. The answer never comes
        from OpenRouter's response cache, whatever a preset says: a cached one proves nothing about who would serve now
        (https://openrouter.ai/docs/guides/features/response-caching).
        """
        headers = {"X-OpenRouter-Cache": "false"}
        if metadata:
            headers["X-OpenRouter-Metadata"] = "enabled"
        call = Call(
            "POST",
            "/chat/completions",
            whole(ChatCompletion),
            body=Body({**request, "stream": False}),
            headers=headers,
            effect="inference",
            management=False,
        )
        return self._transport.send(call)

    def close(self) -> None:
        """Closes the pool, also for copies."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OpenRouter({self._transport.base_url!r})"

    @staticmethod
    def _copy(transport: Transport) -> "OpenRouter":
        other = object.__new__(OpenRouter)
        other._bind(transport)
        return other
