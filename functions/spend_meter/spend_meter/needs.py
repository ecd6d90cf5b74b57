"""What each workload with an allowance may need until somebody looks again, and whether it has run out. Pure; USD.

A need is `TIMES` what the subject itself ever spent in as many hours, more where few days of spend are known, and
`LEAST` in any case. Replayed over the habits of `make detector` with the meter dead for six hours from any moment, a
need of 2.5 times refused requests in 14 of 33,749 windows in which a live meter suspected nothing, one of 3 in none.
What the policy declares and what a person said was meant is added: it is no habit. A subject that the detector does
not know yet (`warm_days`, `warm_days_of_spend`) has no need, and so no allowance.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from governor.keys.allowance import Need, has_run_out, needs_a_look
from spend_meter.days import DAYS, WINDOWS
from spend_meter.declared import declared_at
from spend_meter.history import History
from spend_meter.limits import LIMITS
from spend_meter.periods import period_of
from spend_meter.runaway import QUIET
from spend_meter.runaway import State as Suspicion
from spend_meter.scopes import counter

if TYPE_CHECKING:
    from governor.policy import Workload
    from management_api import ApiKey
    from spend_meter.habits import Habits
    from spend_meter.subjects import Lineage, LineageOf, Subjects

TIMES = 3.0
LEAST = 10.0
"""USD: as the detector's lowest floor, less is not worth a refused request."""
THIN = 0.5
"""For n days of spend the need grows by (28 / n) to this power."""


def need_usd(history: History, covers: int) -> float | None:
    """USD that a key's habit may need in the next `covers` minutes (an hour to a day); None: it is not known yet."""
    days = history.days_of_spend
    if history.days_seen < LIMITS.warm_days or days < LIMITS.warm_days_of_spend:
        return None
    largest = min(
        -(-covers // window) * history.maxima(window)[0]  # so many windows, or one that is longer
        for window in (*(one for one in WINDOWS if one <= covers), next(one for one in WINDOWS if one >= covers))
    )
    window = next(one for one in WINDOWS if one >= covers)
    return max(LEAST, TIMES * float((DAYS / days) ** THIN) * largest, LIMITS.meant * history.expected(window))


def needs_of(
    habits: "Habits",
    suspicions: Mapping[str, Suspicion],
    expected: Mapping[str, int],
    subjects: "Subjects",
    lineage_of: "LineageOf",
    minute: int,
) -> dict[str, Need]:
    """The need of every workload that has an allowance, a lineage and a habit."""
    found: dict[str, Need] = {}
    for workload in subjects.with_allowance:
        name, history = workload.name, habits.look(workload.name, minute)
        usd = workload_need(workload, history, subjects, minute) if history else None
        if usd is None or not subjects.hashes_of(name):
            continue
        renew = suspicions.get(name, QUIET).suspect_ticks == 0 and suspicions.get(name, QUIET).level == QUIET.level
        need = Need(round(usd, 2), renew or minute < expected.get(name, 0))
        found[name] = Need(need.usd, need.renew, _is_due(workload, lineage_of(name), need, subjects))
    return found


def workload_need(workload: "Workload", history: History, subjects: "Subjects", minute: int) -> float | None:
    """USD that the habit may need, and what the policy declares for the time that the allowance covers."""
    covers = _covers(workload)
    usd = need_usd(history, covers)
    expect = subjects.limits(workload.name).runaway.expect
    if usd is None or not expect:
        return usd
    ahead = declared_at(expect, subjects.time_zone(workload.name), minute + covers)
    return usd + sum(one.up_to_usd for one in ahead if one.end > minute)


def ran_out(workload: "Workload | None", lineage: "Lineage", history: History, subjects: "Subjects") -> bool:
    """Whether OpenRouter refuses requests of the workload for its allowance, and not for its cap."""
    if workload is None or workload.key.allowance is None or workload.key.limit_usd is None:
        return False
    cap, own = workload.key.limit_usd, governed(workload, lineage, subjects)
    if not any(has_run_out(key, cap) for key in own):
        return False
    usd = workload_need(workload, history, subjects, history.minute)
    period, byok = period_of(workload.key.limit_reset), workload.key.include_byok_in_limit
    return usd is not None and cap - sum(counter(key, period, byok) for key, _ in lineage) > min(usd, cap / 10)


def governed(workload: "Workload", lineage: "Lineage", subjects: "Subjects") -> "Sequence[ApiKey]":
    """The enabled keys of the workload whose limits Governor sets: those that the ledger's lineage knows."""
    hashes = subjects.hashes_of(workload.name)
    return [key for key, _ in lineage if key.hash in hashes and not key.disabled]


def _is_due(workload: "Workload", lineage: "Lineage", need: Need, subjects: "Subjects") -> bool:
    """Several keys are tended at every run of `key_retirement` anyway; a limit that a person set is not Governor's."""
    keys = governed(workload, lineage, subjects)
    if len(keys) != 1 or not subjects.is_given(keys[0]):
        return False
    return needs_a_look(keys[0], workload.key.limit_usd or 0.0, need)


def _covers(workload: "Workload") -> int:
    return int(workload.key.allowance.covers.total_seconds() // 60) if workload.key.allowance else 0
