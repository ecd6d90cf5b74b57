"""The simulator under `/_sim/`: read the channel, make calls fail, and do what people do."""

from datetime import datetime

import httpx
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from sandbox.slack.faults import Fault
from sandbox.slack.interactions import NothingThere, Sent
from sandbox.slack.simulated import SimulatedSlack


def add_controls(app: FastAPI, simulator: SimulatedSlack) -> None:
    """Adds what a person with curl needs."""
    _people(app, simulator)

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


def _people(app: FastAPI, simulator: SimulatedSlack) -> None:
    # In a thread of their own: what these send may come back to this very server before they answer.
    @app.post("/_sim/connect")
    async def connect(request: Request) -> Response:
        wanted = await request.json()
        simulator.connect(wanted["url"], wanted["signing_secret"])
        return JSONResponse({"url": wanted["url"]})

    @app.post("/_sim/click")
    async def click(request: Request) -> Response:
        return _sent(await run_in_threadpool(simulator.click, **await request.json()))

    @app.post("/_sim/command")
    async def command(request: Request) -> Response:
        return _sent(await run_in_threadpool(simulator.command, **await request.json()))

    @app.post("/_sim/submit")
    async def submit(request: Request) -> Response:
        return _sent(await run_in_threadpool(simulator.submit, **await request.json()))

    @app.post("/_sim/people")
    async def person(request: Request) -> Response:
        facts = await request.json()
        simulator.person(**facts)
        return JSONResponse({"user": facts["user"]})

    @app.post("/_sim/installation")
    async def installation(request: Request) -> Response:
        where = await request.json()
        simulator.install(**where)
        return JSONResponse(where)

    @app.get("/_sim/told")
    async def told(user: str) -> Response:
        return JSONResponse({"told": simulator.told(user)})

    @app.exception_handler(NothingThere)
    async def nothing_there(_request: Request, error: NothingThere) -> Response:
        return JSONResponse({"error": str(error)}, 404)

    @app.exception_handler(httpx.TransportError)
    async def unreachable(_request: Request, error: httpx.TransportError) -> Response:
        return JSONResponse({"error": f"the app does not answer: {error}"}, 502)


def _sent(sent: Sent) -> Response:
    return JSONResponse({"status": sent.status, "answer": sent.answer, "seconds": sent.seconds})
