"""The simulated account behind OpenRouter's HTTP API, and a server for it."""

import contextlib
from collections.abc import Iterator
from functools import cached_property

from fastapi import FastAPI

from sandbox.openrouter.app import create_app
from sandbox.openrouter.server import serve
from sandbox.openrouter.simulated import SimulatedAccount


class Simulator(SimulatedAccount):
    """`SimulatedAccount` that is served, over HTTP or in process."""

    @cached_property
    def app(self) -> FastAPI:
        """The ASGI application, for whoever needs no server."""
        return create_app(self)

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve on the loopback interface; yields the API's base URL."""
        with serve(self.app, port) as bound:
            yield f"http://localhost:{bound}/api/v1"
