"""What can be wrong with a BYOK credential on its provider's side, and which requests it strikes."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

type Kind = Literal["revoked", "rate_limited", "region_denied", "unavailable", "ambiguous", "slow"]

STATUSES: dict[Kind, int] = {
    "revoked": 401,
    "rate_limited": 429,
    "region_denied": 403,
    "unavailable": 503,
    "ambiguous": 400,
    "slow": 200,
}
"""What the provider answers. A slow one serves, late."""


@dataclass(slots=True)
class Trouble:
    """Of the requests that reach the credential, the first `after` are spared; then `times` are struck (None: all).

    It strikes from `since` until just before `until` (epoch seconds, None: unbounded); requests outside are not
    counted. `seconds` is how late a slow one answers: it is told in every answer, and nobody waits for it.
    """

    kind: Kind
    times: int | None = None
    after: int = 0
    since: float | None = None
    until: float | None = None
    seconds: float = 9.0
    seen: int = field(default=0)

    def __post_init__(self) -> None:
        if self.kind not in STATUSES:
            raise ValueError(f"unknown trouble: {self.kind}; there are {', '.join(STATUSES)}")

    @property
    def counts(self) -> bool:
        """Whether two requests at one instant may meet different answers."""
        return self.times is not None or self.after > 0

    def strikes(self, at: float) -> bool:
        """Count one request that reaches the credential at this instant; whether it is struck."""
        if (self.since is not None and at < self.since) or (self.until is not None and at >= self.until):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)

    def status(self, provider: str) -> int:
        """What this provider answers. Google says 400 to a bad key."""
        if self.kind == "revoked" and provider.startswith("google"):
            return 400
        return STATUSES[self.kind]

    def view(self) -> dict[str, Any]:
        return asdict(self)
