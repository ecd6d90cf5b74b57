"""One run over every lineage, or one request about one, from whatever point an earlier attempt reached (promise 1).

One lineage's failure never spares or stops the others: all are tried, then the first error is raised.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from governor.approvals.store import NotGranted
from governor.events import DetailType, Event
from governor.keys.allowance import Needs
from governor.keys.attachments import NOTHING
from governor.keys.limit_claim import LimitsClaimed
from governor.keys.lineage import Lineage, LineageKey
from governor.keys.rollback import KIND
from governor.keys.rotation_end import BY_HAND
from governor.ledger import ABSENT, LedgerConflict
from governor.policy import Workload
from key_retirement.allowances import known_needs
from key_retirement.balancing import note_spend, rebalance
from key_retirement.copying import Behind, copy, require
from key_retirement.decide import Decision, quarantine, spared
from key_retirement.draining import blocked, watch
from key_retirement.drifting import check, check_replaced, is_urgent
from key_retirement.expiring import notice
from key_retirement.following import follow, read_again
from key_retirement.leaving import Leaving
from key_retirement.lineage_selection import SETTLING, looked_at
from key_retirement.orphans import remove_orphans
from key_retirement.places import Places, WorkloadUnknown
from key_retirement.ports import LineageRun, Ports
from key_retirement.proving import kept, prove
from key_retirement.reconciling import reconcile, unblock
from key_retirement.releasing import release_all
from key_retirement.retiring import delete, is_noted, keep_out, mark_leaked, note_last_spend, retire
from key_retirement.rollback import roll_back
from key_retirement.settings import Asked, Grant, Look, Rollback, Rotated
from key_retirement.side_by_side import side_by_side
from key_retirement.taking_back import take_back
from key_retirement.usage_queries import Asking, ending
from management_api import AuthenticationFailed, Deadline

if TYPE_CHECKING:
    from management_api import OpenRouter

ATTEMPTS = 4
ORPHANS_BEFORE_MINUTE = 10
"""Orphans are looked for in the first run of each hour."""
REMEMBERED = timedelta(days=62)
"""A deleted key's spend counts until its month is over."""


@dataclass(frozen=True)
class Report:
    """What a run came to."""

    tended: int = 0
    put_off: int = 0
    told: str = ""


@dataclass(frozen=True)
class KeyRetirement:
    """What outlives an invocation. `management_key_secret`: its name."""

    ports: Ports
    management_key_secret: str = ""

    def act(self, asked: Asked, seconds_left: Callable[[], float]) -> Report:
        """Raises whatever kept a lineage from being tended, once the others are; the next run goes on from there.

        Raises `NotGranted` for a grant that no decision bears out.
        """
        deadline = Deadline(seconds_left)
        try:
            return self._acted(asked, self.ports.connect(deadline), seconds_left)
        except AuthenticationFailed:
            self.ports.log.warning("the management key was refused; its secret is read again")
            return self._acted(asked, self.ports.connect(deadline, fresh=True), seconds_left)

    def _acted(self, asked: Asked, account: "OpenRouter", seconds_left: Callable[[], float]) -> Report:
        if isinstance(asked, Rollback):
            return Report(1, 0, self._roll_back(asked, account, seconds_left).detail_type.value)
        if isinstance(asked, Grant):
            return self._granted(asked, account, seconds_left)
        if isinstance(asked, Look):
            event = notice(self.ports, account, self.management_key_secret)
            self.ports.bus.publish([event] if event else [])
            return Report(told=event.detail_type.value if event else "")
        if isinstance(asked, Rotated):
            return self._copied(asked.workload)
        hourly = asked.workload is None and asked.at.minute < ORPHANS_BEFORE_MINUTE
        lineages = {lineage.workload: lineage for lineage in self.ports.lineages.all()}
        needs = known_needs(self.ports)
        open_ones = looked_at(self.ports.policy, lineages, needs, asked, self.ports.clock(), hourly=hourly)
        errors = release_all(self.ports, account, lineages)
        return self._tended(open_ones, lineages, needs, account, hourly, seconds_left, errors)

    def _copied(self, name: str) -> Report:
        """A workload was just rotated: its copies are written at once. All else can wait for the next run, which sees
        every key that was rotated since by one list a workspace. Raises `CopyFailed`."""
        workload = self.ports.policy.workload(name)
        if workload is None:
            return Report()
        require(name, copy(self.ports, workload))
        return Report(tended=1)

    def _tended(
        self,
        workloads: Sequence[Workload],
        lineages: Mapping[str, Lineage],
        needs: Needs | None,
        account: "OpenRouter",
        hourly: bool,
        seconds_left: Callable[[], float],
        errors: list[Exception],
    ) -> Report:
        places, leaving = Places(account), Leaving()
        quiet = {workload.name: (workload.rotation or BY_HAND).quiet for workload in workloads}
        asking = Asking(ending(lineages, quiet, self.ports.clock()))

        def turn(workload: Workload) -> bool:
            if seconds_left() <= 0:
                return False
            try:
                place = places.of(workload)
                known, now = lineages.get(workload.name), self.ports.clock()
                before = known.version if known else ABSENT
                run = LineageRun(self.ports, account, workload, place, now, seconds_left, before, needs, leaving)
                _again(partial(tend, run, asking, hourly))
            except AuthenticationFailed:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, when every other lineage has had its turn
                self.ports.log.warning(
                    "a lineage could not be tended", extra={"workload": workload.name, "error": f"{error}"}
                )
                errors.append(error)
            return True

        begun = side_by_side(workloads, turn)
        errors += leaving.leave(account)
        if errors:
            raise errors[0]
        return Report(begun.count(True), begun.count(False))

    def _granted(self, asked: Grant, account: "OpenRouter", seconds_left: Callable[[], float]) -> Report:
        """What people decided, carried out once and then noted; a repeat of its event does nothing more."""
        try:
            grant = self.ports.approvals.granted(asked.approval, (KIND,))
        except NotGranted as error:
            if error.state in ("done", "failed"):
                return Report()
            raise
        request = grant.request
        # Under the request's own id: however often its event is delivered, it is one rollback.
        event = replace(asked.event, id=request.id, subject=request.subject)
        told = self._roll_back(Rollback(event, grant.approved_by[-1], grant), account, seconds_left)
        done = told.detail_type is DetailType.ROTATION_ROLLED_BACK
        self.ports.approvals.finish(request.id, "done" if done else "failed", told.reason)
        return Report(1, 0, told.detail_type.value)

    def _roll_back(self, asked: Rollback, account: "OpenRouter", seconds_left: Callable[[], float]) -> Event:
        workload = self.ports.policy.workload(asked.event.subject)
        if workload is None or not workload.secret:
            raise WorkloadUnknown(f"detail.subject: the policy has no workload {asked.event.subject!r} with a secret")
        before = self.ports.lineages.get(workload.name).version
        place, now = Places(account).of(workload), self.ports.clock()
        run = LineageRun(self.ports, account, workload, place, now, seconds_left, before, known_needs(self.ports))

        def once() -> Event:
            lineage = self.ports.lineages.get(workload.name)
            event = roll_back(follow(read_again(run, lineage), lineage), lineage, asked)
            self.ports.bus.publish([event])
            return event

        return _again(once)


def tend(run: LineageRun, asking: Asking, hourly: bool) -> None:
    """One lineage, each of its keys by the rules of `decide`. Raises `LedgerConflict`: read and decide again."""
    lineage = run.ports.lineages.get(run.workload.name)
    run = read_again(run, lineage)
    lineage = reconcile(run, lineage)
    run = follow(run, lineage)
    if hourly:
        lineage = unblock(run, lineage)
    lineage = mark_leaked(run, lineage)
    lineage = take_back(run, lineage)
    # What people changed by hand is told before anything is done that it may keep from its end.
    if hourly or is_urgent(run, lineage):
        lineage = check(run, lineage)
    lineage = check_replaced(run, lineage)
    behind = copy(run.ports, run.workload)
    for key in lineage.keys:
        if key.state == "overlap":
            run, lineage = _drained(run, asking, lineage, key, behind)
        elif key.state == "quarantined":
            run, lineage = _quarantined(run, lineage, key, hourly)
    lineage = _forgetting(run, lineage)
    lineage = note_spend(run, lineage)
    try:
        lineage = rebalance(run, lineage)
    except LimitsClaimed as claim:
        run.ports.log.info("limits are left to the next run", extra={"reason": f"{claim}"})
    if hourly and run.workload.rotation:
        remove_orphans(run, lineage)
    require(lineage.workload, behind)


def _drained(
    run: LineageRun, asking: Asking, lineage: Lineage, key: LineageKey, behind: Sequence[Behind]
) -> tuple[LineageRun, Lineage]:
    held = _is_held(run)
    seen, decision = watch(run, asking, key, held=held, behind=bool(behind))
    decision = _spared(run, lineage, seen, decision)
    run.ports.log.info("drain", extra={"key": key.name, "rule": decision.rule, "forced": decision.forced})
    match decision.action:
        case "retire":
            return retire(run, lineage, seen)
        case "forget":
            return run, delete(run, lineage, seen, None)
        case "tell":
            live = run.place.keys[key.hash]
            last = decision.rule in ("last_key", "put_back")
            event = kept(run, lineage, seen, decision.rule) if last else blocked(run, lineage, seen, live, behind)
            run.ports.bus.publish([event])
            seen = replace(seen, told_at=run.now)
    return run, run.ports.lineages.write(lineage.with_key(seen)) if seen != key else lineage


def _quarantined(run: LineageRun, lineage: Lineage, key: LineageKey, hourly: bool) -> tuple[LineageRun, Lineage]:
    live = run.place.keys.get(key.hash)
    decision = _spared(run, lineage, key, quarantine(key, live, run.now))
    if decision.action in ("forget", "delete"):
        return run, delete(run, lineage, key, live)
    if decision.action == "tell":
        run.ports.bus.publish([kept(run, lineage, key, decision.rule)])
        lineage = run.ports.lineages.write(lineage.with_key(replace(key, told_at=run.now)))
    if decision.action == "disable":
        return retire(run, lineage, key)
    # It can do nothing, disabled as it is: who points at it is looked at while it may not have left every list yet, and
    # then once an hour.
    watched = hourly or run.now - key.since < SETTLING or not is_noted(key)
    if watched and (run.attachments(key.hash) != NOTHING or not is_noted(key)):
        last = keep_out(run, key)
        key = lineage.key(key.hash) or key
        lineage = note_last_spend(run, lineage, key, last) if last else lineage
    return run, lineage


def _spared(run: LineageRun, lineage: Lineage, key: LineageKey, decision: Decision) -> Decision:
    """The decision as it stands once the current key was asked, which it is only where a key would go for it."""
    if decision.action not in ("retire", "delete") or key.exposed:
        return decision
    return spared(decision, prove(run, lineage, key), key, run.now, held=_is_held(run))


def _is_held(run: LineageRun) -> bool:
    return bool(run.ports.causes.causes(run.workload.name).standing())


def _forgetting(run: LineageRun, lineage: Lineage) -> Lineage:
    kept = tuple(key for key in lineage.keys if key.state != "deleted" or run.now - key.since < REMEMBERED)
    return lineage if kept == lineage.keys else run.ports.lineages.write(replace(lineage, keys=kept))


def _again[T](once: Callable[[], T]) -> T:
    for _ in range(ATTEMPTS - 1):
        try:
            return once()
        except LedgerConflict:
            continue
    return once()
