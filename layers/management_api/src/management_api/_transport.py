"""Sends one `Call` and gives back its parsed answer, or raises from the one error tree.

Everything below httpx is translated here and nowhere else. Three things are odd, and all for one reason, that no error
may lead to a secret (`tests/unit/management_api/test_secrets.py` searches for them):
- requests go to httpx's transport, not through `httpx.Client`, which hangs the request, credential and all, on its
  errors; its redirects, cookies and hooks are not wanted either, and cost as much as the rest of an exchange;
- failures are built and handed back as values and raised in a frame that never held a body or a header, because a
  traceback keeps every frame's locals;
- the httpx error is chained as a bare copy, without its request, its traceback, or its own chain.
"""

import logging
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr, ValidationError

from management_api import errors
from management_api._answers import error_inside, why_unreadable
from management_api._call import Call
from management_api._retry import UNBOUNDED, Deadline, Pace, Retry
from management_api._scrub import scrub

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = {"read": 15.0, "write": 30.0, "inference": 120.0}
"""Longest silence on the wire. A write is given longer: giving up on one costs a read back."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "management-api"}
_JSON = {"Content-Type": "application/json"}
_NOT_SENT = (
    httpx.ConnectError,  # also a failed TLS handshake: no byte of HTTP has left
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_WRONG_KEY = (
    "OpenRouter refused the credential. It is unknown, disabled, expired or deleted, or an inference key where a "
    "management key is needed. Create one at https://openrouter.ai/settings/management-keys and put it in the secret"
)
_READ_FORBIDDEN = (
    "OpenRouter answered 403 to a read and gives no code for why. If every call fails, either the IP allowlist "
    "(https://openrouter.ai/settings/security) does not name the address that this call came from, or the secret holds "
    "an inference key. If only some workspaces fail, the management key is limited to others. See "
    "https://openrouter.ai/settings/management-keys"
)
_WRITE_FORBIDDEN = (
    "OpenRouter answered 403 to a write and gives no code for why. Where reads succeed, the management key is most "
    "likely read-only, or limited to another workspace (https://openrouter.ai/settings/management-keys); a setting of "
    "the organization may forbid it, too. Where nothing succeeds, see the IP allowlist "
    "(https://openrouter.ai/settings/security)"
)
_log = logging.getLogger("management_api")


def usable(api_key: SecretStr) -> SecretStr:
    """`api_key`, if it can travel in a header. Raises `AuthenticationFailed`: httpx's own error would quote it."""
    if not _travels(api_key.get_secret_value()):
        raise errors.AuthenticationFailed(
            "the API key is empty or holds a space, a line end or a character outside ASCII: store it again, trimmed"
        )
    return api_key


def _travels(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


class Transport:
    """One credential on one connection pool, with a deadline. Shared by threads."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        api_key: SecretStr,
        *,
        base_url: str,
        retry: Retry,
        pacing: Pace | None,
        deadline: Deadline = UNBOUNDED,
    ) -> None:
        self._inner = inner
        self._api_key = usable(api_key)
        self.base_url = base_url.rstrip("/")
        self._retry = retry
        self._pacing = pacing
        self._deadline = deadline

    def within(self, deadline: Deadline) -> "Transport":
        """The same pool and credential, bounded by `deadline`."""
        other = object.__new__(Transport)
        other.__dict__.update(self.__dict__, _deadline=deadline)
        return other

    def with_key(self, api_key: SecretStr) -> "Transport":
        """The same pool under another credential."""
        return Transport(
            self._inner,
            api_key,
            base_url=self.base_url,
            retry=self._retry,
            pacing=self._pacing,
            deadline=self._deadline,
        )

    def close(self) -> None:
        self._inner.close()

    def send[T](self, call: Call[T]) -> T:
        """The parsed answer, or the last failure raised. Retries as `call.effect` allows, never past the deadline."""
        attempt = 0
        while True:
            attempt += 1
            outcome = self._attempt(call)
            if not isinstance(outcome, _Failure):
                return outcome
            if self._pacing and call.effect != "inference" and isinstance(outcome.error, errors.RateLimited):
                self._pacing.slow(outcome.error.retry_after)
            pause = self._retry.pause(attempt, outcome.error.retry_after)
            if not self._again(attempt, outcome, pause):
                raise outcome.error from outcome.cause
            self._retry.sleep(pause)

    def _again(self, attempt: int, failure: "_Failure", pause: float) -> bool:
        return (
            failure.repeatable
            and attempt < self._retry.attempts
            and (failure.error.retry_after or 0.0) <= self._retry.patience
            and pause < self._deadline.seconds_left()
        )

    def _attempt[T](self, call: Call[T]) -> "T | _Failure":
        if self._pacing and not self._pacing.wait(self._deadline.seconds_left()):
            return _Failure(errors.Unavailable("not sent: no turn within the time left", request=call.name))
        left = self._deadline.seconds_left()
        if left <= 0:
            return _Failure(errors.Unavailable("not sent: no time left", request=call.name))
        try:
            status, headers, body = self._exchange(call, left)
        except _OutOfTime:
            return self._lost(call, "the answer was still arriving when the time was up")
        except httpx.RequestError as error:
            return self._translated(call, error)
        if not 200 <= status < 300:
            return self._refused(call, status, headers.get("Retry-After"), body)
        try:
            return call.parse(body)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            return self._unreadable(call, status, body, error)

    def _exchange(self, call: Call[Any], left: float) -> tuple[int, httpx.Headers, bytes]:
        connect = min(CONNECT_SECONDS, left)
        answer = min(ANSWER_SECONDS[call.effect], left)
        request = httpx.Request(
            call.method,
            f"{self.base_url}{call.target}{'?' if call.query else ''}{urlencode(call.query)}",
            headers={
                **_HEADERS,
                **call.headers,
                **(_JSON if call.body else {}),
                "Authorization": f"Bearer {self._api_key.get_secret_value()}",
            },
            content=call.body.content if call.body else None,
            extensions={"timeout": httpx.Timeout(answer, connect=connect, pool=connect).as_dict()},
        )
        response = self._inner.handle_request(request)
        _log.debug("HTTP Request: %s %s %d", request.method, request.url, response.status_code)
        try:
            # httpx's timeouts bound each silence, not the whole: a slow drip would outlive the invocation.
            chunks = []
            for chunk in response.iter_bytes():
                if self._deadline.seconds_left() <= 0:
                    raise _OutOfTime
                chunks.append(chunk)
            return response.status_code, response.headers, b"".join(chunks)
        finally:
            response.close()

    def _translated(self, call: Call[Any], error: httpx.RequestError) -> "_Failure":
        text = f"{type(error).__name__}: {self._scrubbed(call, str(error))}"
        bare = type(error)(self._scrubbed(call, str(error)))
        if isinstance(error, _NOT_SENT):
            return _Failure(errors.Unavailable(f"not sent: {text}", request=call.name), bare, repeatable=True)
        return self._lost(call, text, cause=bare)

    def _refused(self, call: Call[Any], status: int, retry_after: str | None, body: bytes) -> "_Failure":
        message, error_type, _ = error_inside(body)
        error_type = self._scrubbed(call, error_type) if error_type else None
        text = f"{f'{status} {error_type}' if error_type else status}: {self._scrubbed(call, message)}"
        facts: dict[str, Any] = {"request": call.name, "status": status, "error_type": error_type}
        if status == 401 or (status == 403 and error_type == "authentication"):
            return _Failure(errors.AuthenticationFailed(f"{_WRONG_KEY} ({text})", **facts))
        if status == 403 and call.management:
            if call.effect == "read":
                return _Failure(errors.ReadForbidden(f"{_READ_FORBIDDEN} ({text})", **facts))
            return _Failure(errors.WriteForbidden(f"{_WRITE_FORBIDDEN} ({text})", **facts))
        facts["retry_after"] = self._retry.retry_after(retry_after)
        if status == 429:
            # An answer, not a silence: refused at the door, so even a write has not happened and may be made again.
            return _Failure(errors.RateLimited(text, **facts), repeatable=call.effect != "inference")
        if status == 408 or status >= 500:
            return self._lost(call, text, **facts)
        kind = {404: errors.NotFound, 409: errors.Conflict}.get(status, errors.Rejected)
        return _Failure(kind(text, **facts))

    def _unreadable(self, call: Call[Any], status: int, body: bytes, error: Exception) -> "_Failure":
        # OpenRouter answers 200 with an error inside when a provider fails after it has begun to answer.
        code = error_inside(body)[2]
        if code and call.effect != "write":
            return self._refused(call, code, None, body)
        text = f"{status}, but not the answer that is documented: {self._scrubbed(call, why_unreadable(error))}"
        return self._lost(call, text, status=status)

    def _lost(self, call: Call[Any], text: str, *, cause: httpx.RequestError | None = None, **facts: Any) -> "_Failure":
        facts = {"request": call.name, **facts}
        if call.effect == "write":
            return _Failure(errors.OutcomeUnknown(f"outcome unknown: {text}", **facts), cause)
        return _Failure(errors.Unavailable(text, **facts), cause, repeatable=call.effect == "read")

    def _scrubbed(self, call: Call[Any], text: str) -> str:
        secrets = (self._api_key.get_secret_value(), *(call.body.secrets if call.body else ()))
        return scrub(text, secrets)


class _OutOfTime(Exception):
    """The deadline passed while a body was arriving."""


class _Failure:
    """A failed attempt: what to raise, from what, and whether the same call may be made again."""

    def __init__(
        self, error: errors.OpenRouterError, cause: httpx.RequestError | None = None, *, repeatable: bool = False
    ) -> None:
        self.error = error
        self.cause = cause
        self.repeatable = repeatable
