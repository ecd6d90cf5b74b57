"""The Lambda Runtime API of one execution environment: hands out invocations, takes answers.

Source: Lambda Developer Guide, "Using the Lambda runtime API". One port each: the client does not say who it is.
"""

import queue
import sys
import threading
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Report:
    """What an environment said: `ready`, `init_error`, `response`, `error`, or (from its process) `exit`."""

    kind: str
    request_id: str = ""
    body: bytes = b""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A worker that is killed drops its connections; anything else is told as ever.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class RuntimeApi:
    """Serves on a loopback port. `offer` queues an invocation; `reports` is what came back, in order."""

    def __init__(self, function_arn: str) -> None:
        self.reports: queue.Queue[Report] = queue.Queue()
        self._offers: queue.Queue[tuple[str, bytes, int] | None] = queue.Queue()
        self._function_arn = function_arn
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                api._next(self)

            def do_POST(self) -> None:
                api._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the engine keeps its own record."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def offer(self, request_id: str, payload: bytes, deadline_ms: int) -> None:
        self._offers.put((request_id, payload, deadline_ms))

    def close(self) -> None:
        self._offers.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _next(self, handler: BaseHTTPRequestHandler) -> None:
        self.reports.put(Report("ready"))
        offer = self._offers.get()
        if offer is None:
            return _send(handler, 410)
        request_id, payload, deadline_ms = offer
        return _send(
            handler,
            200,
            payload,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{deadline_ms // 1000:08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            },
        )

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = _body(handler)
        *_, request_id, kind = handler.path.split("/")
        if handler.path.endswith("/runtime/init/error"):
            self.reports.put(Report("init_error", body=body))
        else:
            self.reports.put(Report(kind, request_id, body))
        _send(handler, 202, b'{"status":"OK"}')


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    parts = []
    while size := int(handler.rfile.readline().strip() or b"0", 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


def _send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> None:
    try:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    except ConnectionError:
        # The process was killed between asking and being answered.
        handler.close_connection = True
