"""A month's bill from what was measured, what the template says, and the price list. Pure; USD; 30 days."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.cost.invocation import Invocation

MONTH_MINUTES = 30 * 1440
GB = 1e9
ALERTS = 300
"""Assumed: alerts a month, each of which goes through kill_switch and ends in a second event."""
POLLERS, POLL_SECONDS = 5, 20
"""Lambda polls an idle queue with this many long polls at a time (Lambda Developer Guide, "Using Lambda with SQS")."""
DASHBOARD_VIEWS, DASHBOARD_HOURS = 600, 3
"""Assumed: looks at the dashboard in a month, each of which scans this much of the log."""
KMS_SECONDS = 300
"""DynamoDB asks KMS for the table's key no more often than this for a caller (its guide, "Encryption at rest")."""
TLS_BYTES = 60
"""Assumed: what TLS and TCP add to a request on a connection that is open."""
TOLD_OF_A_ROTATION = 3
"""`Rotation Started`, `Key Rotated`, `Key Retired`."""
WORKLOADS, ROTATED_EVERY_DAYS = 20, 60
"""Assumed: workloads whose keys are rotated, and how often."""
PROMOTIONS, CLICKS, KEPT_MONTHS = 2, 100, 4
"""Assumed: presets promoted and clicks in Slack, a month. Requests and decisions are kept for so long."""


@dataclass(frozen=True)
class Stack:
    """What the template says. `memory_mb`: by function. `tick_minutes`: from one run to the next, of each function
    that has a run. `daily`: schedules that run once a day."""

    memory_mb: Mapping[str, float]
    tick_minutes: Mapping[str, float]
    daily: int
    requests_per_second: float
    alarms: int
    dashboards: int
    queues_polled: int
    archives: int
    recovery: bool
    log_days: int

    def ticks(self, function: str) -> float:
        """Of a month."""
        return MONTH_MINUTES / self.tick_minutes[function]


@dataclass(frozen=True)
class Rotation:
    """`step`: of a rotation's four, on the average. `plan`: a day's; `asking`: a workload's message in the queue.
    `tick`: of key_retirement, and `hour` the one that tends every lineage. `look`: of credential_rotation."""

    step: Invocation
    plan: Invocation
    asking: Invocation
    tick: Invocation
    hour: Invocation
    look: Invocation


@dataclass(frozen=True)
class Failover:
    """Runs of byok_failover. `probing`: one an hour, which sends the probes that the policy spreads over the day;
    `reading`: the others."""

    reading: Invocation
    probing: Invocation


@dataclass(frozen=True)
class Deciding:
    """What presets and people take. `watch`: a run of preset_promotion in which nothing is to be done; `asking`: the
    request to promote, checks included; `promoting`: the yes. `gateway` and `desk`: a click, in either function.
    `expiring`: a run of approval_desk. `kept`: bytes in both tables."""

    watch: Invocation
    asking: Invocation
    promoting: Invocation
    gateway: Invocation
    desk: Invocation
    expiring: Invocation
    kept: float


@dataclass(frozen=True)
class Measured:
    """`tick`: of spend_meter. `metrics`: distinct ones really emitted. `event_bytes`: of an event as it is archived.
    `ledger_bytes`: that an incident leaves in the table. `secret_seconds`: how long a secret read is used."""

    tick: Invocation
    kill_switch: Invocation
    notifier: Invocation
    rotation: Rotation
    failover: Failover
    deciding: Deciding
    secret_seconds: float
    metrics: int
    event_bytes: float
    ledger_bytes: float


@dataclass(frozen=True)
class Line:
    """One line of the bill: how many of what, and what they come to."""

    item: str
    quantity: float
    unit: str
    usd: float


class Prices:
    """The price list in `prices-*.json`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._prices = document["prices"]
        self.free_dashboards: int = document["free"]["dashboards"]

    def line(self, item: str, price: str, quantity: float) -> Line:
        """`quantity` in the unit that the price is per a number of: requests, GB, metric-months."""
        entry = self._prices[price]
        found = re.fullmatch(r"(?:([\d,]+) )?(.+)", entry["per"])
        assert found
        each = entry["usd"] / int((found[1] or "1").replace(",", ""))
        return Line(item, quantity, found[2], quantity * each)


type Runs = list[tuple[str, Invocation, float]]
"""A function, what one invocation of it takes, and how many there are in a month."""


def bill(measured: Measured, stack: Stack, prices: Prices) -> list[Line]:
    """Every line, the secrets themselves left out."""
    tick, rotations = measured.tick, WORKLOADS * 30 / ROTATED_EVERY_DAYS
    others = [*_rotating(measured.rotation, rotations, stack), *_looked_after(measured, stack)]
    told = sum(one.aws_calls("events:PutEvents") * times for _, one, times in _looked_after(measured, stack))
    runs = [
        ("spend_meter", tick, stack.ticks("spend_meter")),
        ("kill_switch", measured.kill_switch, ALERTS),
        ("notifier", measured.notifier, 2 * ALERTS + told),
        *others,
    ]
    gb_seconds = dict.fromkeys(stack.memory_mb, 0.0)
    for name, one, times in runs:
        seconds = one.seconds(stack.memory_mb[name], stack.requests_per_second)
        gb_seconds[name] += times * seconds * stack.memory_mb[name] / 1024
    logged = sum(one.log_bytes * times for _, one, times in runs) / GB
    secret_calls = MONTH_MINUTES * 60 / measured.secret_seconds + 3 * ALERTS
    # The runs of both are rarer than a secret is kept, so each reads the management key; the rest was measured.
    secret_calls += stack.ticks("key_retirement") + stack.ticks("credential_rotation")
    secret_calls += sum(one.secret_calls * times for _, one, times in others)
    events = 2 * ALERTS + TOLD_OF_A_ROTATION * rotations + told
    archived = stack.archives * events * measured.event_bytes / GB
    table_gb = (measured.ledger_bytes * ALERTS * 12 + measured.deciding.kept) / GB
    polls = stack.queues_polled * POLLERS * MONTH_MINUTES * 60 / POLL_SECONDS
    request_bytes = tick.sent / max(tick.asked, 1) + TLS_BYTES

    def total(*names: str) -> float:
        return sum(one.aws_calls(*names) * times for _, one, times in runs)

    def summed(amount: Callable[[Invocation], float]) -> float:
        return sum(amount(one) * times for _, one, times in runs)

    line = prices.line
    return [
        line("Lambda: invocations", "lambda_request", sum(times for *_, times in runs)),
        *(line(f"Lambda: {name}", "lambda_gb_second", amount) for name, amount in gb_seconds.items()),
        line("CloudWatch Logs: written", "logs_ingested", logged),
        line("CloudWatch Logs: kept", "logs_kept", logged * stack.log_days / 30),
        line("CloudWatch Logs: dashboard queries", "logs_queried", logged * DASHBOARD_VIEWS * DASHBOARD_HOURS / 720),
        line("CloudWatch: metrics", "custom_metric", measured.metrics),
        line("CloudWatch: alarms", "alarm", stack.alarms),
        line("CloudWatch: dashboards", "dashboard", max(0, stack.dashboards - prices.free_dashboards)),
        line("Scheduler", "schedule_call", sum(map(stack.ticks, stack.tick_minutes)) + 30 * stack.daily),
        line("S3: writes", "s3_put", total("s3:PutObject")),
        line("S3: reads", "s3_get", total("s3:GetObject")),
        line("S3: kept", "s3_kept", tick.kept / GB),
        line("DynamoDB: reads", "table_read_unit", summed(lambda one: one.read)),
        line("DynamoDB: writes", "table_write_unit", summed(lambda one: one.written)),
        line("DynamoDB: kept", "table_kept", table_gb),
        line("DynamoDB: recovery", "table_recovery", table_gb if stack.recovery else 0.0),
        line("KMS: the tables' key", "kms_request", _key_uses(stack)),
        line("Secrets Manager: calls", "secret_call", secret_calls),
        line("EventBridge: events", "custom_event", total("events:PutEvents") + ALERTS),
        line("EventBridge: archived", "events_archived", archived),
        line("EventBridge: archive, a year's", "archive_kept", 12 * archived),
        line("SQS: polls and messages", "queue_request", polls + 3 * (events + CLICKS)),
        line("SNS: e-mails", "topic_email", total("sns:Publish")),
        line("Data sent to OpenRouter", "sent_to_internet", request_bytes * summed(lambda one: one.asked) / GB),
    ]


def _rotating(one: Rotation, rotations: float, stack: Stack) -> Runs:
    hours = MONTH_MINUTES / 60
    return [
        ("key_planning", one.plan, 30),
        ("key_planning", one.asking, rotations),
        ("key_rotation", one.step, 4 * rotations),
        ("key_retirement", one.tick, stack.ticks("key_retirement") - hours),
        ("key_retirement", one.hour, hours),
        ("credential_rotation", one.look, stack.ticks("credential_rotation")),
    ]


def _looked_after(measured: Measured, stack: Stack) -> Runs:
    """Credentials, presets, and people."""
    failover, deciding, hours = measured.failover, measured.deciding, MONTH_MINUTES / 60
    return [
        ("byok_failover", failover.reading, stack.ticks("byok_failover") - hours),
        ("byok_failover", failover.probing, hours),
        ("preset_promotion", deciding.watch, stack.ticks("preset_promotion")),
        ("preset_promotion", deciding.asking, PROMOTIONS),
        ("preset_promotion", deciding.promoting, PROMOTIONS),
        ("slack_gateway", deciding.gateway, CLICKS),
        ("approval_desk", deciding.desk, CLICKS),
        ("approval_desk", deciding.expiring, stack.ticks("approval_desk")),
    ]


def _key_uses(stack: Stack) -> float:
    """Each function's, once in `KMS_SECONDS` or once a run, whichever is rarer; the desk reads two tables."""
    tables = dict.fromkeys(stack.tick_minutes, 1) | {"approval_desk": 2}
    longest = {name: max(KMS_SECONDS, minutes * 60) for name, minutes in stack.tick_minutes.items()}
    return sum(tables[name] * MONTH_MINUTES * 60 / seconds for name, seconds in longest.items())


def total(lines: Sequence[Line]) -> float:
    return sum(line.usd for line in lines)
