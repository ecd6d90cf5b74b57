"""The simulated workspace behind Slack's Web API, controlled and read in process or under `/_sim/`; a server for it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from functools import cached_property

import uvicorn
from fastapi import FastAPI

from sandbox.slack.app import create_app
from sandbox.slack.controls import add_controls
from sandbox.slack.simulated import CHANNEL, SimulatedSlack

__all__ = ["CHANNEL", "SlackSimulator"]


class SlackSimulator(SimulatedSlack):
    """`SimulatedSlack` that is served, over HTTP or in process."""

    @cached_property
    def app(self) -> FastAPI:
        """The ASGI application, for whoever needs no server."""
        app = create_app(self.api)
        add_controls(app, self)
        return app

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve on the loopback interface; yields the Web API's base URL, to be given as `SLACK_API_URL`."""
        with socket.create_server(("127.0.0.1", port)) as listener:
            # asyncio sets this on sockets of an explicit protocol only; without it each answer waits 40 ms for an ACK.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            config = uvicorn.Config(self.app, log_level="critical", access_log=False, lifespan="off")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            origin = f"http://localhost:{listener.getsockname()[1]}/"
            self.api.people.base_url = origin
            try:
                yield f"{origin}api/"
            finally:
                server.should_exit = True
                thread.join()
