"""What Broadcast costs beside the rest of the bill, at 1, 100 and 1,000 requests a second, by the way in that was
chosen and by those that were not. Pure but for `measured`, which runs the shipped code.

USD of 30 days, first tier of each price: API Gateway's falls by a tenth from 300 million requests on (HTTP) and by a
fifth from 333 million on (REST). Every way counts each request once, evenly spread; nobody's free tier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from tests.bench.broadcast import Taken, load
from tests.bench.cost.bill import Line, Prices, total
from tests.bench.cost.invocation import AWS_CALL_SECONDS, PLATFORM_BYTES, VCPU_MB

RATES = (1, 100, 1_000)
SECONDS = 30 * 86_400
SHARD = 1_000
"""Requests a second that a shard takes."""
GATEWAY_MB, TALLY_MB = 256, 512
WATCH_SECONDS, WINDOW_SECONDS = 5, 60
FIREHOSE_KB = 5
"""Firehose charges each record as a multiple of this."""
CHECK_SECONDS, CHECK_TAKES, METER_MB = 600, 2.0, 1024
"""The check of Broadcast: seconds between two, and what one is taken to last: a call for each workspace, ten or so."""
SAMPLED = 0.1
ALARMS = 7
"""Metrics that alarms look at: one each, but `BroadcastSilent`, which compares two."""


@dataclass(frozen=True)
class Work:
    """Seconds billed for one delivery at the gateway, and for a second's batch of one shard at the tally."""

    gateway: float
    tally: float


def measured() -> Work:
    """From a window of traffic at a shard's full rate: the processor's share, and one call to AWS each."""
    return work(load(SHARD, WINDOW_SECONDS), WINDOW_SECONDS)


def work(taken: Taken, seconds: int) -> Work:
    """The same from what a load took. A function has its memory's share of a processor."""
    gateway = taken.gateway / taken.deliveries / min(GATEWAY_MB / VCPU_MB, 1.0) + AWS_CALL_SECONDS
    tally = taken.tally / seconds / min(TALLY_MB / VCPU_MB, 1.0) + AWS_CALL_SECONDS * 2 / WATCH_SECONDS
    return Work(gateway, tally)


def ways(rate: float, one: Work, prices: Prices) -> Mapping[str, Sequence[Line]]:
    """Each way in and its lines; the first is the chosen one, the second the same under sampling."""
    requests = rate * SECONDS
    url, chosen = _url(requests, one, prices), _stream(rate, one, prices)
    sampled = [*_url(requests * SAMPLED, one, prices), *_stream(rate * SAMPLED, one, prices)]
    http = [prices.line("HTTP API", "http_api_request", requests)]
    rest = [prices.line("REST API", "rest_api_request", requests)]
    # Sent one by one; taken and deleted ten at a time.
    queue = [prices.line("SQS", "queue_request", requests * 1.2)]
    rounded = requests * FIREHOSE_KB / 1e6
    return {
        "function URL, stream, tumbling windows (chosen)": [*url, *chosen],
        f"the same, {SAMPLED:.0%} sampled by OpenRouter": sampled,
        "function URL, a row in DynamoDB for each": [*url, prices.line("DynamoDB", "table_write_unit", 2 * requests)],
        "function URL, SQS": [*url, *queue, *_batches(rate, one, prices)],
        "HTTP API to the stream": [*http, *chosen],
        "HTTP API to SQS": [*http, *queue, *_batches(rate, one, prices)],
        "REST API to Firehose": [
            *rest,
            prices.line("Firehose", "firehose_ingested", rounded),
            *_batches(rate, one, prices),
        ],
    }


def table(one: Work, prices: Prices) -> str:
    """Markdown: USD a month, a way a row."""
    by_rate = [ways(rate, one, prices) for rate in RATES]
    rows = [["USD a month", *(f"{rate:,} a second" for rate in RATES)], ["---"] * (len(RATES) + 1)]
    rows += [[way, *(f"{total(found[way]):,.2f}" for found in by_rate)] for way in by_rate[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def lines(one: Work, prices: Prices) -> str:
    """Markdown: the chosen way, a line of the bill a row."""
    by_rate = [next(iter(ways(rate, one, prices).values())) for rate in RATES]
    rows = [["the chosen way", *(f"{rate:,} a second" for rate in RATES)], ["---"] * (len(RATES) + 1)]
    for side in zip(*by_rate, strict=True):
        rows.append([side[0].item, *(f"{line.usd:,.2f} ({line.quantity:,.0f} {line.unit})" for line in side)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _url(requests: float, one: Work, prices: Prices) -> list[Line]:
    return [
        prices.line("Lambda: deliveries", "lambda_request", requests),
        prices.line("Lambda: broadcast_gateway", "lambda_gb_second", requests * one.gateway * GATEWAY_MB / 1024),
    ]


def _stream(rate: float, one: Work, prices: Prices) -> list[Line]:
    shards = max(ceil(rate / SHARD), 1)
    return [
        prices.line("Kinesis: shards", "stream_shard_hour", shards * SECONDS / 3600),
        prices.line("Kinesis: records", "stream_put", rate * SECONDS),
        *_batches(rate, one, prices),
        prices.line("Lambda: the check", "lambda_gb_second", SECONDS / CHECK_SECONDS * CHECK_TAKES * METER_MB / 1024),
        prices.line("CloudWatch: alarms", "alarm", ALARMS),
    ]


def _batches(rate: float, one: Work, prices: Prices) -> list[Line]:
    """The tally: a batch a second and shard, or one for each request where those are rarer."""
    shards = max(ceil(rate / SHARD), 1)
    batches = min(rate, shards) * SECONDS + shards * SECONDS / WINDOW_SECONDS
    # Its longest state is written and read at a full shard; a shard that is not full has less of both.
    seconds = batches * (AWS_CALL_SECONDS * 2 / WATCH_SECONDS + one.tally * min(rate / shards / SHARD, 1.0))
    logged = shards * SECONDS / WINDOW_SECONDS * PLATFORM_BYTES / 1e9
    return [
        prices.line("Lambda: batches", "lambda_request", batches),
        prices.line("Lambda: broadcast_tally", "lambda_gb_second", seconds * TALLY_MB / 1024),
        prices.line("S3: the watch, read", "s3_get", (min(rate, 1 / WATCH_SECONDS) + 1 / 60) * SECONDS * shards),
        prices.line("S3: the watch and what was found, written", "s3_put", (2 + shards) * SECONDS / 60),
        prices.line("CloudWatch Logs: written", "logs_ingested", logged),
    ]
