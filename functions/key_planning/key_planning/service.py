"""Plans the day's rotations, and asks Secrets Manager for each in its turn.

The ledger's note of why comes before the call that cannot carry it; the token follows from who asked, so that a message
delivered twice asks for one rotation. Secrets Manager does the rest, as it would for a person.
"""

from dataclasses import dataclass, replace

from pydantic import SecretStr

from governor.events import BadEvent, DetailType, Event, event_id
from governor.events.evidence import Rotated
from governor.keys.bulk_order import order_of, token_of
from governor.keys.lineage import Asked, Lineage
from governor.ledger import LedgerConflict
from governor.policy import Workload
from governor.secrets import SecretUnavailable
from governor.secrets.versions import RotationUnfinished, SecretMissing, WorkloadSecret
from key_planning import ordering
from key_planning.decide import plan, rule
from key_planning.ports import Ports
from key_planning.settings import Due, Message, Ordered, Plan, body_of, work_of

BACKSTOP_DAYS = 7
"""Secrets Manager's own schedule comes this much after the planner's, and only when the planner has not."""
TURN_SECONDS, TURNS = 20, 90
"""A message whose turn has not come is back so soon, so often: half an hour in which a thousand rotations follow each
other without a gap. After that it comes back in the queue's own time, so that the thousand turns of its redrive policy
last for days."""
MOST_TURNS = 900
"""Of an order's message, before a fresh one takes its place; after a thousand it would be a dead letter."""


@dataclass(frozen=True)
class Report:
    """What came of it. `later`: the ids of messages that go back to the queue."""

    planned: int = 0
    asked: int = 0
    later: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyPlanning:
    """What outlives an invocation."""

    ports: Ports

    def act(self, asked: Plan | Due | Ordered | list[Message]) -> Report:
        """Raises what kept every workload from being planned, or the one that was asked for from being rotated."""
        match asked:
            case Plan():
                return self._plan(asked)
            case Due():
                if not self._asked_in_time(asked):
                    # It is worth waiting for: the queue brings it back.
                    self.ports.queue.send([body_of(asked)])
                return Report(asked=1)
            case Ordered():
                self.ports.queue.send([body_of(asked)])
                return Report(asked=1)
            case _:
                return self._work(asked)

    def _plan(self, asked: Plan) -> Report:
        now, ports = self.ports.clock(), self.ports
        lineages = {lineage.workload: lineage for lineage in ports.lineages.all()}
        found: list[str] = []
        for workload in ports.policy.workloads:
            if workload.rotation is None:
                continue
            lineage = lineages.get(workload.name) or ports.lineages.get(workload.name)
            planned = plan(workload, lineage, ports.causes.causes(workload.name), ports.policy, now)
            ports.log.info("planned", extra={"workload": workload.name, "rule": planned.rule})
            if planned.why:
                found.append(body_of(Due(workload.name, planned.why, f"plan {asked.at:%Y-%m-%d}")))
        ports.queue.send(found)
        return Report(planned=len(found))

    def _work(self, messages: list[Message]) -> Report:
        later = []
        lineages = self._lineages()
        for message in messages:
            try:
                work = work_of(message.body)
                if isinstance(work, Ordered):
                    if self._goes_back(work, message, lineages):
                        later.append(message.id)
                elif not self._ask(work, lineages):
                    later.append(message.id)
                    self._soon(message)
            except (LedgerConflict, SecretUnavailable, RotationUnfinished) as error:
                self.ports.log.warning("a rotation was not asked for", extra={"error": f"{error}"})
                later.append(message.id)
            except Exception as error:  # noqa: BLE001 - raised, it would fail the whole batch; it goes back alone
                why = f"{error}" if isinstance(error, BadEvent) else type(error).__name__
                self.ports.log.warning("a message goes back", extra={"message_id": message.id, "error": why})
                later.append(message.id)
        return Report(asked=len(messages) - len(later), later=tuple(later))

    def _goes_back(self, order: Ordered, message: Message, lineages: dict[str, Lineage]) -> bool:
        """Whether the order's message does, after its turn: soon while anything of it may begin."""
        left = ordering.turn(self.ports, order.order, lineages)
        if left == "over":
            return False
        if message.received > MOST_TURNS:
            self.ports.queue.send([message.body])
            return False
        if left == "soon" and message.receipt:
            self.ports.queue.back_after(message.receipt, TURN_SECONDS)
        return True

    def _soon(self, message: Message) -> None:
        if message.receipt and message.received <= TURNS:
            self.ports.queue.back_after(message.receipt, TURN_SECONDS)

    def _asked_in_time(self, due: Due) -> bool:
        """False as well while an earlier rotation is unfinished, which may take longer than an event is retried."""
        try:
            return self._ask(due, self._lineages())
        except RotationUnfinished as error:
            self.ports.log.warning("a rotation was not asked for", extra={"error": f"{error}"})
            return False

    def _lineages(self) -> dict[str, Lineage]:
        return {lineage.workload: lineage for lineage in self.ports.lineages.all()}

    def _ask(self, due: Due, lineages: dict[str, Lineage]) -> bool:
        """Whether the rotation was asked for, or is not wanted; False: its turn has not come.

        `lineages`: all, as read for this batch of messages; the workload's own is read again, and kept there.
        """
        ports, now = self.ports, self.ports.clock()
        lineage = lineages[due.workload] = ports.lineages.get(due.workload)
        if order_of(due.by):
            gate = ordering.gate(ports, due, lineage)
            if gate != "go":
                return gate == "drop"
        ruling = rule(due, ports.policy, list(lineages.values()), now)
        ports.log.info("ruled", extra={"workload": due.workload, "rule": ruling.rule, "reason": ruling.reason})
        workload = ports.policy.workload(due.workload)
        if ruling.action != "rotate" or workload is None or workload.secret is None:
            if ruling.rule == "unknown":
                ports.bus.publish([self._failed(due, ruling.rule, ruling.reason, "")])
            return ruling.action != "later"
        if lineage.asked is None or lineage.asked.by != due.by:
            lineages[due.workload] = ports.lineages.write(replace(lineage, asked=Asked(due.why, due.by, now)))
        self._rotate(workload, workload.secret, due)
        return True

    def _rotate(self, workload: Workload, secret: str, due: Due) -> None:
        """Idempotent for each `due.by`. A workload without a secret gets one, empty until its first key is proven."""
        token = token_of(workload.name, due.by)
        days = (workload.rotation.every.days if workload.rotation else 365) + BACKSTOP_DAYS
        try:
            self.ports.secrets.rotate(secret, token, self.ports.function_arn, min(days, 1000))
        except SecretMissing:
            self.ports.secrets.create(secret, WorkloadSecret(SecretStr(""), name=workload.name))
            self.ports.secrets.rotate(secret, token, self.ports.function_arn, min(days, 1000))

    def _failed(self, due: Due, rule: str, reason: str, secret: str) -> Event:
        kind = DetailType.ROTATION_FAILED
        evidence = Rotated(name=due.workload, secret=secret, why=due.why, step="plan", rule=rule)
        id = event_id(kind, due.workload, due.by, rule)
        return Event(kind, id, due.workload, self.ports.clock(), reason, evidence.model_dump(mode="json"))
