"""The HTTP edge: authentication, faults, latency, the request log, and errors in the vendor's envelope."""

import asyncio
import json
from ipaddress import ip_address
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from sandbox.openrouter.calls import Call, Route
from sandbox.openrouter.faults import Fault
from sandbox.openrouter.identities import hash_of
from sandbox.openrouter.keys import Key
from sandbox.openrouter.refusals import Refusal
from sandbox.openrouter.routes import ROUTES
from sandbox.openrouter.routes.controls import add_controls
from sandbox.openrouter.simulated import Logged, SimulatedAccount
from sandbox.openrouter.traffic import unusable

PREFIX = "/api/v1"


class Unanswered(Exception):
    """The connection is to be closed without an answer."""


def create_app(simulator: SimulatedAccount) -> FastAPI:
    app = FastAPI(title="OpenRouter simulator", openapi_url=None)
    for route in ROUTES:
        app.add_api_route(PREFIX + route.path, _endpoint(simulator, route), methods=[route.method])
    add_controls(app, simulator)

    @app.exception_handler(HTTPException)
    async def no_such_route(_request: Request, error: HTTPException) -> Response:
        refusal = Refusal(error.status_code, error.detail)
        return Response(json.dumps(refusal.body()), refusal.status, media_type="application/json")

    return app


def _endpoint(simulator: SimulatedAccount, route: Route) -> Any:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        if simulator.latency:
            await asyncio.sleep(simulator.latency)
        path, query = request.url.path.removeprefix(PREFIX), request.url.query
        with simulator.lock:
            struck = simulator.faults.striking(route.method, route.path, f"{path}?{query}" if query else path)
            fault, snapshot = struck or (None, None)
            try:
                status, body, headers = _answer(simulator, route, request, raw, fault, snapshot)
            except Unanswered:
                status, body, headers = 0, b"", {}
            key_hash = _caller_hash(simulator, request)
            simulator.requests.append(Logged(simulator.clock.now(), route.method, path, query, status, key_hash))
            if route.method != "GET" and route.access == "management":
                simulator.on_write()
        if fault and fault.mode == "slow":
            await asyncio.sleep(fault.seconds)
        if not status:
            return await _hang_up(request)
        # Broadcast comes after the answer, as the vendor's does.
        after = BackgroundTask(simulator.flush) if simulator.organization.outbox else None
        return Response(body, status, headers, headers.get("Content-Type", "application/json"), after)

    return endpoint


def _answer(
    simulator: SimulatedAccount, route: Route, request: Request, raw: bytes, fault: Fault | None, snapshot: Any
) -> tuple[int, bytes, dict[str, str]]:
    try:
        if fault and fault.spares_the_effect:
            raise fault.refusal() or Unanswered
        key = _authenticate(simulator, route, request)
        organization = snapshot if fault and fault.mode == "stale_list" else simulator.organization
        call = Call(organization, request.path_params, request.query_params, request.headers, raw, key)
        result = simulator.on_answer(request.url.path.removeprefix(PREFIX), route.handler(call))
        if fault and fault.mode == "fail_after":
            raise fault.refusal() or Unanswered
        body = result if isinstance(result, bytes) else json.dumps(result, separators=(",", ":")).encode()
        return route.status, body, call.answer_headers
    except Refusal as refusal:
        if fault and fault.mode == "fail_after" and not fault.status:
            raise Unanswered from refusal
        return refusal.status, json.dumps(refusal.body()).encode(), refusal.headers


def _bearer(request: Request) -> str | None:
    scheme, _, plaintext = request.headers.get("authorization", "").partition(" ")
    return plaintext if scheme.lower() == "bearer" and plaintext else None


def _caller_hash(simulator: SimulatedAccount, request: Request) -> str | None:
    plaintext = _bearer(request)
    token = simulator.organization.federation.tokens.get(plaintext or "")
    return token.key_hash if token else None if plaintext is None else hash_of(plaintext)


def _admit_address(simulator: SimulatedAccount, request: Request) -> None:
    allowed = simulator.organization.allowed_networks
    address = ip_address(request.client.host if request.client else "0.0.0.0")
    if allowed and not any(address in network for network in allowed):
        raise Refusal(403, "Access from this IP address is not allowed")


def _authenticate(simulator: SimulatedAccount, route: Route, request: Request) -> Key | None:
    """The calling key, or None for the management key; raises 401 or 403 on anything else."""
    if route.access == "public":
        return None
    plaintext = _bearer(request)
    if plaintext is None:
        raise Refusal(401, "Missing Authentication header")
    _admit_address(simulator, request)
    token = simulator.organization.federation.tokens.get(plaintext)
    if token and token.expires_at <= simulator.clock.now():
        raise Refusal(401, "The access token has expired")
    key_hash = token.key_hash if token else hash_of(plaintext)
    if key_hash in simulator.management_hashes:
        if route.access == "inference":
            raise Refusal(401, "Management keys cannot be used for this endpoint")
        _permit(simulator, route, request)
        return None
    key = simulator.organization.keys.get(key_hash)
    refusal = unusable(key, simulator.clock.now())
    if refusal:
        raise refusal
    if key and simulator.organization.refuses_life_of(key):
        # The guide gives no status: 403 is what the IP allowlist beside it answers.
        raise Refusal(403, "API key exceeds the maximum lifetime that the organization allows")
    if route.access == "management":
        message = (
            "Only management keys can perform this operation" if route.refuses == 403 else "Invalid management key"
        )
        raise Refusal(route.refuses, message)
    return key


def _permit(simulator: SimulatedAccount, route: Route, request: Request) -> None:
    """Raises 403 where the management key is read-only and this is a write. Which workspace it may act in, the routes
    ask of `Call`."""
    organization = simulator.organization
    reads = route.method == "GET" or route.path == "/analytics/query"
    if organization.management_read_only and not reads:
        raise Refusal(403, "This management key is read-only")


async def _hang_up(request: Request) -> Response:
    transport = request.scope.get("state", {}).get("transport")
    if transport is None:
        # In process there is no connection to close: the client is told what it would have been told.
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    transport.close()
    # The loop has to run once for the server to notice; what is answered after that goes nowhere.
    await asyncio.sleep(0)
    return Response(status_code=503)
