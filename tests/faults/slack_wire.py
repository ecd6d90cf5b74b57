"""Slack at the other end of a wire: slack_sdk's requests, which it sends with urllib, to the simulator in process."""

import io
from email.message import Message as Headers
from http.client import RemoteDisconnected
from urllib.error import HTTPError
from urllib.request import Request

import httpx

from tests.faults.harness import Fault, InProcess, Wire


class _Answer(io.BytesIO):
    """What urlopen returns."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.content)
        self.code = self.status = response.status_code
        self.headers = _headers(response)


def cross(wire: Wire, transport: InProcess, request: Request) -> _Answer:
    """One request of slack_sdk's, over the wire to the simulator; in place of urlopen."""
    body = request.data if isinstance(request.data, bytes) else b""

    def send() -> _Answer:
        sent = httpx.Request(request.get_method(), request.full_url, headers=dict(request.header_items()), content=body)
        return _Answer(transport.handle_request(sent))

    called = "response_url" if "/response/" in request.full_url else request.full_url.rpartition("/")[2]
    return wire.cross(f"slack.{called}", send, lambda fault: _failed(fault, request))


def _failed(fault: Fault, request: Request) -> _Answer:
    match fault:
        case Fault.FAILED_BEFORE:
            raise _http_error(request, httpx.Response(500, text="upstream connect error"))
        case Fault.THROTTLED:
            response = httpx.Response(429, json={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "30"})
            raise _http_error(request, response)
        case Fault.FAILED_AFTER:
            raise RemoteDisconnected("Remote end closed connection without response")
        case _:
            raise TimeoutError("timed out")


def _http_error(request: Request, response: httpx.Response) -> HTTPError:
    return HTTPError(request.full_url, response.status_code, "", _headers(response), io.BytesIO(response.content))


def _headers(response: httpx.Response) -> Headers:
    headers = Headers()
    for name, value in response.headers.items():
        headers[name] = value
    return headers
