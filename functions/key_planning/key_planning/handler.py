"""Finds who is due for a new key, and asks Secrets Manager to rotate."""

import functools
import os
from typing import Any

from governor.approvals.store import Approvals
from governor.aws import AWS
from governor.clock import utc_now
from governor.events.redelivery import redelivered
from governor.keys.bulk_order import BulkOrders
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineages
from governor.policy import Policy
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.wiring import Wiring
from governor.work_queue import WorkQueue
from key_planning.ports import Ports
from key_planning.service import KeyPlanning
from key_planning.settings import PlanningSettings, received


@functools.cache
def build() -> KeyPlanning:
    """Key planning over AWS, made at the first event. Raises `SettingsError`."""
    settings = PlanningSettings.read(os.environ)
    aws = Wiring("key_planning")
    ledger, decisions = map(aws.ledger, settings.tables)
    return KeyPlanning(
        Ports(
            policy=Policy.load(),
            secrets=SecretsManagerVersions(aws.secrets_manager),
            lineages=Lineages(ledger),
            causes=CauseStore(ledger),
            bus=aws.bus(ledger, settings.event_bus_name),
            queue=WorkQueue(aws.session.client("sqs", config=AWS), settings.rotation_queue_url),
            function_arn=settings.rotation_function_arn,
            approvals=Approvals(ledger, decisions),
            orders=BulkOrders(decisions),
            clock=utc_now,
            log=aws.log,
        )
    )


@redelivered
def lambda_handler(event: Any, _context: Any) -> dict[str, Any]:
    """A schedule, an event or a batch of messages in; what goes back to the queue, out. Raises: Lambda retries."""
    asked = received(event)
    planning = build()
    report = planning.act(asked)
    planning.ports.log.info("done", extra={"planned": report.planned, "asked": report.asked})
    return {"batchItemFailures": [{"itemIdentifier": id} for id in report.later]}
