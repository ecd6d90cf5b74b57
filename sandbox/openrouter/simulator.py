"""The simulated account behind OpenRouter's HTTP API, and a server for it."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sandbox.openrouter.app import create_app
from sandbox.openrouter.server import serve
from sandbox.openrouter.simulated import SimulatedAccount


class Simulator(SimulatedAccount):
    """Takes what `SimulatedAccount` takes. `app`: the ASGI application, for whoever needs no server."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.app = create_app(self)

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve on the loopback interface; yields the API's base URL."""
        with serve(self.app, port) as bound:
            yield f"http://localhost:{bound}/api/v1"
