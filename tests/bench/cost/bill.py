"""A month's bill from what was measured, what the template says, and the price list. Pure; USD; 30 days."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MONTH_MINUTES = 30 * 1440
GB = 1e9
VCPU_MB = 1769
"""Memory at which a function has one vCPU (Lambda Developer Guide, "Configure function memory")."""

CALL_SECONDS = 0.150
"""Assumed: a call to OpenRouter, as a function waits for it."""
AWS_CALL_SECONDS = 0.015
"""Assumed: a call to an AWS service in the region, as a function waits for it."""
S3_BYTES_PER_SECOND = 50e6
"""Assumed: how fast a function writes to S3."""
PLATFORM_BYTES = 800
"""Assumed: Lambda's own `platform.start`, `.report` and `.runtimeDone` lines of an invocation, as JSON."""
LINE_BYTES = 26
"""CloudWatch Logs counts this much more for each event (PutLogEvents)."""
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

READ_UNITS = {"dynamodb:GetItem": 1, "dynamodb:Query": 1}
WRITE_UNITS = {"dynamodb:PutItem": 1, "dynamodb:DeleteItem": 1, "dynamodb:TransactWriteItems": 2}


@dataclass(frozen=True)
class Invocation:
    """What one invocation of a function takes, on the average. `calls`: to AWS, `service:Operation` to how often.

    `cpu`: seconds of this machine's processor. `printed`: bytes of its own log lines, and `lines` of them.
    `asked`: calls to OpenRouter, `sent` their bytes. `in_turn`: how many of those go on side by side.
    `kept`: bytes written to S3.
    """

    cpu: float
    calls: Mapping[str, float]
    printed: float
    lines: float
    asked: float = 0.0
    sent: float = 0.0
    in_turn: int = 1
    kept: float = 0.0

    @property
    def log_bytes(self) -> float:
        return self.printed + PLATFORM_BYTES + LINE_BYTES * (self.lines + 3)

    def units(self, units: Mapping[str, int]) -> float:
        return sum(self.calls.get(call, 0.0) * count for call, count in units.items())

    @property
    def secret_calls(self) -> float:
        return sum(count for name, count in self.calls.items() if name.startswith("secretsmanager:"))

    def aws_calls(self, *names: str) -> float:
        return sum(self.calls.get(name, 0.0) for name in names)

    def seconds(self, memory_mb: float, paced: float | None = None) -> float:
        """Billed duration. Waiting and computing are added up, though some of it coincides.

        `paced`: calls to OpenRouter a second at most.
        """
        waiting = self.asked / self.in_turn * CALL_SECONDS
        if paced:
            waiting = max(waiting, (self.asked - 1) / paced)
        waiting += sum(self.calls.values()) * AWS_CALL_SECONDS + self.kept / S3_BYTES_PER_SECOND
        return self.cpu / min(memory_mb / VCPU_MB, 1.0) + waiting


@dataclass(frozen=True)
class Stack:
    """What the template says. `memory_mb`: by function. `beat_minutes`: from one beat of the meter to the next;
    `retirement_minutes` and `credential_minutes` likewise. `daily`: schedules that run once a day."""

    memory_mb: Mapping[str, float]
    beat_minutes: float
    retirement_minutes: float
    credential_minutes: float
    daily: int
    requests_per_second: float
    alarms: int
    dashboards: int
    queues_polled: int
    archives: int
    recovery: bool
    log_days: int


@dataclass(frozen=True)
class Rotation:
    """`step`: of a rotation's four, on the average. `plan`: a day's; `asking`: a workload's message in the queue.
    `beat`: of key_retirement, and `hour` the one that tends every lineage. `look`: of credential_rotation."""

    step: Invocation
    plan: Invocation
    asking: Invocation
    beat: Invocation
    hour: Invocation
    look: Invocation


@dataclass(frozen=True)
class Measured:
    """`beat`: of spend_meter. `metrics`: distinct ones really emitted. `event_bytes`: of an event as it is archived.
    `ledger_bytes`: that an incident leaves in the table. `secret_seconds`: how long a secret read is used."""

    beat: Invocation
    kill_switch: Invocation
    notifier: Invocation
    rotation: Rotation
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


def bill(measured: Measured, stack: Stack, prices: Prices) -> list[Line]:
    """Every line, the secrets themselves left out."""
    beats = MONTH_MINUTES / stack.beat_minutes
    beat, kill_switch, notifier = measured.beat, measured.kill_switch, measured.notifier
    rotations = WORKLOADS * 30 / ROTATED_EVERY_DAYS
    retirements, looks = MONTH_MINUTES / stack.retirement_minutes, MONTH_MINUTES / stack.credential_minutes
    runs = [
        ("spend_meter", beat, beats),
        ("kill_switch", kill_switch, ALERTS),
        ("notifier", notifier, 2 * ALERTS),
        *_rotating(measured.rotation, rotations, retirements, looks),
    ]
    gb_seconds = dict.fromkeys(stack.memory_mb, 0.0)
    for name, one, times in runs:
        seconds = one.seconds(stack.memory_mb[name], stack.requests_per_second)
        gb_seconds[name] += times * seconds * stack.memory_mb[name] / 1024
    logged = sum(one.log_bytes * times for _, one, times in runs) / GB
    secret_calls = MONTH_MINUTES * 60 / measured.secret_seconds
    events = 2 * ALERTS + TOLD_OF_A_ROTATION * rotations
    # Both beats are rarer than a secret is kept, so each reads the management key; what else they ask was measured.
    secret_calls += retirements + looks + sum(one.secret_calls * times for _, one, times in runs[3:])
    archived = stack.archives * events * measured.event_bytes / GB
    table_gb = measured.ledger_bytes * ALERTS * 12 / GB

    def total(*names: str) -> float:
        return sum(one.aws_calls(*names) * times for _, one, times in runs)

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
        line("Scheduler", "schedule_call", beats + retirements + looks + 30 * stack.daily),
        line("S3: writes", "s3_put", total("s3:PutObject")),
        line("S3: reads", "s3_get", total("s3:GetObject")),
        line("S3: kept", "s3_kept", beat.kept / GB),
        line("DynamoDB: reads", "table_read_unit", sum(one.units(READ_UNITS) * times for _, one, times in runs)),
        line("DynamoDB: writes", "table_write_unit", sum(one.units(WRITE_UNITS) * times for _, one, times in runs)),
        line("DynamoDB: kept, a year's incidents", "table_kept", table_gb),
        line("DynamoDB: recovery", "table_recovery", table_gb if stack.recovery else 0.0),
        line("KMS: the table's key", "kms_request", MONTH_MINUTES * 60 / KMS_SECONDS),
        line("Secrets Manager: calls", "secret_call", secret_calls + 3 * ALERTS),
        line("EventBridge: events", "custom_event", total("eventbridge:PutEvents", "events:PutEvents") + ALERTS),
        line("EventBridge: archived", "events_archived", archived),
        line("EventBridge: archive, a year's", "archive_kept", 12 * archived),
        line(
            "SQS: polls and messages",
            "queue_request",
            stack.queues_polled * POLLERS * MONTH_MINUTES * 60 / POLL_SECONDS + 3 * events,
        ),
        line("SNS: e-mails", "topic_email", total("sns:Publish")),
        line("Data sent to OpenRouter", "sent_to_internet", beats * (beat.sent + beat.asked * TLS_BYTES) / GB),
    ]


def _rotating(one: Rotation, rotations: float, retirements: float, looks: float) -> list[tuple[str, Invocation, float]]:
    hours = MONTH_MINUTES / 60
    return [
        ("key_planning", one.plan, 30),
        ("key_planning", one.asking, rotations),
        ("key_rotation", one.step, 4 * rotations),
        ("key_retirement", one.beat, retirements - hours),
        ("key_retirement", one.hour, hours),
        ("credential_rotation", one.look, looks),
    ]


def total(lines: Sequence[Line]) -> float:
    return sum(line.usd for line in lines)
