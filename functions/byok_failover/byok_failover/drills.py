"""Failover drills: the first credential is disabled, the next must serve a probe in time, and it is enabled again.

Rows: `drill#<provider>`, one at a time over the whole account; the hold; `drilled#<order>`, so that an order delivered
twice is one drill. All three are written at once, before anything is disabled; the result is written with the rows'
end. A drill that dies in between is undone, and told as failed, by the next run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from byok_failover.chain import called, chain
from byok_failover.decide import Seen
from byok_failover.drill_rules import (
    Order,
    Plan,
    Result,
    Unready,
    cut_off,
    expected,
    in_words,
    is_next,
    left,
    served_by,
    why,
)
from byok_failover.failover_events import drilled
from byok_failover.holds import LEASE, Hold, Holds
from byok_failover.inventory import Inventory
from byok_failover.probing import Probing, Spent, Unfit
from byok_failover.store import FailoverStore, put
from governor.clock import format_instant, parse_instant
from governor.events import Event
from governor.events.byok_evidence import CredentialRef
from governor.ledger import Delete, LedgerConflict, Put, Row
from governor.policy import Byok

DRILL, DONE, LAST, FINISH = "drill#", "drilled#", "lastdrill#", "finish#"
REMEMBER = timedelta(days=30)
PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each of a drill's probes, the last one again and again: a change takes its time to be everywhere."""


@dataclass(frozen=True)
class Drills:
    """Drills of one run."""

    store: FailoverStore
    holds: Holds
    probing: Probing
    pause: Callable[[float], None]

    def due(self, byok: Byok, now: datetime) -> Order | None:
        """The drill that the schedule wants now: in its window, and so long after the last."""
        drill = byok.drill
        if drill is None or drill.every is None or not drill.window.holds(now):
            return None
        row = self.store.row(LAST + byok.name)
        if row and now < parse_instant(row.data["at"]) + drill.every:
            return None
        return Order(byok.name, "schedule", f"{now:%Y-%m-%d}")

    def run(self, byok: Byok, order: Order, inventory: Inventory) -> Event | None:
        """One drill, from the plan to its result; None where this very one was run before.

        Raises `Unready` for a part of the account that could not be read.
        """
        if self.store.row(DONE + order.name):
            return None
        try:
            plan = self._planned(byok, order, inventory)
        except Unready as error:
            if error.rule == "unread":
                raise  # nothing is decided on what was not read: the next delivery, or run, asks again
            return self.refuse(order, error.rule, error.reason, byok)
        except Unfit as error:
            return self.refuse(order, error.rule, f"{error.detail}. {error.todo}".rstrip("."), byok)
        return self._drilled(plan)

    def refuse(self, order: Order, rule: str, reason: str, byok: Byok | None = None) -> Event | None:
        """Tells why a drill is not begun, once for each order; a scheduled one is wanted again on the next day."""
        if self.store.row(DONE + order.name):
            return None
        now = self.store.clock()
        result = Result(rule, reason[:1].upper() + reason[1:] + ".")
        told = _Told(order.data(byok), result, now)
        self.store.commit(_once(order, now), *told.writes, told=[told.event])
        return told.event

    def undo(self, hold: Hold) -> Event | None:
        """Ends a drill that died: enables the credential, where it is disabled under our mark, and tells."""
        hold = self.holds.leased(hold, "releasing")
        state = self.holds.give_back(hold)
        drill = next(
            (row for row in self.store.rows(DRILL).values() if row.data["credential"] == hold.credential), None
        )
        now = self.store.clock()
        if drill is None:
            self.holds.forget(hold)
            return None
        back = state in ("ours", "enabled")
        ref = CredentialRef(id=hold.credential, name=hold.name or hold.label or hold.credential)
        reason = "The drill died half-way. " + (f"{ref.name} is enabled again." if back else left(state))
        told = _Told(drill.data, Result("interrupted", reason, ref, back=back), now)
        self.holds.forget(hold, _gone(drill), *told.writes, told=[told.event])
        return told.event

    def _planned(self, byok: Byok, order: Order, inventory: Inventory) -> Plan:
        place = inventory.place(byok.workspace)
        if place is None or place.credentials is None or place.keys is None or not inventory.credentials_complete:
            raise Unready("unread", "the account could not be read whole, so what would be cut off is not known")
        if byok.drill is None or byok.probe is None or byok.probe.secret is None:
            raise Unready("unknown_decision", f"the policy names no drill for {byok.name}")
        if self.store.row(DRILL + byok.provider):
            raise Unready("under_way", f"another drill of {byok.provider} is under way")
        prober = self.probing.prober(byok.probe.secret, byok, place, inventory)
        first = next((one for one in prober.steps[:1] if one.kind == "prioritized"), None)
        if first is None or first.credential is None:
            raise Unready("nothing_first", "no enabled prioritized credential lets the probe's key in")
        if self.store.row("hold#" + first.credential.id):
            raise Unready("held", f"Governor holds {called(first.credential)} disabled already")
        if any(one.keys is None for one in inventory.places_of(first.credential)):
            raise Unready("unread", "not every workspace that the credential serves could be read")
        cut = cut_off(first.credential.id, inventory)
        zdr = inventory.demands_zdr(place, prober.asker, byok.provider)
        after = chain(
            place.credentials, byok.provider, prober.asker, byok.probe.model, without=first.credential.id, zdr=zdr
        )
        if cut or not after:
            raise Unready("would_cut_off", f"without it, {cut or prober.asker.name} would be refused outright")
        return Plan(byok, order, prober, first, expected(byok), after)

    def _drilled(self, plan: Plan) -> Event | None:
        try:
            seen = self.probing.send(plan.byok, plan.prober)
        except Spent as error:
            return self.refuse(plan.order, "probes_spent", f"the day's probes are used up: {error}", plan.byok)
        except Unfit as error:
            return self.refuse(plan.order, error.rule, f"{error.detail}. {error.todo}".rstrip("."), plan.byok)
        if seen.sign not in ("served", "strained"):
            reason = f"{plan.ref.name} does not serve now: {seen.detail}"
            return self.refuse(plan.order, "not_first_healthy", reason, plan.byok)
        credential, now = plan.first.credential, self.store.clock()
        assert credential
        name = None if credential.name is None else called(credential)
        hold = Hold(credential.id, "drill", plan.byok.name, plan.order.token, now, now + LEASE, name=name)
        hold = replace(hold, label=credential.label)
        begun = {**plan.order.data(plan.byok), "credential": credential.id, "at": format_instant(now)}
        try:
            hold = self.holds.take(hold, put(DRILL + plan.byok.provider, begun), _once(plan.order, now))
        except LedgerConflict:
            if self.store.row(DRILL + plan.byok.provider) is None and self.store.row("hold#" + credential.id) is None:
                raise
            return self.refuse(plan.order, "under_way", "another drill, or a bench, has it in hand", plan.byok)
        if hold.status != "held":
            reason = f"{plan.ref.name} was disabled by somebody else meanwhile, and stays so."
            result = Result("disabled_meanwhile", reason, plan.ref, back=False, chain=plan.chains)
        else:
            result = self._watched(plan, hold)
            state = self.holds.give_back(hold)
            if state not in ("ours", "enabled"):
                result = replace(result, back=False, reason=f"{result.reason} {left(state)}")
        return self._over(plan, hold, begun, result)

    def _over(self, plan: Plan, hold: Hold, begun: dict[str, Any], result: Result) -> Event:
        now = self.store.clock()
        lock = self.store.row(DRILL + plan.byok.provider)
        before = self.store.row(LAST + plan.byok.name)
        last = put(LAST + plan.byok.name, {"at": format_instant(now), "rule": result.rule}, before)
        told = _Told(begun, result, now)
        self.holds.forget(hold, last, *([_gone(lock)] if lock else []), *told.writes, told=[told.event])
        return told.event

    def _watched(self, plan: Plan, hold: Hold) -> Result:
        """The measurement; whatever goes wrong in it, the credential is enabled before anybody hears of that."""
        try:
            return self._measured(plan)
        except Exception:
            self.holds.give_back(hold)
            raise

    def _measured(self, plan: Plan) -> Result:
        """Probes until the next has served, or time is up."""
        assert plan.byok.drill
        began = self.store.clock()
        end = began + timedelta(seconds=plan.byok.drill.within_seconds)
        wanted = in_words(plan)
        cost, count, last = 0.0, 0, Seen("silent", "no probe was answered")
        for pause in _pauses():
            if count and self.store.clock() + timedelta(seconds=pause) >= end:
                break
            self.pause(pause)
            try:
                last = self.probing.send(plan.byok, replace(plan.prober, steps=plan.after))
            except (Unfit, Spent) as error:
                last = Seen("silent", f"{error}")
                break
            count, cost = count + 1, cost + (last.cost_usd or 0.0)
            if is_next(plan.expected, last):
                seconds = (self.store.clock() - began).total_seconds()
                reason = f"Without {plan.ref.name}, {wanted} served after {_in_seconds(seconds)}."
                return Result(
                    "passed", reason, plan.ref, wanted, served_by(last), seconds, cost, count, chain=plan.chains
                )
        served = served_by(last)
        rule, what = ("wrong_next", f"{served} served") if served else ("not_served", f"nothing did ({last.detail})")
        reason = f"Without {plan.ref.name}, {wanted} should have served, and {what}."
        if rule == "wrong_next" and plan.expected == "own":
            reason += f" {why(plan)}"
        return Result(rule, reason, plan.ref, wanted, served, None, cost, count, chain=plan.chains)


class _Told:
    """A result's event, and what is written with it: what became of a decision, where people took one."""

    def __init__(self, begun: Mapping[str, Any], result: Result, now: datetime) -> None:
        self.event = drilled(begun, result, now)
        outcome = {"result": "done" if result.rule == "passed" else "failed", "why": result.reason}
        self.writes = [put(FINISH + begun["order"], outcome)] if begun["granted"] else []


def _once(order: Order, now: datetime) -> Put:
    """That this order was carried out: whoever brings it again finds it."""
    return put(DONE + order.name, {"at": format_instant(now)}, expires_at=now + REMEMBER)


def _in_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else "less than 0.1 s"


def _pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


def _gone(row: Row) -> Delete:
    return Delete(row.pk, row.sk, row.version)
