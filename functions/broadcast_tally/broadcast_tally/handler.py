"""Adds up what OpenRouter pushed, minute by minute and key by key, and has the meter read whoever crosses a line."""

import functools
import logging
import os
import time
from typing import Any

import boto3

from broadcast_tally.decide import Tally
from broadcast_tally.service import Counter
from broadcast_tally.settings import Batch, TallySettings
from governor.aws import AWS
from governor.broadcast.meter_tips import MeterTips
from governor.storage.s3_readings import PUSHED, WATCH, S3ReadingStore

# The runtime writes these lines as JSON.
log = logging.getLogger("broadcast_tally")
log.setLevel(logging.INFO)


@functools.cache
def build() -> Counter:
    """The counter over AWS, made at the first batch. Raises `SettingsError`."""
    settings = TallySettings.read(os.environ)
    session = boto3.session.Session()
    s3 = session.client("s3", config=AWS)
    return Counter(
        S3ReadingStore(s3, settings.reading_bucket, WATCH),
        MeterTips(session.client("lambda", config=AWS), settings.spend_meter),
        time.time,
        settings.sampling_rate,
        settings.shards,
        S3ReadingStore(s3, settings.reading_bucket, PUSHED),
    )


def lambda_handler(event: Any, _context: Any) -> dict[str, Any]:
    """The window's state after this batch. Raises `BadEvent`, and what kept a tip from the meter."""
    batch = Batch.received(event)
    counter = build()
    tally = counter.count(Tally.decode(batch.state), batch.records)
    if batch.final:
        counter.note(tally)
        usd = round(sum(tally.sums.values()), 6)
        log.info("window", extra={"records": tally.counts, "usd": usd, "tips": sum(tally.by_workspace.values())})
        return {"state": {}, "batchItemFailures": []}
    return {"state": tally.encode(), "batchItemFailures": []}
