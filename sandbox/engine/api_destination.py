"""EventBridge API destinations: an event goes over HTTP to whoever is outside, with what the connection adds.

Source: EventBridge User Guide, "API destinations" and "Connections for HTTP targets": an endpoint has five seconds;
409, 429 and 5xx are tried again, any other refusal is not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.engine.errors import Refused, Unreachable

SECONDS = 5.0
AGAIN = frozenset({409, 429})


@dataclass(frozen=True)
class Connection:
    """What is added to each request: headers (the API key among them), query parameters, fields of the JSON body."""

    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiDestination:
    url: str
    method: str
    connection: Connection

    def send(self, body: str) -> None:
        """Raises `Unreachable` for what is tried again, `Refused` for what is not."""
        content = json.dumps({**self._object(body), **self.connection.body}) if self.connection.body else body
        headers = {"Content-Type": "application/json; charset=utf-8", **self.connection.headers}
        url = httpx.URL(self.url).copy_merge_params(dict(self.connection.query))
        try:
            answer = httpx.request(self.method, url, content=content, headers=headers, timeout=SECONDS)
        except httpx.TransportError as error:
            raise Unreachable("SDK_CLIENT_ERROR", f"{url.host} did not answer: {error!r}") from error
        if answer.is_success:
            return
        words = f"{url.host} answered {answer.status_code}: {answer.text[:200]}"
        if answer.status_code in AGAIN or answer.is_server_error:
            raise Unreachable("SDK_CLIENT_ERROR", words)
        raise Refused("SDK_CLIENT_ERROR", words)

    @staticmethod
    def _object(body: str) -> dict[str, Any]:
        found = json.loads(body)
        if not isinstance(found, dict):
            raise Refused("INVALID_JSON", "a connection adds fields to a JSON object only")
        return found
