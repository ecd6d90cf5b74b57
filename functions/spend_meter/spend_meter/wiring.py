"""The meter's ports over AWS and OpenRouter."""

import boto3

from governor.aws import AWS
from governor.broadcast.destination import Expected
from governor.policy import Policy
from governor.storage.s3_readings import CHECKED, NEEDS, PUSHED, WATCH, WOKEN, S3ReadingStore
from governor.wiring import Wiring
from management_api import OpenRouter, Pacing
from spend_meter.broadcast_check import BroadcastCheck, Stores
from spend_meter.ports import Ports
from spend_meter.service import SpendMeter
from spend_meter.settings import MeterSettings


def connected(settings: MeterSettings, policy: Policy) -> Ports:
    """A call that hangs must leave time for the others: at most 14 seconds, of the function's 55."""
    aws = Wiring("spend_meter")
    s3, ledger = aws.session.client("s3", config=AWS), aws.ledger(settings.table_name)
    pacing = Pacing(settings.requests_per_second) if settings.requests_per_second else None
    return Ports(
        store=S3ReadingStore(s3, settings.reading_bucket),
        ledger=ledger,
        publisher=aws.bus(ledger, settings.event_bus_name),
        secrets=aws.secrets,
        connect=lambda key: OpenRouter(key, base_url=policy.account.base_url, pacing=pacing),
        woken=S3ReadingStore(s3, settings.reading_bucket, WOKEN) if settings.broadcast else None,
        watch=S3ReadingStore(s3, settings.reading_bucket, WATCH) if settings.broadcast else None,
        needs=S3ReadingStore(s3, settings.reading_bucket, NEEDS),
    )


def broadcast_check(settings: MeterSettings, policy: Policy, ports: Ports, meter: SpendMeter) -> BroadcastCheck | None:
    """The check of Broadcast beside the runs; None where Broadcast is off."""
    if not (settings.broadcast and settings.broadcast_url):
        return None
    s3 = boto3.session.Session().client("s3", config=AWS)
    stores = Stores(*(S3ReadingStore(s3, settings.reading_bucket, key) for key in (CHECKED, PUSHED)))
    expected = Expected(settings.broadcast_url, settings.broadcast_sampling_rate)
    return BroadcastCheck(policy, ports, meter, stores, expected)
