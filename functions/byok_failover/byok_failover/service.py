"""One run: what was left half done is undone first, then everything is looked at, and told once.

In this order: events that are owed; holds whose owner died; the account as it is; gaps; shares of spend; probes and
benches; trials; one drill, if its window is open; reviews; the page. What fails keeps no other from its turn, and is
raised at the end, so that the next run, or delivery, goes on from what stands.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from byok_failover.active_checks import Attending
from byok_failover.benching import Benching
from byok_failover.drill_rules import Order, Unready
from byok_failover.drills import FINISH, Drills
from byok_failover.gaps import Looked, look
from byok_failover.holds import Hold, Holds, strays
from byok_failover.inventory import Inventory, decisions, read
from byok_failover.passive_checks import Watching, note_gaps
from byok_failover.ports import Ports
from byok_failover.probing import RULES as PROBE_RULES
from byok_failover.probing import Probing
from byok_failover.remembered import remember, remembered
from byok_failover.reviewing import publish_page, review
from byok_failover.shares import Record
from byok_failover.store import FailoverStore, delete
from governor.approvals.approval import Approval, Kind
from governor.approvals.store import NotGranted
from governor.events import UNNAMED
from governor.keys.owners import owners
from governor.ledger import LedgerConflict
from governor.policy import Byok, Policy
from management_api import AuthenticationFailed, Deadline

if TYPE_CHECKING:
    from byok_failover.settings import Asked
    from management_api import OpenRouter


KINDS: frozenset[Kind] = frozenset({"drill"})


@dataclass
class Report:
    """What a run came to. `told`: the detail types that reached the bus. `chains`: for the log."""

    told: list[str] = field(default_factory=list)
    probes: int = 0
    unread: list[str] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ByokFailover:
    """What outlives an invocation."""

    ports: Ports

    def act(self, asked: "Asked", seconds_left: Callable[[], float]) -> Report:
        """A run, or the drill that somebody asks for. Raises whatever kept a part from its turn, at the end."""
        connect = partial(self.ports.connect, Deadline(seconds_left))
        try:
            return _Tick(self.ports, connect(), asked).run()
        except AuthenticationFailed:
            self.ports.log.warning("the management key was refused; its secret is read again")
            return _Tick(self.ports, connect(fresh=True), asked).run()


def _approved(grant: Approval, policy: Policy) -> bool:
    """Whether people whom the policy names approved it: the request itself is a row that others may write too."""
    approvers = set(policy.approvals.approvers if policy.approvals else ())
    others = set(grant.approved_by) - {grant.request.requested_by}
    return bool(others) and set(grant.approved_by) <= approvers and len(others) >= grant.request.needed


class _Tick:
    """One invocation's work, and what it has found so far."""

    def __init__(self, ports: Ports, account: "OpenRouter", asked: "Asked") -> None:
        self.ports, self.account, self.asked = ports, account, asked
        self.now = ports.clock()
        self.store = FailoverStore(ports.ledger, ports.bus, ports.clock)
        self.holds = Holds(self.store, account)
        self.probing = Probing(self.store, account, ports.probe_key, ports.clock)
        self.benching = Benching(self.store, self.holds, self.probing)
        self.drills = Drills(self.store, self.holds, self.probing, ports.pause)
        self.report = Report()
        self.errors: list[Exception] = []
        self.records: dict[str, Record] = {}

    def run(self) -> Report:
        self._tried("events owed", self._pay)
        self._undo()
        if self.asked.drill:
            self._tried("the drill", self._asked_for)
        else:
            self._tried("the checks", self._look)
        self._tried("events owed", self._pay)
        if self.errors:
            raise self.errors[0]
        return self.report

    def _undo(self) -> None:
        """Ends what a dead owner left, before anything else may disable a credential."""
        for hold in self._standing():
            if hold.status != "benched" and hold.until <= self.now:
                self._tried(f"the hold of {hold.credential}", partial(self._undone, hold))

    def _undone(self, hold: Hold) -> None:
        if hold.cause == "drill":
            self.drills.undo(hold)
        else:
            self.benching.undo(hold, self.now)

    def _standing(self) -> list[Hold]:
        found: list[Hold] = []
        self._tried("holds", lambda: found.extend(self.holds.standing()))
        return found

    def _asked_for(self) -> None:
        """The drill that an event, or people's decision, asks for. Raises `NotGranted`."""
        asked, grant = self.asked, None
        if asked.granted:
            try:
                grant = self.ports.approvals.granted(asked.id, KINDS)
            except NotGranted as error:
                if error.state in ("done", "failed"):
                    return  # carried out before
                raise
            asked = replace(asked, drill=grant.request.subject, by=" and ".join(grant.approved_by))
        order = Order(asked.drill, asked.by, asked.id, asked.granted)
        byok = next((one for one in decisions(self.ports.policy) if one.name == order.decision), None)
        if grant is not None and not _approved(grant, self.ports.policy):
            reason = "it was not granted by an approver of the policy who is not the one who asked"
            self.drills.refuse(order, "not_an_approver", reason, byok)
        elif grant is None and not self.ports.policy.believes_events:
            # Under an id of its own: the sender chose the event's, and could block the drill that people decided.
            unnamed = replace(order, by=UNNAMED, id=f"event-{order.id}")
            reason = "the policy believes no event that names who asks: ask in Slack"
            self.drills.refuse(unnamed, "not_believed", reason)
        elif byok is None:
            reason = f"the policy has no decision {order.decision}: give workspace/provider as it is written there"
            self.drills.refuse(order, "unknown_decision", reason)
        else:
            self.drills.run(byok, order, self._read())

    def _read(self) -> Inventory:
        """The account, after what is known of it: a key that is made meanwhile is in the lists, and one that is known
        was made before."""
        names, seen = owners(self.ports.ledger), remembered(self.store)
        return read(self.account, self.ports.policy, names, seen)

    def _look(self) -> None:
        inventory = self._read()
        self.report.unread += inventory.errors
        self._tried("what was seen", partial(self._remember, inventory))
        self._tried("strays", partial(self._strays, inventory))
        looked = {byok.name: (byok, look(byok, inventory)) for byok in decisions(self.ports.policy)}
        self.report.chains = [line for _, seen in looked.values() for line in seen.chains]
        self._tried("shares", partial(self._shares, inventory))
        for name, (byok, seen) in looked.items():
            looked[name] = byok, self._attended(byok, seen, inventory)
        self._tried("gaps", lambda: note_gaps(self.store, looked, self.now))
        for hold in self._standing():
            if hold.status == "benched":
                self._tried(f"the bench of {hold.credential}", partial(self._tended, hold, inventory))
        self._tried("a drill", partial(self._scheduled, inventory))
        for byok in self.ports.policy.byok:
            self._tried(f"the review of {byok.name}", partial(review, self.store, byok, self.now))
        seen_by_name = {name: seen for name, (_, seen) in looked.items()}
        self._tried(
            "the page", partial(publish_page, self.store, self.ports.pages, inventory, seen_by_name, self.records)
        )

    def _remember(self, inventory: Inventory) -> None:
        remember(self.store, inventory.observed(), all_read=inventory.workspaces_known)

    def _strays(self, inventory: Inventory) -> None:
        """Credentials under our mark of which no row speaks. Rows are read after the credentials were."""
        found = list(inventory.credentials.values())
        for hold in strays(found, self.holds.standing(), self.now):
            self.benching.undo(self.holds.adopted(hold), self.now)

    def _shares(self, inventory: Inventory) -> None:
        watching = Watching(self.store, self.account)
        _, self.records, errors = watching.shares(inventory, self.now)
        self.report.unread += errors

    def _attended(self, byok: Byok, seen: Looked, inventory: Inventory) -> Looked:
        """What was seen of the decision, with what its probes add; rules that were not asked are unknown."""
        place = inventory.place(byok.workspace)
        if seen.nothing or byok.probe is None or byok.probe.secret is None or seen.unknown is None:
            return seen
        if place is None or place.credentials is None or place.keys is None:
            return replace(seen, unknown=seen.unknown | PROBE_RULES)
        record = self.records.get(place.workspace.id)
        try:
            attended = Attending(self.store, self.probing, self.benching).attend(
                byok, place, inventory, record, self.now
            )
        except LedgerConflict:
            return replace(seen, unknown=seen.unknown | PROBE_RULES)  # a run beside this one probes
        except AuthenticationFailed:
            raise
        except Exception as error:  # noqa: BLE001 - raised when the others have had their turn
            self._failed(f"the probes of {byok.name}", error)
            return replace(seen, unknown=seen.unknown | PROBE_RULES)
        self.report.probes += attended.probes
        findings = (*seen.findings, *attended.findings)
        return replace(seen, findings=findings, unknown=seen.unknown | attended.unknown)

    def _tended(self, hold: Hold, inventory: Inventory) -> None:
        byok = next((one for one in decisions(self.ports.policy) if one.name == hold.decision), None)
        self.benching.tend(hold, byok, inventory, self.now)

    def _scheduled(self, inventory: Inventory) -> None:
        """At most one drill a run: what the account holds is not the same after it."""
        for byok in decisions(self.ports.policy):
            order = self.drills.due(byok, self.now)
            if order is None:
                continue
            try:
                if self.drills.run(byok, order, inventory):
                    return
            except Unready as error:
                self.ports.log.warning("no drill yet", extra={"decision": byok.name, "error": f"{error}"})

    def _pay(self) -> None:
        self.report.told += [event.detail_type.value for event in self.store.pay()]
        for row in self.store.rows(FINISH).values():
            self.ports.approvals.finish(row.sk.removeprefix(FINISH), row.data["result"], row.data["why"])
            self._tried("a decision's outcome", partial(self.store.commit, delete(row)))

    def _tried(self, what: str, do: Callable[[], object]) -> None:
        """`do`, unless somebody beside this run has it in hand. A request that meets somebody is delivered again."""
        try:
            do()
        except LedgerConflict as error:
            if self.asked.drill:
                self._failed(what, error)
                return
            self.ports.log.info("somebody beside this run was first", extra={"what": what, "error": f"{error}"})
        except AuthenticationFailed:
            raise
        except Exception as error:  # noqa: BLE001 - raised by `run`, when every other part has had its turn
            self._failed(what, error)

    def _failed(self, what: str, error: Exception) -> None:
        self.ports.log.warning("a part of the run failed", extra={"what": what, "error": f"{error}"})
        self.errors.append(error)
