"""What was requested, by minute and by hour, and the query language over it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.openrouter.periods import DAY, day_of

MINUTE, HOUR = 60, 3_600
DAYS_OF_MINUTES = 2
"""Minutes are kept for the newest days only; older traffic is known by the hour, so that months stay small."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who asked whom for what. Analytics groups and filters by these."""

    key_hash: str
    workspace_id: str
    model: str
    provider: str
    app: str | None = None
    user: str | None = None


@dataclass(slots=True)
class Tally:
    """Sums over one bucket. USD: `usage` billed to credits, `upstream` BYOK inference paid elsewhere.

    `byok_requests` and `byok_fees` are the share of `requests` and `usage` that BYOK has in them.
    """

    requests: int = 0
    usage: float = 0.0
    upstream: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    byok_requests: int = 0
    byok_fees: float = 0.0

    @property
    def provider_side(self) -> float:
        """What the providers charge for it all, whoever pays them: USD."""
        return self.usage - self.byok_fees + self.upstream

    def add(self, other: "Tally") -> None:
        self.requests += other.requests
        self.usage += other.usage
        self.upstream += other.upstream
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.cached_tokens += other.cached_tokens
        self.byok_requests += other.byok_requests
        self.byok_fees += other.byok_fees


def tally_of(
    requests: int, usage: float, upstream: float, prompt_tokens: int, completion_tokens: int, *, is_byok: bool
) -> Tally:
    """Requests that all went one way: on BYOK, or on credits."""
    tally = Tally(requests, usage, upstream, prompt_tokens, completion_tokens)
    if is_byok:
        tally.byok_requests, tally.byok_fees = requests, usage
    return tally


type Buckets = dict[tuple[int, Traffic], Tally]


@dataclass(slots=True)
class Analytics:
    # By day, then by (start of minute or hour, traffic).
    _minutes: dict[int, Buckets] = field(default_factory=dict)
    _hours: dict[int, Buckets] = field(default_factory=dict)
    days_of_minutes: int = DAYS_OF_MINUTES

    def record(self, at: float, traffic: Traffic, tally: Tally) -> None:
        day = day_of(at)
        _add(self._hours.setdefault(day, {}), int(at // HOUR) * HOUR, traffic, tally)
        newest = max(self._hours)
        if day > newest - self.days_of_minutes:
            _add(self._minutes.setdefault(day, {}), int(at // MINUTE) * MINUTE, traffic, tally)
        for old in [each for each in self._minutes if each <= newest - self.days_of_minutes]:
            del self._minutes[old]

    def between(self, start: float, end: float, *, minutes: bool) -> Iterator[tuple[int, Traffic, Tally]]:
        """Buckets that begin in [start, end). By the minute where asked for and still kept."""
        for day in range(day_of(start), day_of(end) + 1):
            buckets = self._minutes.get(day) if minutes else None
            for (at, traffic), tally in (buckets or self._hours.get(day, {})).items():
                if start <= at < end:
                    yield at, traffic, tally

    def days(self) -> list[int]:
        return sorted(self._hours)


def _add(buckets: Buckets, at: int, traffic: Traffic, tally: Tally) -> None:
    found = buckets.get((at, traffic))
    if found is None:
        found = buckets[at, traffic] = Tally()
    found.add(tally)


def bucket_of(granularity: str, at: int) -> int:
    """When the bucket of this granularity that holds `at` began."""
    if granularity == "minute":
        return at - at % MINUTE
    if granularity == "hour":
        return at - at % HOUR
    day = day_of(at)
    if granularity == "week":
        return (day - (day + 3) % 7) * DAY
    if granularity == "month":
        return (day - datetime.fromtimestamp(at, UTC).day + 1) * DAY
    return day * DAY
