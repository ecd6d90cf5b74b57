"""What a starting function meets: Lambda's Runtime API with one event, and as much of AWS as its first call needs.

Source: Lambda Developer Guide, "Using the Lambda runtime API".
"""

import queue
import socketserver
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

NO_SECRET = b'{"__type": "ResourceNotFoundException", "Message": "no such secret"}'
DEADLINE_SECONDS = 60


class Stub(ThreadingHTTPServer):
    """S3 answers any GET with `reading`; AWS's JSON services answer what `aws` has for an `X-Amz-Target`, else that
    there is no such secret. `more`: events that follow the first. `answers`: `response` or `error`, body, seconds."""

    daemon_threads = True

    def __init__(
        self, event: bytes, reading: bytes, aws: Mapping[str, bytes] | None = None, more: Sequence[bytes] = ()
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reading, self.aws = reading, aws or {}
        self.events: queue.Queue[bytes] = queue.Queue()
        for one in (event, *more):
            self.events.put(one)
        self.answers: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self.delivered_at = 0.0
        self.address = f"127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def next_answer(self) -> tuple[str, bytes, float]:
        return self.answers.get(timeout=DEADLINE_SECONDS)

    def first_answer(self) -> tuple[str, bytes]:
        kind, body, _ = self.next_answer()
        return kind, body

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A process that was measured is killed while it waits for its next event.
        if not isinstance(sys.exception(), ConnectionError | queue.Empty):
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: socketserver.BaseServer

    def do_GET(self) -> None:
        stub = self._stub()
        if not self.path.endswith("/runtime/invocation/next"):
            self._answer(200, stub.reading, {"ETag": '"fake"'})
            return
        # When there is no further event, this waits, and the process is killed meanwhile.
        event = stub.events.get(timeout=DEADLINE_SECONDS)
        stub.delivered_at = time.perf_counter()
        self._answer(
            200,
            event,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + DEADLINE_SECONDS) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:bench",
            },
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if "/runtime/" in self.path:
            stub = self._stub()
            stub.answers.put((self.path.rsplit("/", 1)[1], body, time.perf_counter() - stub.delivered_at))
            self._answer(202, b"{}", {})
            return
        known = self._stub().aws.get(self.headers.get("X-Amz-Target", ""))
        status, answer = (400, NO_SECRET) if known is None else (200, known)
        self._answer(status, answer, {"Content-Type": "application/x-amz-json-1.1"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stub(self) -> Stub:
        assert isinstance(self.server, Stub)
        return self.server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: only the time counts."""
