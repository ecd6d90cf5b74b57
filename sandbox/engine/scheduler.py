"""Fires EventBridge Scheduler's schedules and rules with a schedule, at the virtual clock.

The seams are moto's stored schedules and rules: what a function or a scenario changes through the API counts at once.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from sandbox.engine.bus import EventBridge
from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Sender
from sandbox.engine.errors import Refused
from sandbox.engine.permissions import SCHEDULER
from sandbox.engine.schedule import Schedule, parse
from sandbox.engine.template import ACCOUNT, REGION

Thin = Mapping[str, float]


@dataclass(frozen=True)
class Firing:
    """A schedule (`name`, and the `arn` that identifies it) due at an instant."""

    due: datetime
    name: str
    arn: str


class Scheduler:
    """Knows the next firing, and fires it. `names` says which logical id a schedule's name belongs to."""

    def __init__(self, delivery: Delivery, bridge: EventBridge, clock: VirtualClock, names: Mapping[str, str]) -> None:
        self._delivery, self._bridge, self._clock, self._names = delivery, bridge, clock, names
        self._seen: dict[str, datetime] = {}
        self._fired: dict[str, datetime] = {}
        self._thinned: dict[str, datetime] = {}

    def next_firing(self, thin: Thin) -> Firing | None:
        """The earliest; a thinned schedule skips runs that come sooner than so many seconds after its last."""
        return min(self._firings(thin), key=lambda firing: firing.due, default=None)

    def thinned(self, thin: Thin, until: datetime) -> None:
        """The runs that these schedules skipped until then are not made up for."""
        self._thinned |= dict.fromkeys((self._names.get(name, name) for name in thin), until)

    def fire(self, firing: Firing) -> None:
        self._fired[firing.arn] = firing.due
        for schedule in _schedules():
            if schedule["Arn"] == firing.arn:
                self._fire_schedule(schedule, firing.due)
        for rule in _scheduled_rules():
            if rule.arn == firing.arn:
                self._bridge.send(rule, _scheduled_event(rule.arn, firing.due))

    def _firings(self, thin: Thin) -> Iterator[Firing]:
        for schedule in _schedules():
            if schedule["State"] == "ENABLED":
                seen = self._seen.setdefault(schedule["Arn"], self._clock.now())
                parsed = _parsed(
                    schedule["ScheduleExpression"],
                    schedule["ScheduleExpressionTimezone"] or "UTC",
                    _instant(schedule["StartDate"]) or seen,
                )
                end = _instant(schedule["EndDate"])
                due = self._due(parsed, schedule["Name"], schedule["Arn"], thin)
                if due is not None and (end is None or due <= end):
                    yield Firing(due, schedule["Name"], schedule["Arn"])
        for rule in _scheduled_rules():
            if rule.state == "ENABLED":
                seen = self._seen.setdefault(rule.arn, self._clock.now())
                # A schedule's rate fires at once, a rule's one interval after its creation.
                self._fired.setdefault(rule.arn, seen)
                due = self._due(_parsed(rule.scheduled_expression, "UTC", seen), rule.name, rule.arn, thin)
                if due is not None:
                    yield Firing(due, rule.name, rule.arn)

    def _due(self, parsed: Schedule, name: str, arn: str, thin: Thin) -> datetime | None:
        last = self._fired.get(arn)
        if last is None:
            return parsed.after(self._seen[arn] - timedelta(microseconds=1))
        id = self._names.get(name, name)
        seconds = thin.get(name) or thin.get(id)
        wanted = last + timedelta(seconds=seconds, microseconds=-1) if seconds else last
        return parsed.after(max(wanted, self._thinned.get(id, wanted)))

    def _fire_schedule(self, schedule: Mapping[str, Any], due: datetime) -> None:
        target = schedule["Target"]
        attributes = {
            "scheduled-time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "schedule-arn": schedule["Arn"],
            "execution-id": uuid.uuid4().hex[:16],
            "attempt-number": "1",
        }
        body = target.get("Input") or "{}"
        for name, value in attributes.items():
            body = body.replace(f"<aws.scheduler.{name}>", value)
        sender = Sender(SCHEDULER, schedule["Arn"], target["RoleArn"])
        try:
            self._delivery.deliver(target["Arn"], body, sender, target)
        except Refused as refusal:
            written = {
                "SCHEDULE_ARN": schedule["Arn"],
                "TARGET_ARN": target["Arn"],
                "ERROR_CODE": refusal.code,
                "ERROR_MESSAGE": refusal.message,
                "SCHEDULED_TIME": attributes["scheduled-time"],
            }
            grave = target.get("DeadLetterConfig", {}).get("Arn")
            self._delivery.bury(grave, body, sender, written, str(refusal))


def _schedules() -> list[dict[str, Any]]:
    groups = scheduler_backends[ACCOUNT][REGION].schedule_groups.values()
    return [schedule.to_dict() for group in list(groups) for schedule in list(group.schedules.values())]


def _scheduled_rules() -> list[Any]:
    buses = events_backends[ACCOUNT][REGION].event_buses.values()
    return [rule for bus in list(buses) for rule in list(bus.rules.values()) if rule.scheduled_expression]


def _scheduled_event(rule_arn: str, due: datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [rule_arn],
        "detail": {},
    }


@lru_cache(maxsize=1024)
def _parsed(expression: str, zone: str, start: datetime) -> Schedule:
    return parse(expression, zone, start)


def _instant(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value)
