"""What each workload spends, by the minute, as OpenRouter's counters tell it. USD, own provider keys included."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from governor.policy import lineage_name
from sandbox.scenario.world import World

KEPT = 240
"""Readings shown."""
OTHERS = "all other keys"


@dataclass(frozen=True)
class Reading:
    """What each line spent in the `minutes` before the epoch minute `until`."""

    until: int
    minutes: int
    usd: dict[str, float]


@dataclass
class Money:
    """Reads the counters again and again. `lines`: workloads that have a line of their own; the rest share one."""

    world: World
    lines: tuple[str, ...]
    readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT))
    _counted: dict[str, float] = field(default_factory=dict)
    _until: int = 0
    _credits: float = 0.0
    _metered: float = 0.0
    _log_read: int = 0

    def __post_init__(self) -> None:
        # What was spent before Governor came is no spend of now.
        self._counted = {hash: usd for hash, _, usd in self._counters()}
        self._credits = self.world.simulator.organization.meter.usage
        self._until = self.world.metered_until

    def read(self) -> None:
        """Takes a reading of the minutes that have passed; what is spent within a minute joins the last one."""
        usd = dict.fromkeys((*self.lines, OTHERS), 0.0)
        for hash, line, counted in self._counters():
            usd[line] += max(0.0, counted - self._counted.get(hash, 0.0))
            self._counted[hash] = counted
        until = self.world.metered_until
        if until > self._until:
            self.readings.append(Reading(until, until - self._until, usd))
            self._until = until
        elif self.readings and any(usd.values()):
            last = self.readings[-1]
            together = {line: last.usd[line] + spent for line, spent in usd.items()}
            self.readings[-1] = Reading(last.until, last.minutes, together)

    def view(self) -> dict[str, Any]:
        """For the page: the instants (epoch seconds), and of each line its USD per hour at each of them.

        `spent_usd`, `metered_usd`: credits used since the installation, by OpenRouter's counter and by the meter's log.
        """
        return {
            "at": [one.until * 60 for one in self.readings],
            "lines": [self._line(name) for name in (*self.lines, OTHERS)],
            "spent_usd": round(self.world.simulator.organization.meter.usage - self._credits, 6),
            "metered_usd": round(self._metered_usd(), 6),
        }

    def _line(self, name: str) -> dict[str, Any]:
        now = self.world.now.timestamp()
        keys = [key for key in self.world.simulator.organization.keys if self._line_of(key.name) == name]
        return {
            "name": name,
            "rates": [round(one.usd[name] * 60 / one.minutes, 4) for one in self.readings],
            "month_usd": round(sum(sum(key.meter.usage_in("monthly", now)) for key in keys), 6),
        }

    def _counters(self) -> list[tuple[str, str, float]]:
        """Of every key its hash, its line, and what it has spent in its life."""
        with self.world.simulator.lock:
            keys = list(self.world.simulator.organization.keys)
            return [(key.hash, self._line_of(key.name), float(key.meter.usage + key.meter.byok)) for key in keys]

    def _line_of(self, key_name: str) -> str:
        workload = lineage_name(key_name)
        return workload if workload in self.lines else OTHERS

    def _metered_usd(self) -> float:
        """The sum over the meter's own log; only what is new of it is read."""
        log = self.world.engine.logs("SpendMeterFunction")
        whole = log.rfind("\n") + 1
        if whole > self._log_read:
            self._metered += sum(self.world.metered(log[self._log_read : whole]))
            self._log_read = whole
        return self._metered
