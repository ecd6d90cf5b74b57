"""Fails any outside call of a handler, run in process over its real adapters, and delivers again as Lambda would.

Every call passes a `Wire`: to AWS through moto's stub under botocore, to OpenRouter through an httpx transport. A dry
run tells which calls there are, so no test keeps a list of them:

    with mock_aws(), wire.connected(InProcess(simulator.app)):
        calls = wire.calls_of(lambda: lambda_handler(event, context()))
        for accident in accidents(calls):
            ... a fresh world ...
            deliver(wire, run, accident)
            ... assert the promises on the world's state ...

Nothing sleeps: the pauses of botocore's and management_api's retries are skipped.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber

import management_api
from tests.faults import answers, clients

LAMBDA_ATTEMPTS = 3
"""An asynchronous invocation that fails is repeated twice (AWS's default, and the template's)."""


class Killed(BaseException):
    """The process is gone. Whatever catches it cannot reach the outside: the wire is dead until the next invocation."""


class Fault(StrEnum):
    """What befalls a call. The last two are the process's death just before and just after it."""

    FAILED_BEFORE = "failed before its effect"
    FAILED_AFTER = "failed after its effect, the answer lost"
    TIMED_OUT_BEFORE = "timed out before its effect"
    TIMED_OUT_AFTER = "timed out after its effect"
    THROTTLED = "throttled"
    KILLED_BEFORE = "the process killed before it"
    KILLED_AFTER = "the process killed after it"

    @property
    def after(self) -> bool:
        return self in (Fault.FAILED_AFTER, Fault.TIMED_OUT_AFTER, Fault.KILLED_AFTER)

    @property
    def kills(self) -> bool:
        return self in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


@dataclass(frozen=True)
class Accident:
    """`fault` at the call number `at` (from 0) of an invocation; `lasting`: and at every later call of that name."""

    at: int
    fault: Fault
    name: str = ""
    lasting: bool = False

    def __str__(self) -> str:
        return f"call {self.at} ({self.name}) {self.fault}{', and on' if self.lasting else ''}"


def accidents(calls: Sequence[str], faults: Sequence[Fault] = tuple(Fault)) -> Iterator[Accident]:
    """Every call with every fault, once (the adapters may retry it away) and lasting (they may not)."""
    for at, name in enumerate(calls):
        for fault in faults:
            yield Accident(at, fault, name)
            if not fault.kills:
                yield Accident(at, fault, name, lasting=True)


def writes(calls: Sequence[str]) -> list[int]:
    """The numbers of the calls that may change something: to die after a read is to die before the next call."""
    reads = ("Get", "Query", "Scan", "List", "Describe", "Head", "GET ", "POST /api/v1/analytics")
    return [at for at, name in enumerate(calls) if not name.partition(".")[2].startswith(reads)]


@dataclass
class Wire:
    """Numbers the calls of the present invocation and lets accidents happen to them. Shared by threads."""

    calls: list[str] = field(default_factory=list)
    accidents: Sequence[Accident] = ()
    before: Callable[[int, str], None] | None = None
    """Called with each call's number and name before it leaves, to let something else happen in between."""
    _dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, *accidents: Accident) -> None:
        """A new invocation: numbers start again, and these accidents lie ahead."""
        self.calls, self.accidents, self._dead = [], accidents, False

    def cross[T](self, name: str, send: Callable[[], T], failed: Callable[[Fault], T]) -> T:
        """`send()`, or what the accident planned for this call makes of it."""
        if self._dead:
            raise Killed(name)
        with self._lock:
            at = len(self.calls)
            self.calls.append(name)
        if self.before:
            self.before(at, name)
        fault = next((one.fault for one in self.accidents if _befalls(one, at, name, self.calls)), None)
        if fault is None:
            return send()
        if fault.after:
            send()
        if fault.kills:
            self._dead = True
            raise Killed(f"{name}: {fault}")
        return failed(fault)

    def calls_of(self, run: Callable[[], object]) -> list[str]:
        """The calls of one undisturbed run, by name and in order."""
        self.begin()
        run()
        return list(self.calls)

    @contextmanager
    def beside(self, happening: Callable[[], object], at: int) -> Iterator[None]:
        """`happening`, undisturbed and whole, just before call number `at` of the next invocation."""

        def interrupt(number: int, _: str) -> None:
            if number == at:
                calls, planned, self.before = self.calls, self.accidents, None
                self.begin()
                happening()
                self.calls, self.accidents = calls, planned

        self.before = interrupt
        try:
            yield
        finally:
            self.before = None

    @contextmanager
    def connected(self, openrouter: httpx.BaseTransport) -> Iterator[None]:
        """Every AWS call through moto (`mock_aws` must be active) and every call to OpenRouter is on this wire."""
        send = BotocoreStubber.__call__

        def stub(stubber: BotocoreStubber, event_name: str, request: Any, **rest: Any) -> Any:
            name = event_name.removeprefix("before-send.")
            return self.cross(
                name,
                lambda: send(stubber, event_name, request, **rest),
                lambda fault: _aws_failed(fault, name, request),
            )

        transport = WiredTransport(self, openrouter)
        with (
            clients.shared(),
            mock.patch.object(BotocoreStubber, "__call__", stub),
            mock.patch.object(httpx, "HTTPTransport", return_value=transport),
            mock.patch("botocore.endpoint.time", SimpleNamespace(sleep=_at_once)),
            # A client outlives thousands of containers here, each of which would add a writer of one more header to it.
            mock.patch("aws_lambda_powertools.shared.user_agent.register_feature_to_client"),
            mock.patch("management_api._client.Retry", functools.partial(management_api.Retry, sleep=_at_once)),
        ):
            yield


class WiredTransport(httpx.BaseTransport):
    """OpenRouter at the other end of a wire."""

    def __init__(self, wire: Wire, inner: httpx.BaseTransport) -> None:
        self._wire = wire
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        name = f"openrouter.{request.method} {answers.template(request.url.path)}"
        return self._wire.cross(
            name, lambda: self._inner.handle_request(request), lambda fault: _openrouter_failed(fault, request)
        )


class InProcess(httpx.BaseTransport):
    """An ASGI application, such as the simulator's, without a socket. Shared by threads, one request at a time."""

    def __init__(self, app: Any) -> None:
        self._app = httpx.ASGITransport(app)
        self._runner = asyncio.Runner()
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            return self._runner.run(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def close(self) -> None:
        """Left open for the next container: `dispose` ends it."""

    def dispose(self) -> None:
        self._runner.close()


class Ended(StrEnum):
    """How an invocation ended."""

    DONE = "done"
    FAILED = "failed"
    KILLED = "killed"


def invoke(wire: Wire, run: Callable[[], object], *planned: Accident) -> Ended:
    """One invocation, with the accidents that lie ahead of it."""
    wire.begin(*planned)
    try:
        run()
    except Killed:
        return Ended.KILLED
    except Exception:  # noqa: BLE001 - this is Lambda: any error of the function is its failure
        return Ended.FAILED
    return Ended.DONE


def deliver(
    wire: Wire, run: Callable[[], object], *planned: Accident, after: Callable[[], None] = lambda: None
) -> Ended:
    """Invokes as Lambda does for an event: the first attempt meets the accidents, two repeats do not.

    `after` follows each failed attempt: a new container, a later time. What ends otherwise than DONE is a dead letter.
    """
    ended = invoke(wire, run, *planned)
    for _ in range(LAMBDA_ATTEMPTS - 1):
        if ended == Ended.DONE:
            break
        after()
        ended = invoke(wire, run)
    return ended


def context(seconds_left: float = 30.0) -> Any:
    """A Lambda context with that much time left, whenever it is asked."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: int(seconds_left * 1000),
    )


@contextmanager
def case(counted: list[str], name: object) -> Iterator[None]:
    """One case of a test that runs many: counted, and named in whatever fails within."""
    counted.append(str(name))
    try:
        yield
    except BaseException as error:
        error.add_note(f"case {len(counted)}: {name}")
        raise


def _befalls(accident: Accident, at: int, name: str, calls: Sequence[str]) -> bool:
    if accident.at == at:
        return True
    return accident.lasting and at > accident.at and name == calls[accident.at]


def _aws_failed(fault: Fault, name: str, request: Any) -> Any:
    match fault:
        case Fault.FAILED_BEFORE:
            return answers.aws(name, request, 500, "InternalServerError")
        case Fault.THROTTLED:
            return answers.aws(name, request, 400, "ThrottlingException")
        case Fault.FAILED_AFTER:
            raise ConnectionClosedError(endpoint_url=request.url)
        case _:
            raise ReadTimeoutError(endpoint_url=request.url)


def _openrouter_failed(fault: Fault, request: httpx.Request) -> httpx.Response:
    match fault:
        case Fault.FAILED_BEFORE:
            return answers.openrouter(request, 500, "server")
        case Fault.THROTTLED:
            return answers.openrouter(request, 429, "rate_limit_exceeded")
        case Fault.FAILED_AFTER:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        case _:
            raise httpx.ReadTimeout("timed out", request=request)


def _at_once(_seconds: float) -> None:
    """A pause that takes no time."""
