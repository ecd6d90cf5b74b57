"""`/_sim/...`: the clock, faults, traffic, latency, scripts and provider trouble; and what is to be read.

Needs no key. Nothing here ever answers a plaintext.
"""

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from sandbox.openrouter.refusals import Refusal
from sandbox.openrouter.scripts import Script
from sandbox.openrouter.simulated import SimulatedAccount
from sandbox.openrouter.traffic import Spent


def add_controls(app: FastAPI, simulator: SimulatedAccount) -> None:
    _add_readings(app, simulator)
    _add_faults(app, simulator)
    _add_troubles(app, simulator)
    _add_settings(app, simulator)
    _add_members(app, simulator)
    _add_errors(app)


def _add_readings(app: FastAPI, simulator: SimulatedAccount) -> None:
    @app.get("/_sim/state")
    async def state() -> Response:
        with simulator.lock:
            return JSONResponse(simulator.state())

    @app.get("/_sim/requests")
    async def requests() -> Response:
        with simulator.lock:
            return JSONResponse({"requests": [asdict(each) for each in simulator.requests]})

    @app.get("/_sim/deliveries")
    async def delivered() -> Response:
        return JSONResponse({"deliveries": [asdict(each) for each in simulator.broadcaster.delivered]})


def _add_faults(app: FastAPI, simulator: SimulatedAccount) -> None:
    @app.get("/_sim/faults")
    async def standing() -> Response:
        with simulator.lock:
            return JSONResponse({"faults": simulator.faults.view()})

    @app.post("/_sim/faults")
    async def add_faults(request: Request) -> Response:
        asked = await request.json()
        if not isinstance(asked, list):
            raise ValueError("send a list of faults")
        for each in asked:
            simulator.fault(**each)
        return await standing()

    @app.delete("/_sim/faults")
    async def clear_faults() -> Response:
        with simulator.lock:
            simulator.faults.clear()
        return JSONResponse({"faults": []})


def _add_troubles(app: FastAPI, simulator: SimulatedAccount) -> None:
    @app.get("/_sim/trouble")
    async def troubles() -> Response:
        """Those that are set: of credentials by id, of providers by slug."""
        with simulator.lock:
            return JSONResponse(simulator.troubles())

    @app.post("/_sim/trouble")
    async def trouble(request: Request) -> Response:
        """`{"credential": id or name, "trouble": kind or null, ...}`, for the rest see `sandbox.openrouter.troubles`;
        or `{"provider": slug, "status": code or null}`.
        """
        asked = await request.json()
        if not {"credential", "provider"} & asked.keys():
            raise ValueError("name a credential or a provider")
        simulator.trouble(**asked)
        return await troubles()

    @app.delete("/_sim/trouble")
    async def end() -> Response:
        simulator.end_troubles()
        return await troubles()


def _add_settings(app: FastAPI, simulator: SimulatedAccount) -> None:
    @app.post("/_sim/clock")
    async def clock(request: Request) -> Response:
        """`{"now": epoch seconds}` or `{"advance": seconds}`."""
        asked = await request.json()
        with simulator.lock:
            simulator.clock.set(asked["now"] if "now" in asked else simulator.clock.now() + asked["advance"])
            return JSONResponse({"now": simulator.clock.now()})

    @app.post("/_sim/latency")
    async def latency(request: Request) -> Response:
        simulator.latency = float((await request.json())["seconds"])
        return JSONResponse({"seconds": simulator.latency})

    @app.post("/_sim/analytics-cache")
    async def analytics_cache(request: Request) -> Response:
        """`{"seconds"}`: for how long a question to analytics gets the answer that it got before; 0 ends it."""
        with simulator.lock:
            simulator.organization.analytics_cache_seconds = float((await request.json())["seconds"])
            return JSONResponse({"seconds": simulator.organization.analytics_cache_seconds})

    @app.post("/_sim/traffic")
    async def traffic(request: Request) -> Response:
        """`[{"key_hash", "usd", ...}]`, see `Simulator.spend`; answers what became of each."""
        return JSONResponse({"spent": [_spent(simulator.spend(**each)) for each in await request.json()]})

    @app.post("/_sim/scripts")
    async def scripts(request: Request) -> Response:
        """`[{"text", "model"?, "prompt"?, "system"?}]` replaces the scripted replies."""
        with simulator.lock:
            simulator.organization.scripts = [Script(**each) for each in await request.json()]
        return JSONResponse({"scripts": len(simulator.organization.scripts)})

    @app.post("/_sim/lost-fields")
    async def lost_fields(request: Request) -> Response:
        """`["temperature", ...]`: what saved presets lose from now on; `[]` ends it."""
        names = await request.json()
        simulator.lose_fields(*names)
        return JSONResponse({"lost_fields": sorted(names)})

    @app.post("/_sim/test-connection")
    async def test_connection(request: Request) -> Response:
        """`{"destination": id}`: what pressing Test Connection sends."""
        simulator.test_connection((await request.json())["destination"])
        return JSONResponse({"ok": True})


def _add_members(app: FastAPI, simulator: SimulatedAccount) -> None:
    @app.post("/_sim/members")
    async def members(request: Request) -> Response:
        asked = await request.json()
        with simulator.lock:
            for user in asked.get("join", ()):
                simulator.organization.members[user] = "org:member"
            for user in asked.get("leave", ()):
                simulator.organization.remove_member(user)
            return JSONResponse({"members": sorted(simulator.organization.members)})


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(_request: Request, refusal: Refusal) -> Response:
        return JSONResponse(refusal.body(), refusal.status)

    @app.exception_handler(TypeError)
    @app.exception_handler(ValueError)
    @app.exception_handler(KeyError)
    async def misused(request: Request, error: Exception) -> Response:
        # On the API's own routes these are faults of the simulator, not of its caller.
        if not request.url.path.startswith("/_sim/"):
            raise error
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)


def _spent(spent: Spent) -> dict[str, Any]:
    refusal = spent.refusal.body()["error"] if spent.refusal else None
    return {"accepted_usd": spent.accepted_usd, "requests": spent.requests, "refusal": refusal}
