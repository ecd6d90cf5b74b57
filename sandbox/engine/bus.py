"""EventBridge: every event that reaches a rule is matched, transformed and delivered by us; moto keeps bus and archive.

The seam is `moto.events.models.Rule.send_to_targets`, which moto calls for each rule of the bus an event is put on.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from moto.events.models import Rule

from sandbox.engine.agenda import Agenda
from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Sender
from sandbox.engine.errors import Refused, Unreachable
from sandbox.engine.pattern import matches
from sandbox.engine.permissions import EVENTS
from sandbox.engine.target_input import target_input

# AWS says that it waits longer each time, and not how long.
LONGEST_WAIT = timedelta(minutes=5)
ARCHIVE = "prod.vhs.events.aws.internal"


class EventBridge:
    """Puts what rules send on the agenda, so that a function's events are delivered after it has ended."""

    def __init__(self, agenda: Agenda, clock: VirtualClock, delivery: Delivery) -> None:
        self._agenda, self._clock, self._delivery = agenda, clock, delivery

    @contextmanager
    def installed(self) -> Iterator[None]:
        stock: Callable[..., None] = Rule.send_to_targets
        bridge = self

        def send(rule: Rule, original_event: dict[str, Any], transform_input: bool = True) -> None:
            if rule.managed_by == ARCHIVE:
                stock(rule, original_event, transform_input)
            elif rule.state == "ENABLED" and not rule.scheduled_expression:
                event = _event(original_event)
                if matches(rule.event_pattern.get_pattern(), event):
                    bridge.send(rule, event)

        with patch.object(Rule, "send_to_targets", send):
            yield

    def send(self, rule: Rule, event: dict[str, Any]) -> None:
        for target in copy.deepcopy(rule.targets):
            self._agenda.add(self._clock.now(), partial(self._to_target, rule, target, event))

    def _to_target(
        self,
        rule: Rule,
        target: Mapping[str, Any],
        event: dict[str, Any],
        attempts: int = 0,
        since: datetime | None = None,
    ) -> None:
        body = json.dumps(event)
        try:
            body = target_input(target, event, {"arn": rule.arn, "name": rule.name})
            self._delivery.deliver(target["Arn"], body, Sender(EVENTS, rule.arn, target.get("RoleArn")), target)
        except Unreachable as failure:
            first = since or self._clock.now()
            policy = target.get("RetryPolicy", {})
            due = self._clock.now() + min(timedelta(seconds=2**attempts), LONGEST_WAIT)
            age = timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", 86400)))
            if attempts < int(policy.get("MaximumRetryAttempts", 185)) and due - first <= age:
                self._agenda.add(due, partial(self._to_target, rule, target, event, attempts + 1, first))
            else:
                self._bury(rule, target, body, failure)
        except Refused as refusal:
            # A refusal is for good: AWS does not try it again.
            self._bury(rule, target, body, refusal)

    def _bury(self, rule: Rule, target: Mapping[str, Any], body: str, why: Refused | Unreachable) -> None:
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": why.code,
            "ERROR_MESSAGE": why.message,
        }
        grave = target.get("DeadLetterConfig", {}).get("Arn")
        self._delivery.bury(grave, body, Sender(EVENTS, rule.arn), attributes, str(why))


def _event(original: dict[str, Any]) -> dict[str, Any]:
    event = copy.deepcopy({key: value for key, value in original.items() if key != "ingestion-time"})
    when = event.get("time")
    if isinstance(when, int | float):
        when = datetime.fromtimestamp(when, UTC)
    if isinstance(when, datetime):
        when = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event["time"] = when
    return event
