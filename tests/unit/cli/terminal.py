"""The command line in a test's hands: every command, over the simulator in process, with a clock that stands."""

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import typer
from typer.testing import CliRunner

from cli.main import build
from cli.session import KEY_VARIABLE, Outside
from management_api import Retry
from sandbox.openrouter import Simulator

MANAGEMENT = "sk-or-v1-fake-management"
NOW = 1_795_000_000.0
"""Wednesday 2026-11-18 11:06:40 UTC."""


class InProcess(httpx.BaseTransport):
    """The simulator without a socket. Shared by threads, one request at a time. `hosts`: who was asked."""

    def __init__(self, app: Any) -> None:
        self._app = httpx.ASGITransport(app)
        self._lock = threading.Lock()
        self.hosts: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(request.url.host)
        with self._lock:
            return asyncio.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Unreachable(httpx.BaseTransport):
    """A machine without a network."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known")


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Terminal:
    """Runs commands. `environment`: what the process would have in `os.environ`; the management key is in it."""

    simulator: Simulator
    app: typer.Typer = field(default_factory=build)
    environment: Mapping[str, str] = field(default_factory=lambda: {KEY_VARIABLE: MANAGEMENT})
    outside: Outside = field(default_factory=Outside)

    def __post_init__(self) -> None:
        self.transport = InProcess(self.simulator.app)
        self.outside = replace(
            self.outside,
            transport=self.outside.transport or self.transport,
            now=lambda: datetime.fromtimestamp(self.simulator.clock.now(), UTC),
            retry=Retry(sleep=lambda _: None),
        )

    def run(self, *arguments: object, **outside: Any) -> Ran:
        """`outside`: fields of `Outside` that are other than usual in this run."""
        given = replace(self.outside, environment=self.environment, **outside)
        result = CliRunner().invoke(self.app, [str(one) for one in arguments], obj=given, env={"COLUMNS": "80"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)
