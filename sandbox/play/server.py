"""The page over HTTP, on the loopback interface only: static files, the snapshot as server-sent events, and orders.

A page of another site can reach 127.0.0.1 through a visitor's browser, under its own origin or under a name that it
points here (DNS rebinding). So the Host must be ours on every request, and an order needs our Origin and a JSON body.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.play import records, slack_view
from sandbox.play.driver import Busy, Driver
from sandbox.play.orders import Order, Refused, carry_out
from sandbox.play.snapshot import Board, Full
from sandbox.play.troubles import Stage

STATIC = Path(__file__).with_name("static")
MOST_BODY = 64_000
"""Bytes of an order."""
ALIVE_SECONDS = 15.0
"""Between two signs of life on a stream that has nothing to say."""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(stage: Stage, driver: Driver, board: Board) -> FastAPI:
    """The application. Everything that touches the world is done in the driver's thread."""
    app = FastAPI(title="Governor, alive", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard)

    @app.get("/api/stream")
    async def stream(request: Request) -> Response:
        return StreamingResponse(_events(board), media_type="text/event-stream")

    @app.post("/api/do")
    async def do(order: Annotated[Order, Body()]) -> Response:
        done = driver.order(lambda: carry_out(order, stage, driver))
        return JSONResponse(await asyncio.wrap_future(done))

    @app.get("/api/events/{id}")
    async def behind(id: str) -> Response:
        found = await asyncio.wrap_future(driver.order(lambda: records.behind(stage.world, id)))
        return JSONResponse(found) if found else _refusal(404, "there is no event of this id")

    @app.get("/api/files/{id}")
    async def file(id: str) -> Response:
        found = await asyncio.wrap_future(driver.order(lambda: slack_view.file(stage.world, id)))
        return Response(found[0], media_type=found[1]) if found else _refusal(404, "there is no file of this id")

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return _refusal(409, str(error))

    @app.exception_handler(Busy)
    @app.exception_handler(Full)
    async def busy(_request: Request, error: Exception) -> Response:
        return _refusal(503, str(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> Response:
        return _refusal(400, "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()))

    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return app


class Guard:
    """Asks of every request who it is from, and gives every answer the headers above."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        problem = _problem(Request(scope)) if scope["type"] == "http" else None
        await (problem or self._app)(scope, receive, send_guarded)


def _problem(request: Request) -> Response | None:
    port = (request.scope.get("server") or ("", 0))[1]
    ours = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
    if request.headers.get("host") not in ours:
        return _refusal(403, "this page is served to 127.0.0.1 and localhost only")
    if request.method in ("GET", "HEAD"):
        return None
    if request.headers.get("origin") not in {f"http://{one}" for one in ours}:
        return _refusal(403, "an order is taken from this page only")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return _refusal(415, "an order is JSON")
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MOST_BODY:
        return _refusal(413, f"an order has at most {MOST_BODY} bytes, and says how many")
    return None


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)


async def _events(board: Board) -> AsyncIterator[str]:
    loop, woken, revision = asyncio.get_running_loop(), asyncio.Event(), 0

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    with board.listening(wake):
        while True:
            woken.clear()
            revision, parts = board.since(revision)
            if parts:
                yield f"data: {parts}\n\n"
            try:
                await asyncio.wait_for(woken.wait(), ALIVE_SECONDS)
            except TimeoutError:
                yield ": alive\n\n"
