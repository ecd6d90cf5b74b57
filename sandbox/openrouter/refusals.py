"""What OpenRouter answers instead of a result: a status, a sentence, and a stable `error_type`."""

from typing import Any

_TYPES = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    409: "precondition_failed",
    429: "rate_limit_exceeded",
    500: "server",
    502: "provider_unavailable",
    503: "provider_overloaded",
}


class Refusal(Exception):
    """An answer other than success. `metadata` is added to the error's, `retry_after` is in seconds.

    `beside` holds what else the body says, next to the error, and `headers` what the answer carries.
    """

    def __init__(
        self, status: int, message: str, *, metadata: dict[str, Any] | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.metadata = {"error_type": _TYPES.get(status, "unmapped"), **(metadata or {})}
        self.retry_after = retry_after
        self.beside: dict[str, Any] = {}
        self.headers: dict[str, str] = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}

    def body(self) -> dict[str, Any]:
        """The vendor's envelope: `{"error": {"code", "message", "metadata"}}`."""
        return {"error": {"code": self.status, "message": self.message, "metadata": self.metadata}, **self.beside}


def not_found(what: str) -> Refusal:
    return Refusal(404, f"{what} not found")


def invalid(message: str) -> Refusal:
    return Refusal(400, message)
