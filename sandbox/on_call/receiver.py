"""An HTTP server on the loopback that takes and checks what those on call are sent, and keeps PagerDuty's incidents."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.on_call import schemas
from sandbox.on_call.signed import Signed

ROUTING_KEY = "fake" * 8
SIG = "fake-sig"
TENANT = "fake-tenant"
SIGNING_SECRET = "whsec_" + base64.b64encode(b"fake" * 8).decode()


@dataclass
class Receiver:
    """`pagerduty`, `teams` and `events` are what was taken; `refused` what was not, and why.

    `posts`: path, headers and text of each request to the webhook, whatever came of it.
    `incidents`: each of PagerDuty's by its dedup_key, and how it stands. `answers`: statuses for the next requests,
    before any check.
    """

    pagerduty: list[dict[str, Any]] = field(default_factory=list)
    teams: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    posts: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    signed: Signed = field(default_factory=lambda: Signed([SIGNING_SECRET], lambda: datetime.now(UTC)))
    _url: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """The template's parameters that switch all three on."""
        return {
            "PagerDutySecretName": "governor/pagerduty",
            "PagerDutyUrl": f"{self._url}/v2/enqueue",
            "TeamsSecretName": "governor/teams",
            "TeamsUrl": f"{self._url}/workflows/1/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0",
            "WebhookSecretName": "governor/webhook",
            "WebhookUrl": f"{self._url}/webhook?tenant={TENANT}",
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets that the parameters name."""
        return {
            "governor/pagerduty": json.dumps({"routing_key": ROUTING_KEY}),
            "governor/teams": json.dumps({"sig": SIG}),
            "governor/webhook": json.dumps({"secret": SIGNING_SECRET}),
        }

    @contextmanager
    def serve(self) -> Iterator["Receiver"]:
        """Takes requests on a free port while the context lasts."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.take))
        self._url = f"http://localhost:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def take(self, path: str, headers: Any, text: str) -> int:
        """The status that the vendor, or a receiver of signed events, would answer."""
        if urlsplit(path).path == "/webhook":
            self.posts.append((path, {name.lower(): value for name, value in headers.items()}, text))
        if self.answers:
            return self.answers.pop(0)
        wrong = list(self._wrong(path, headers, text))
        if wrong:
            self.refused.append(f"{path}: {'; '.join(wrong)}")
            return 400
        return 202

    def _wrong(self, path: str, headers: Any, text: str) -> Iterator[str]:
        try:
            body = json.loads(text)
        except ValueError as error:
            yield f"no JSON: {error}"
            return
        parts = urlsplit(path)
        match parts.path:
            case "/v2/enqueue":
                wrong = list(schemas.pagerduty(body))
                if not wrong:
                    self._happened(body)
            case "/workflows/1/invoke":
                query = {"api-version": ["1"], "sp": ["/triggers/manual/run"], "sv": ["1.0"], "sig": [SIG]}
                wrong = [] if parse_qs(parts.query) == query else [f"the address is another: {sorted(query)}"]
                wrong += schemas.teams(body)
                if not wrong:
                    self.teams.append(body)
            case "/webhook":
                wrong = [] if parse_qs(parts.query) == {"tenant": [TENANT]} else ["the address is another"]
                wrong += [*self.signed.wrong(headers, text), *schemas.event(body)]
                if not wrong and self.signed.is_new(headers):
                    self.events.append(body)
            case _:
                wrong = ["nobody is here"]
        yield from wrong

    def _happened(self, body: dict[str, Any]) -> None:
        """As PagerDuty: a trigger opens an incident or joins it, and acknowledging or resolving none does nothing."""
        self.pagerduty.append(body)
        key = body["dedup_key"]
        stands = self.incidents.get(key, "resolved")
        match body["event_action"]:
            case "trigger":
                self.incidents[key] = "triggered" if stands == "resolved" else stands
            case "acknowledge" if stands == "triggered":
                self.incidents[key] = "acknowledged"
            case "resolve" if key in self.incidents:
                self.incidents[key] = "resolved"


def _handler(take: Callable[[str, Any, str], int]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(take(self.path, self.headers, text))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keeps the tests' output clean."""

    return Handler
