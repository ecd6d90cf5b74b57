"""A service that uses a rotated key as the documents teach: it reads its secret, and reads it again after five minutes.

It does nothing clever when it is refused: no retry, no second look into the secret. What fails is counted as failed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.openrouter import Simulator
from sandbox.openrouter.traffic import DEFAULT_MODEL, Asked

CACHED = timedelta(minutes=5)
KEPT = 20
"""Failures remembered whole; the others are counted."""


@dataclass
class Replica:
    """One process of the service, with a cache of its own. Epoch seconds."""

    due: float
    plaintext: str = ""
    read_at: float = float("-inf")


@dataclass(frozen=True)
class Failure:
    """A request that was not answered with 200, and the key it bore."""

    at: datetime
    status: int
    key_hash: str


@dataclass
class Tally:
    """What became of the requests of a stretch of time. USD, BYOK included."""

    requests: int = 0
    failed: int = 0
    byok: int = 0
    usd: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)


class Consumer:
    """`replicas` processes that together ask once every `every`, each request for `usd`.

    Their caches are out of step, as those of real processes are. `read` answers the plaintext that the secret holds
    now.
    """

    def __init__(
        self,
        simulator: Simulator,
        read: Callable[[], str],
        start: datetime,
        *,
        usd: float,
        every: timedelta = timedelta(seconds=10),
        replicas: int = 3,
        cached: timedelta = CACHED,
        model: str = DEFAULT_MODEL,
        app: str = "service",
    ) -> None:
        self.usd = usd
        self.by_day: dict[datetime, Tally] = {}
        self._days: dict[int, Tally] = {}
        self.failures: list[Failure] = []
        self.keys: dict[str, datetime] = {}
        """Every key it was served with, and since when."""
        self._simulator, self._read, self._model, self._app = simulator, read, model, app
        self._period = every.total_seconds() * replicas
        self._cached = cached.total_seconds()
        first = start.timestamp()
        self._replicas = [Replica(first + number * every.total_seconds()) for number in range(replicas)]
        for number, replica in enumerate(self._replicas):
            # As if the first had started just now, and the others some minutes before it.
            replica.read_at, replica.plaintext = first - number * self._cached / replicas, read()

    @property
    def total(self) -> Tally:
        """Of its whole life."""
        return self.between(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

    def between(self, start: datetime, end: datetime) -> Tally:
        """Of the UTC days that begin in [start, end)."""
        found = [tally for day, tally in self.by_day.items() if start <= day < end]
        return Tally(
            sum(tally.requests for tally in found),
            sum(tally.failed for tally in found),
            sum(tally.byok for tally in found),
            sum(tally.usd for tally in found),
            sum((tally.statuses for tally in found), Counter()),
        )

    def until(self, moment: datetime) -> None:
        """Sends every request that is due before `moment`, each at its own instant, in their order."""
        end = moment.timestamp()
        while (replica := min(self._replicas, key=lambda one: one.due)).due < end:
            self._ask(replica, replica.due)
            replica.due += self._period

    def now(self, moment: datetime) -> None:
        """One request of each process at this very instant, beside its run."""
        for replica in self._replicas:
            self._ask(replica, moment.timestamp())

    def _ask(self, replica: Replica, at: float) -> None:
        if at - replica.read_at >= self._cached:
            replica.plaintext, replica.read_at = self._read(), at
        self._count(self._simulator.ask(replica.plaintext, self.usd, at, model=self._model, app=self._app), at)

    def _count(self, answer: Asked, at: float) -> None:
        day = int(at // 86_400)
        tally = self._days.get(day)
        if tally is None:
            tally = self._days[day] = self.by_day[datetime.fromtimestamp(day * 86_400, UTC)] = Tally()
        tally.requests += 1
        tally.statuses[answer.status] += 1
        if answer.status == 200:
            tally.usd += answer.usd
            tally.byok += answer.is_byok
            if answer.key_hash not in self.keys:
                self.keys[answer.key_hash] = datetime.fromtimestamp(at, UTC)
            return
        tally.failed += 1
        if len(self.failures) < KEPT:
            self.failures.append(Failure(datetime.fromtimestamp(at, UTC), answer.status, answer.key_hash))
