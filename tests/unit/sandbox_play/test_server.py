"""Who may ask for the page, and what an order may be: every request through the application, without a socket."""

import asyncio
import json
from concurrent.futures import Future
from typing import Any, cast

import pytest
from fastapi import FastAPI

from sandbox.play.driver import Driver
from sandbox.play.orders import Refused
from sandbox.play.server import MOST_BODY, create_app
from sandbox.play.snapshot import Board
from sandbox.play.troubles import Stage

PORT = 8790
OURS = f"127.0.0.1:{PORT}"
ORDER = {"do": "time", "mode": "paused"}


class RecordingDriver:
    """Does nothing, and remembers that it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def order(self, _work: Any) -> Any:
        self.asked += 1
        done: Future[Any] = Future()
        done.set_result({"said": ""})
        return done


@pytest.fixture
def driver() -> RecordingDriver:
    return RecordingDriver()


@pytest.fixture
def app(driver: RecordingDriver) -> FastAPI:
    return create_app(cast(Stage, None), cast(Driver, driver), Board())


def asked(
    app: FastAPI, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """The application's answer to one request: status, headers, body."""
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", PORT), "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[Any] = []
    bodies = [body]

    async def receive() -> dict[str, Any]:
        while not bodies:  # the client stays connected
            await asyncio.Event().wait()
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start = next(one for one in sent if one["type"] == "http.response.start")
    said = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, said


def ordered(app: FastAPI, order: Any, **changes: str | None) -> int:
    """The status of an order; `changes`: other headers, None for none."""
    body = order if isinstance(order, bytes) else json.dumps(order).encode()
    headers: dict[str, str | None] = {
        "Host": OURS, "Origin": f"http://{OURS}", "Content-Type": "application/json", "Content-Length": str(len(body)),
    }  # fmt: skip
    chosen = {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return asked(app, "POST", "/api/do", {k: v for k, v in chosen.items() if v is not None}, body)[0]


def test_an_order_of_our_own_page_is_taken(app: FastAPI, driver: RecordingDriver) -> None:
    assert ordered(app, ORDER) == 200
    assert ordered(app, ORDER, Host=f"localhost:{PORT}", Origin=f"http://localhost:{PORT}") == 200
    assert driver.asked == 2


@pytest.mark.parametrize("host", ["evil.example:8790", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8790", ""])
def test_a_name_that_was_pointed_here_gets_nothing(app: FastAPI, driver: RecordingDriver, host: str) -> None:
    for path in ("/", "/api/stream", "/api/events/x", "/app.js"):
        assert asked(app, "GET", path, {"Host": host})[0] == 403
    assert ordered(app, ORDER, Host=host, Origin=f"http://{host}") == 403
    assert driver.asked == 0


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", f"https://{OURS}", "http://127.0.0.1:1"])
def test_another_site_can_order_nothing(app: FastAPI, driver: RecordingDriver, origin: str | None) -> None:
    assert ordered(app, ORDER, Origin=origin) == 403
    assert driver.asked == 0


def test_an_order_is_json_and_bounded(app: FastAPI, driver: RecordingDriver) -> None:
    assert ordered(app, ORDER, Content_Type="text/plain") == 415
    assert ordered(app, ORDER, Content_Length=str(MOST_BODY + 1)) == 413
    assert ordered(app, ORDER, Content_Length=None) == 413
    assert ordered(app, b"{") == 400
    wrong_ones: tuple[Any, ...] = (
        {"do": "shell"}, {"do": "time", "mode": "x1000"}, {"do": "tour", "step": 8}, {"do": "tour", "step": -1},
        {"do": "command", "user": "U0STRANGER", "text": "status"},
        {"do": "command", "user": "U0LEAD", "text": "x" * 201},
        {"do": "home", "user": "U0STRANGER"}, {"do": "press", "user": "U0LEAD", "action": "x", "value": "x" * 3001},
        {"do": "submit", "user": "U0LEAD", "inputs": {str(one): "" for one in range(21)}},
        {"do": "submit", "user": "U0LEAD", "inputs": {"reason": "x" * 3001}}, {**ORDER, "more": 1}, [], "x", 7,
    )  # fmt: skip
    for wrong in wrong_ones:
        assert ordered(app, wrong) == 400, wrong
    assert driver.asked == 0


def test_a_refusal_says_why(app: FastAPI, driver: RecordingDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_work: Any) -> Any:
        raise Refused("“To 03:00” is under way")

    monkeypatch.setattr(driver, "order", refuses)
    assert ordered(app, ORDER) == 409


def test_the_page_loads_nothing_but_its_own_files(app: FastAPI) -> None:
    status, headers, page = asked(app, "GET", "/", {"Host": OURS})
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"://" not in page
    for name in ("app.js", "slack.js", "home.js", "blocks.js", "style.css", "slack.css", "icon.svg", "mrkdwn.js"):
        assert asked(app, "GET", f"/{name}", {"Host": OURS})[0] == 200
    for outside in ("/../server.py", "/%2e%2e/server.py", "/..%2fserver.py"):
        assert asked(app, "GET", outside, {"Host": OURS})[0] == 404
