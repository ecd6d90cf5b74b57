"""The Slack simulator in one object: served over HTTP, controlled and read in process or under `/_sim/`."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from sandbox.slack.app import SlackApi, create_app
from sandbox.slack.faults import Fault
from sandbox.slack.transcript import conversation, transcript
from sandbox.slack.workspace import Channel, Workspace


def _machine_clock() -> datetime:
    return datetime.now(UTC)


class SlackSimulator:
    """A workspace with one app, whose bot token is `token`, in the given channels (id to name)."""

    def __init__(
        self,
        token: str,
        clock: Callable[[], datetime] = _machine_clock,
        *,
        channels: dict[str, str] | None = None,
        rate_limited: bool = False,
    ) -> None:
        self._clock = clock
        self._frozen: datetime | None = None
        self.workspace = Workspace(self._now, channels or {"C0GOVERNOR": "governor"})
        self.api = SlackApi(self.workspace, token, rate_limited=rate_limited)
        self.app = create_app(self.api)
        _add_controls(self.app, self)

    def _now(self) -> datetime:
        return self._frozen or self._clock()

    def set_clock(self, now: datetime | None) -> None:
        """Let every message from here on be said at `now`; None returns to the clock it was made with."""
        self._frozen = now

    def channel(self, channel: str) -> Channel:
        """The channel's state, to read or to arrange (`is_member`, `is_archived`)."""
        return self.workspace.channels[channel]

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Parents, oldest first, each with its `replies`, after all updates."""
        return conversation(self.channel(channel))

    def transcript(self, channel: str) -> str:
        """The channel in plain text, as a person reads it."""
        return transcript(self.channel(channel))

    def fault(self, method: str, kind: Any, **more: Any) -> None:
        """Make calls of a method fail; see `sandbox.slack.faults.Fault`."""
        self.api.faults.add(Fault(method, kind, **more))

    def say(self, channel: str, user: str, text: str) -> str:
        """A person says something; returns its `ts`."""
        said = self.workspace.say(self.channel(channel), {"user": user, "text": text}, thread_ts=None, broadcast=False)
        return str(said["ts"])

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
            try:
                yield f"http://localhost:{listener.getsockname()[1]}/api/"
            finally:
                server.should_exit = True
                thread.join()


def _add_controls(app: FastAPI, simulator: SlackSimulator) -> None:
    @app.get("/_sim/messages")
    async def messages(channel: str = "C0GOVERNOR") -> Response:
        return JSONResponse({"messages": simulator.messages(channel)})

    @app.get("/_sim/transcript")
    async def read_transcript(channel: str = "C0GOVERNOR") -> Response:
        return PlainTextResponse(simulator.transcript(channel))

    @app.get("/_sim/faults")
    async def standing() -> Response:
        return JSONResponse({"faults": simulator.api.faults.standing()})

    @app.post("/_sim/faults")
    async def add_fault(request: Request) -> Response:
        simulator.api.faults.add(Fault(**await request.json()))
        return JSONResponse({"faults": simulator.api.faults.standing()})

    @app.delete("/_sim/faults")
    async def clear_faults() -> Response:
        simulator.api.faults.clear()
        return JSONResponse({"faults": []})

    @app.post("/_sim/clock")
    async def clock(request: Request) -> Response:
        now = (await request.json())["now"]
        simulator.set_clock(datetime.fromisoformat(now) if now else None)
        return JSONResponse({"now": now})

    @app.exception_handler(KeyError)
    async def unknown(_request: Request, error: KeyError) -> Response:
        return JSONResponse({"error": f"unknown: {error}"}, 404)

    @app.exception_handler(TypeError)
    @app.exception_handler(ValueError)
    async def malformed(_request: Request, error: ValueError) -> Response:
        return JSONResponse({"error": str(error)}, 400)
