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
    """An answer other than success. `metadata` is added to the error's, `retry_after` is in seconds."""

    def __init__(
        self, status: int, message: str, *, metadata: dict[str, Any] | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.metadata = {"error_type": _TYPES.get(status, "unmapped"), **(metadata or {})}
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The vendor's envelope: `{"error": {"code", "message", "metadata"}}`."""
        return {"error": {"code": self.status, "message": self.message, "metadata": self.metadata}}


def not_found(what: str) -> Refusal:
    return Refusal(404, f"{what} not found")


def invalid(message: str) -> Refusal:
    return Refusal(400, message)
