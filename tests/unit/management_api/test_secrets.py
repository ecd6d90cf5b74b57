"""No error and no log record leads to a credential: every way out of an exception is searched, on every error path.

The wire is httpcore's own, over a backend in memory, so that what httpx, httpcore and h11 put on their errors, into
their frames and into their logs is the real thing. A control shows that the search finds what bare httpx leaves there.
"""

import logging
import pickle
import ssl
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx
import pytest
from pydantic import SecretStr

from management_api import (
    ByokPatch,
    Deadline,
    DestinationPatch,
    NewByok,
    NewKey,
    OpenRouter,
    OpenRouterError,
    Retry,
    Unknown,
)
from tests.unit.management_api.far_side import SECRET, Account, key_json

CREATED = "sk-or-v1-fake-created-plaintext"
PROVIDER = "sk-ant-fake-provider-key"
WEBHOOK = "fake-webhook-token"
"""Shaped like nothing: it is known only to the call that sends it, so the far side quotes it to that call alone."""
SECRETS = (SECRET, CREATED, PROVIDER, WEBHOOK)


def leaks(error: BaseException, secrets: Iterable[str] = SECRETS) -> list[str]:
    """Where a secret can be read from `error`: texts, frames' locals, pickle, anything its chain leads to."""
    texts = {
        "str": str(error),
        "repr": repr(error),
        "traceback": "".join(traceback.format_exception(error)),
        "locals": "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()),
        "reachable": "\n".join(reachable(error, set(), 0)),
    }
    try:
        texts["pickle"] = pickle.dumps(error).decode("latin-1")
    except (TypeError, AttributeError, pickle.PicklingError):
        texts["pickle"] = ""
    return [place for place, text in texts.items() if any(secret in text for secret in secrets)]


def reachable(thing: Any, seen: set[int], depth: int) -> Iterable[str]:
    """The repr of everything that attributes, arguments, items and the chain of an exception lead to."""
    if id(thing) in seen or depth > 8 or isinstance(thing, type):
        return
    seen.add(id(thing))
    yield repr(thing)
    children: list[Any] = list(getattr(thing, "__dict__", {}).values())
    if isinstance(thing, BaseException):
        children += [thing.__cause__, thing.__context__, *thing.args]
        frame_walk = traceback.walk_tb(thing.__traceback__)
        if depth:  # a chained error keeps its frames alive, and whatever they hold
            children += [local for frame, _ in frame_walk for local in frame.f_locals.values()]
    elif isinstance(thing, dict):
        children += [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset | httpx.Headers):
        children += list(thing.raw) if isinstance(thing, httpx.Headers) else list(thing)
    for child in children:
        yield from reachable(child, seen, depth + 1)


class Wire(httpcore.NetworkBackend):
    """A network that answers with `answer`, or fails at `failing`."""

    def __init__(self, answer: bytes = b"", failing: str = "") -> None:
        self._answer = answer
        self._failing = failing

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        if self._failing == "connect":
            raise httpcore.ConnectError("[Errno 111] Connection refused")
        return WireStream(self._answer, self._failing)


class WireStream(httpcore.NetworkStream):
    def __init__(self, answer: bytes, failing: str) -> None:
        self._left = [answer, b""]
        self._failing = failing

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._failing == "read":
            raise httpcore.ReadTimeout("timed out")
        return self._left.pop(0) if self._left else b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._failing == "write":
            raise httpcore.WriteError("[Errno 32] Broken pipe")

    def close(self) -> None:
        pass

    def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        if self._failing == "tls":
            raise httpcore.ConnectError("certificate verify failed")
        return self


NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the usual authorities takes longer than a test."""


def over(wire: Wire) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport(verify=NO_AUTHORITIES)
    transport._pool = httpcore.ConnectionPool(network_backend=wire, ssl_context=NO_AUTHORITIES)
    return transport


def http(status: int, body: str, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body.encode())}\r\n{headers}\r\n{body}".encode()


ECHO = (
    f'{{"error": {{"code": 400, "message": "bad key {SECRET} or {PROVIDER} or WEBHOOK; see {CREATED}", '
    f'"metadata": {{"error_type": "x {SECRET}", "raw": "{CREATED}"}}}}}}'
)
CREATED_UNREADABLE = f'{{"data": {{"hash": 5}}, "key": "{CREATED}"}}'

WIRES = {
    **{f"{status} that echoes": Wire(http(status, ECHO)) for status in (301, 400, 401, 402, 403, 404, 408, 409, 429)},
    **{f"{status} that echoes": Wire(http(status, ECHO)) for status in (500, 503, 529)},
    "200 with an error inside": Wire(http(200, ECHO)),
    "200 unreadable with a plaintext": Wire(http(200, CREATED_UNREADABLE)),
    "200 cut short with a plaintext": Wire(http(200, CREATED_UNREADABLE[:-3])),
    "html that echoes": Wire(http(502, f"<html>{SECRET} {PROVIDER} WEBHOOK {CREATED}")),
    "200 with a broken encoding": Wire(http(200, "not gzip", "Content-Encoding: gzip\r\n")),
    "connect fails": Wire(failing="connect"),
    "tls fails": Wire(failing="tls"),
    "write fails": Wire(failing="write"),
    "read times out": Wire(failing="read"),
    "closed without an answer": Wire(b""),
    "body cut off": Wire(http(200, CREATED_UNREADABLE)[:-5]),
    "no HTTP at all": Wire(b"garbage\r\n\r\n"),
}

CALLS: dict[str, Callable[[OpenRouter], object]] = {
    "read": lambda client: client.credits(),
    "list": lambda client: client.workspaces.list(),
    "create a key": lambda client: client.keys.create(NewKey(name="x")),
    "store a credential": lambda client: client.byok.create(NewByok(provider="anthropic", key=SecretStr(PROVIDER))),
    "rotate a credential": lambda client: client.byok.update("b", ByokPatch(key=SecretStr(PROVIDER))),
    "set a webhook": lambda client: client.destinations.update(
        "d", DestinationPatch(config={"url": "https://x", "headers": {"Authorization": SecretStr(WEBHOOK)}})
    ),
    "chat": lambda client: client.chat({"model": "a/b", "messages": []}),
}


def test_a_secret_of_no_known_shape_is_scrubbed_where_it_was_sent() -> None:
    client = OpenRouter(SecretStr(SECRET), transport=over(Wire(http(400, ECHO.replace("WEBHOOK", WEBHOOK)))))
    with pytest.raises(OpenRouterError) as failure:
        CALLS["set a webhook"](client)
    assert leaks(failure.value) == []
    assert "[redacted] or [redacted] or [redacted]" in str(failure.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_no_error_leads_to_a_secret(
    wire: Wire, call: Callable[[OpenRouter], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = OpenRouter(SecretStr(SECRET), transport=over(wire), retry=Retry(attempts=2, sleep=lambda seconds: None))
    with pytest.raises(OpenRouterError) as failure:
        call(client)
    assert leaks(failure.value) == []
    logged = "".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert "HTTP Request" in logged or wire._failing or "connect_tcp" in logged  # the logs were on
    assert not any(secret in logged for secret in (SECRET, PROVIDER, WEBHOOK))


def test_a_success_logs_addresses_but_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = http(200, '{"data": {"total_credits": 1, "total_usage": 0}}')
    OpenRouter(SecretStr(SECRET), transport=over(Wire(body))).credits()
    logged = "".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert "https://openrouter.ai/api/v1/credits" in logged
    assert SECRET not in logged


def test_the_search_finds_what_bare_httpx_leaves_on_its_errors() -> None:
    client = httpx.Client(transport=over(Wire(failing="read")), headers={"Authorization": f"Bearer {SECRET}"})
    with pytest.raises(httpx.ReadTimeout) as failure:
        client.get("https://openrouter.ai/api/v1/credits")
    assert "reachable" in leaks(failure.value)


@pytest.mark.parametrize(
    "credential",
    [SecretStr(text) for text in ("", f"{SECRET}\n", f" {SECRET}", f"{SECRET}\u00e9", f"Bearer {SECRET}")],
    ids=["empty", "line end", "space before", "not ASCII", "scheme"],
)
def test_a_credential_that_cannot_travel_is_refused_without_being_quoted(credential: SecretStr) -> None:
    with pytest.raises(OpenRouterError, match="store it again") as failure:
        OpenRouter(credential)
    assert leaks(failure.value) == []


def test_a_sweep_that_fails_leads_to_no_secret() -> None:
    class Echoing(Account):
        def fault(self, workspace_id: str, offset: int) -> httpx.Response:
            raise httpx.ReadError(f"lost {SECRET}", request=httpx.Request("GET", "https://x"))

    retry = Retry(attempts=1)
    client = OpenRouter(SecretStr(SECRET), transport=httpx.MockTransport(Echoing({"a": []})), retry=retry)
    reading = client.read_account(["a"])["a"]
    assert isinstance(reading, Unknown)
    assert leaks(reading.error) == []
    assert "ReadError: lost [redacted]" in str(reading.error)


def test_running_out_of_time_leads_to_no_secret() -> None:
    client = OpenRouter(SecretStr(SECRET), transport=over(Wire(failing="connect"))).within(Deadline(lambda: 0.0))
    with pytest.raises(OpenRouterError) as failure:
        client.byok.create(NewByok(provider="anthropic", key=SecretStr(PROVIDER)))
    assert leaks(failure.value) == []


def test_a_created_key_shows_its_plaintext_only_when_asked() -> None:
    body = {"data": key_json(1), "key": CREATED}
    client = OpenRouter(
        SecretStr(SECRET), transport=httpx.MockTransport(lambda request: httpx.Response(201, json=body))
    )
    created = client.keys.create(NewKey(name="x"))
    assert CREATED not in repr(created)
    assert created.plaintext.get_secret_value() == CREATED


def test_the_client_and_what_it_is_given_show_no_secret() -> None:
    client = OpenRouter(SecretStr(SECRET))
    shown = repr(client) + repr(vars(client)) + repr(NewByok(provider="anthropic", key=SecretStr(PROVIDER)))
    assert not any(secret in shown for secret in SECRETS)


def test_a_model_that_refuses_its_input_does_not_quote_it() -> None:
    with pytest.raises(ValueError, match="provider") as failure:
        NewByok(key=PROVIDER)  # type: ignore[call-arg]  # wrong on purpose
    assert PROVIDER not in str(failure.value)
