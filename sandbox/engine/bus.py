"""EventBridge: every event that reaches a rule is matched, transformed and delivered by us; moto keeps bus and archive.

The seam is `moto.events.models.Rule.send_to_targets`, which moto calls for each rule of the bus an event is put on.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest.mock import patch

from moto.events.models import Rule

from sandbox.engine.agenda import Agenda
from sandbox.engine.clock import VirtualClock
from sandbox.engine.delivery import Delivery, Sender
from sandbox.engine.errors import Refused
from sandbox.engine.pattern import matches
from sandbox.engine.permissions import EVENTS
from sandbox.engine.target_input import target_input

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

    def _to_target(self, rule: Rule, target: Mapping[str, Any], event: dict[str, Any]) -> None:
        body = target_input(target, event, {"arn": rule.arn, "name": rule.name})
        try:
            self._delivery.deliver(target["Arn"], body, Sender(EVENTS, rule.arn, target.get("RoleArn")), target)
        except Refused as refusal:
            # AWS retries a target that is throttled or away; a refusal it does not, so RetryPolicy has no part here.
            attributes = {
                "RULE_ARN": rule.arn,
                "TARGET_ARN": target["Arn"],
                "ERROR_CODE": refusal.code,
                "ERROR_MESSAGE": refusal.message,
            }
            grave = target.get("DeadLetterConfig", {}).get("Arn")
            self._delivery.bury(grave, body, Sender(EVENTS, rule.arn), attributes, str(refusal))


def _event(original: dict[str, Any]) -> dict[str, Any]:
    event = copy.deepcopy({key: value for key, value in original.items() if key != "ingestion-time"})
    when = event.get("time")
    if isinstance(when, int | float):
        when = datetime.fromtimestamp(when, UTC)
    if isinstance(when, datetime):
        when = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event["time"] = when
    return event
