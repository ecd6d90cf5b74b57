"""The simulator over HTTP: `/api/{method}` as Slack answers it, `/_sim/...` to control it and to read the channel."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from sandbox.slack.faults import Fault, Faults
from sandbox.slack.interactions import People
from sandbox.slack.limits import Refused
from sandbox.slack.methods import METHODS
from sandbox.slack.workspace import Workspace

SCOPES = ("chat:write", "commands", "channels:history", "groups:history", "metadata.message:read", "files:write",
          "users:read")  # fmt: skip
POSTING = {"chat.postMessage", "chat.postEphemeral"}


class SlackApi:
    """The Web API of one workspace: checks the token, suffers the faults, keeps the rate limit, answers."""

    def __init__(self, workspace: Workspace, token: str, *, rate_limited: bool) -> None:
        self.workspace = workspace
        self.people = People(workspace)
        self.faults = Faults()
        self.token = token
        self.rate_limited = rate_limited
        self.scopes = list(SCOPES)
        """What the token has: told with each answer, as Slack does, and not enforced."""
        self._posted_at: dict[str, float] = {}

    async def answer(self, method: str, request: Request) -> Response:
        arguments = await _arguments(request)
        return await self.suffering(method, lambda: self._respond(method, arguments, str(request.base_url)))

    async def suffering(self, method: str, answer: Callable[[], Response]) -> Response:
        """The answer, under whatever fault stands for the method."""
        fault = self.faults.next(method)
        if fault is not None and fault.kind not in {"fail_after", "slow"}:
            return _faulty(fault)
        response = answer()
        if fault is not None and fault.kind == "fail_after":
            return _broken_connection()
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        return response

    def respond(self, id: str, answer: dict[str, Any]) -> Response:
        """A `response_url`: no token; Slack says what is wrong in the body of a 404."""
        try:
            self.people.respond(id, answer)
        except Refused as refused:
            return PlainTextResponse(refused.code, 404)
        return PlainTextResponse("ok")

    def _respond(self, method: str, arguments: dict[str, Any], base_url: str) -> Response:
        if arguments.get("token") != self.token:
            return _refusal(Refused("invalid_auth" if arguments.get("token") else "not_authed"))
        if method not in METHODS:
            return _refusal(Refused("unknown_method", req_method=method))
        wait = self._wait(method, str(arguments.get("channel")))
        if wait:
            return _too_many(wait)
        try:
            answer = METHODS[method](self.workspace, {**arguments, "_base_url": base_url})
        except Refused as refused:
            return _refusal(refused)
        return JSONResponse({"ok": True, **answer}, headers={"X-OAuth-Scopes": ",".join(self.scopes)})

    def _wait(self, method: str, channel: str) -> int:
        """Seconds to wait under "one message per second per channel"; 0 when this call may go on."""
        if not self.rate_limited or method not in POSTING:
            return 0
        now = self.workspace.clock().timestamp()
        if now - self._posted_at.get(channel, 0) < 1:
            return 1
        self._posted_at[channel] = now
        return 0


async def _arguments(request: Request) -> dict[str, Any]:
    """Query, urlencoded form or JSON body, as Slack takes them; the token from the header or among them."""
    arguments: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments |= json.loads(body or b"{}")
    elif body:
        arguments |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme == "Bearer" and token:
        arguments["token"] = token
    for name in ("blocks", "attachments", "metadata"):
        if isinstance(arguments.get(name), str):
            arguments[name] = json.loads(arguments[name])
    return arguments


def _refusal(refused: Refused) -> Response:
    return JSONResponse({"ok": False, "error": refused.code, **refused.extra})


def _too_many(retry_after: int) -> Response:
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(retry_after)})


def _faulty(fault: Fault) -> Response:
    if fault.kind == "fail_before":
        return _broken_connection()
    if fault.kind == "rate_limited":
        return _too_many(fault.retry_after)
    if fault.kind == "server_error":
        return PlainTextResponse("upstream connect error", 500)
    return _refusal(Refused(fault.error, **fault.extra))


def _broken_connection() -> Response:
    """An answer that stops in the middle: uvicorn closes the connection and the caller cannot know what was done."""

    async def nothing() -> AsyncIterator[bytes]:
        yield b"{"

    return StreamingResponse(nothing(), headers={"Content-Length": "1000"}, media_type="application/json")


def create_app(api: SlackApi) -> FastAPI:
    """The application; served under `/api/` as https://slack.com/api/ is."""
    app = FastAPI(title="Slack simulator", docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route("/api/{method}", methods=["GET", "POST"])
    async def web_api(method: str, request: Request) -> Response:
        return await api.answer(method, request)

    @app.post("/response/{id}")
    async def respond(id: str, request: Request) -> Response:
        answer = await request.json()
        return await api.suffering("response_url", lambda: api.respond(id, answer))

    @app.post("/upload/{file_id}")
    async def upload(file_id: str, request: Request) -> Response:
        file = api.workspace.files.get(file_id)
        if file is None:
            return PlainTextResponse("not found", 404)
        file["content"] = await request.body()
        return PlainTextResponse(f"OK - {len(file['content'])}")

    return app
