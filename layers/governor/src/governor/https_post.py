"""One POST to an address outside: its status, and nothing else of the answer.

It goes to httpx's transport, not through `httpx.Client`, which logs the whole address at INFO, follows what the
environment says of proxies, and reads the answer. No redirect is followed, and nothing is repeated.
"""

from collections.abc import Mapping

import httpx

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
"""Longest silence on the wire. Whoever answers a byte at a time is ended by the function's own timeout."""


class NoAnswer(Exception):
    """There was no answer, and whether the request arrived is unknown; the message names the host only."""


class HttpsPost:
    """`url`: its query may identify somebody, so it stands in no error and no log."""

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)
        self.host = self._url.host

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. `body`: JSON. Raises `NoAnswer`."""
        request = httpx.Request(
            "POST",
            self._url,
            headers={"Content-Type": "application/json", "User-Agent": "governor", **headers},
            content=body,
            extensions={"timeout": httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS).as_dict()},
        )
        try:
            # A connection for each: one that was idle while Lambda froze the process may be dead, and nobody says so.
            with httpx.HTTPTransport() as transport:
                answer = transport.handle_request(request)
                answer.close()
                return answer.status_code
        except httpx.TransportError as error:
            raise NoAnswer(f"no answer from {self.host}: {type(error).__name__}") from error
