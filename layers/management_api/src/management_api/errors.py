"""What can go wrong between us and OpenRouter, split by what a caller does about it.

OpenRouterError
├── retry later
│   ├── RateLimited           429; not executed; `retry_after` where the far side named it
│   └── Unavailable           a read that got no usable answer, or a write that provably was not executed
├── read back
│   └── OutcomeUnknown        a write whose answer was lost: it may or may not have happened (promise 4)
├── give up
│   └── Rejected              refused as asked: 400, 402 (no credits), 403 (budget, guardrail, setting), other 4xx
│       ├── NotFound          404
│       ├── Conflict          409: changed by somebody else meanwhile, or taken
│       └── WriteForbidden    403 to a management write: a read-only key, another workspace's, an IP rule, a setting
└── wake somebody
    └── AuthenticationFailed  401: the key itself; fix the secret
        └── ReadForbidden     403 to a management read: an IP rule, another workspace's key, or the wrong kind of key

Branch on the class, `status` and `error_type` (OpenRouter's stable code, such as `rate_limit_exceeded`), never on the
text. No message, argument or chained error holds a credential: texts from the far side are scrubbed and cut, and an
httpx error is chained as a bare copy, because the original leads to the request and its Authorization header.
"""

from typing import Any


class OpenRouterError(Exception):
    """Base of the tree.

    `request`: method and path template, such as `GET /keys/{hash}`. `status`: HTTP status, None without an answer.
    `retry_after`: seconds the far side asked us to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        request: str = "",
        status: int | None = None,
        error_type: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request = request
        self.status = status
        self.error_type = error_type
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.request}: {self.message}" if self.request else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own pickling drops keyword arguments.
        return type(self), (self.message,), self.__dict__


class RateLimited(OpenRouterError):
    """Too many requests; this one was not executed. Come back after `retry_after` seconds, or a backoff of your own."""


class Unavailable(OpenRouterError):
    """No usable answer to a read, or a write that was provably not executed. The same call may be made again later."""


class OutcomeUnknown(OpenRouterError):
    """A write left and its answer was lost. Read back what it was to change before anything else; never repeat it."""


class Rejected(OpenRouterError):
    """Refused as asked; the same request will be refused again. `status` and `error_type` tell why."""


class NotFound(Rejected):
    """There is no such thing, or not for this key."""


class Conflict(Rejected):
    """It changed meanwhile, or is taken. Read again and decide again."""


class WriteForbidden(Rejected):
    """OpenRouter answered 403 to a write under a management key, and names no stable code for why.

    Where reads succeed, the key is most likely read-only or limited to another workspace.
    """


class AuthenticationFailed(OpenRouterError):
    """The credential is unknown, disabled, expired, or of the wrong kind. Nothing works until a person mends it."""


class ReadForbidden(AuthenticationFailed):
    """OpenRouter answered 403 to a read under a management key, and names no stable code for why: an IP allowlist
    refuses this address, the key is limited to another workspace, or it is an inference key. The key may be good."""
