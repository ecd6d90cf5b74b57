"""What one review of 10,000 keys takes, and one look at the members: the shipped handler over the simulator and a local
AWS. The one runs once a week, the other each hour.

Every key spends in both weeks, each of the rules about keys finds a tenth of them, and a year of alerts stands in the
ledger. Exits with 1 when a review costs more than `MOST_USD`, when a month of looks costs more than `MOST_LOOKS_USD`,
or when a review asks analytics more than `MOST_QUESTIONS` times:

    python -m tests.bench.cost.review
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.yaml_helper import yaml_parse

from governor.clock import format_instant
from governor.events import DetailType, Event
from governor.events.evidence import Disable
from sandbox.build import ROOT
from sandbox.openrouter.simulator import Simulator
from sandbox.reviewed import NOW, found, policy
from sandbox.reviewed.clean import make_key
from tests.bench.cost.bill import Line, Prices, total
from tests.bench.cost.invocation import Invocation
from tests.bench.cost.measure import average, aws, stack_facing
from tests.bench.far_side import MANAGEMENT_KEY
from tests.bench.processes import REGION, Worker, built_stack

KEYS, WORKSPACES, ALERTS = 10_000, 20, 3_600
MOST_USD, MOST_LOOKS_USD, MOST_QUESTIONS = 0.05, 0.05, 64
LOOKS = 24 * 30
"""Looks at the members in a month."""
FUNCTION = "AccountReviewFunction"


@dataclass(frozen=True)
class Reviewed:
    """One run. `seconds`: billed. `questions`: to analytics. `open`: findings. `look`: at the members."""

    taken: Invocation
    questions: int
    open: int
    seconds: float
    look: Invocation
    look_seconds: float


def reviewed(built: Path) -> Reviewed:
    """The second of two runs of one container: what it was started for is not a week's cost."""
    simulator = Simulator(MANAGEMENT_KEY, clock=lambda: NOW.timestamp(), credits=1e9)
    found(simulator)
    _fill(simulator)
    with simulator.serve() as url, aws() as variables:
        declared: dict[str, Any] = yaml.safe_load(policy(url))
        stack = stack_facing(built, url, {**declared, "defaults": {"exposed": {"mode": "alert"}}})
        _remember(variables)
        more = {"POWERTOOLS_SERVICE_NAME": "account_review", "STACK_NAME": "governor"}
        with Worker.shipped("handlers.py", stack, FUNCTION, **variables, **more) as worker:
            worker.tell("start", function="account_review", apart=True)
            _run(worker, simulator, 0)
            told = _run(worker, simulator, 7)
            questions = sum(one.path == "/analytics/query" for one in simulator.requests)
            _run(worker, simulator, 8, watch="members")
            looked = _run(worker, simulator, 9, watch="members")
    taken, look = average([told], 8), average([looked], 1)
    memory, pace = _stack_of()
    seconds, look_seconds = taken.seconds(memory, pace), look.seconds(memory, pace)
    return Reviewed(taken, questions, told["answer"]["open"], seconds, look, look_seconds)


def _fill(simulator: Simulator) -> None:
    organization = simulator.organization
    slugs = [f"team-{number}" for number in range(WORKSPACES)]
    for slug in slugs:
        organization.create_workspace(slug.title(), slug)
    for number in range(KEYS):
        faults: dict[str, Any] = {} if number % 10 else {"limit": None, "limit_reset": None, "expires_at": None}
        hash = make_key(organization, f"prod-team-key{number}", slugs[number % len(slugs)], **faults)
        for days in (3, 10):
            at = (NOW - timedelta(days=days)).timestamp()
            simulator.spend(hash, 0.01 + number % 7 / 100, at=at, app=f"app-{number % 40}")


def _remember(variables: dict[str, str]) -> None:
    """A year of alerts, as kill_switch stores them."""
    client = boto3.Session("fake", "fake", region_name=REGION).resource(
        "dynamodb", endpoint_url=variables["AWS_ENDPOINT_URL"]
    )
    evidence = Disable(
        name="prod-a", cause="runaway", trigger="t", rule="confirmed", keys=[], spend_by_minute=[1.0] * 60
    )
    with client.Table(variables["TABLE_NAME"]).batch_writer() as rows:
        for number in range(ALERTS):
            at = NOW - timedelta(hours=2 * number + 1)
            event = Event(DetailType.KEY_DISABLED, f"{number}", "prod-a", at, "why", evidence.model_dump(mode="json"))
            instant = format_instant(at)
            data = {"detail-type": "Key Disabled", "id": event.id, "time": instant, "detail": event.detail()}
            row = {"pk": "published#kill_switch", "sk": event.id, "version": 1, "data": json.dumps(data)}
            rows.put_item(Item=row)


def _run(worker: Any, simulator: Simulator, days: int, **more: str) -> dict[str, Any]:
    simulator.requests.clear()
    instant = format_instant(NOW + timedelta(days=days))
    told: dict[str, Any] = worker.tell("invoke", event={"version": 1, "scheduled_time": instant, **more})
    return {**told, "asked": len(simulator.requests), "sent": 0}


def _stack_of() -> tuple[float, float]:
    """Memory in MB, and calls to OpenRouter a second at most."""
    document: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    memory = float(document["Resources"][FUNCTION]["Properties"]["MemorySize"])
    return memory, float(document["Parameters"]["RequestsPerSecond"]["Default"])


def lines(taken: Invocation, seconds: float, prices: Prices) -> Sequence[Line]:
    """A run's bill."""
    memory, _ = _stack_of()
    line = prices.line
    return [
        line("Lambda: invocations", "lambda_request", 1),
        line("Lambda: account_review", "lambda_gb_second", seconds * memory / 1024),
        line("CloudWatch Logs: written", "logs_ingested", taken.log_bytes / 1e9),
        line("S3: writes", "s3_put", taken.aws_calls("s3:PutObject")),
        line("S3: reads", "s3_get", taken.aws_calls("s3:GetObject")),
        line("DynamoDB: reads", "table_read_unit", taken.read),
        line("DynamoDB: writes", "table_write_unit", taken.written),
        line("Secrets Manager: calls", "secret_call", taken.secret_calls),
        line("EventBridge: events", "custom_event", taken.aws_calls("events:PutEvents")),
        line("SNS: e-mails", "topic_email", taken.aws_calls("sns:Publish")),
    ]


def table(one: Reviewed, prices: Prices) -> str:
    """Markdown: a line of the bill a row, and what the run took."""
    found = lines(one.taken, one.seconds, prices)
    month = LOOKS * total(lines(one.look, one.look_seconds, prices))
    rows = [f"| {line.item} | {line.quantity:,.2f} {line.unit} | {line.usd:.5f} |" for line in found]
    rows.append(f"| **a run** | | **{total(found):.4f}** |")
    rows.append(f"| a run must stay under | | {MOST_USD:.2f} |")
    took = [
        f"| billed duration, s | {one.seconds:.1f} |",
        f"| calls to OpenRouter | {one.taken.asked:,.0f} |",
        f"| questions to analytics | {one.questions:,} of {MOST_QUESTIONS} that a minute takes |",
        f"| findings open | {one.open:,} |",
    ]
    head = f"| one review of {KEYS:,} keys | quantity | USD |"
    looks = [
        f"| billed duration of a look at the members, s | {one.look_seconds:.2f} |",
        f"| calls to OpenRouter | {one.look.asked:,.0f} |",
        f"| a month of {LOOKS} looks, USD | {month:.4f} |",
        f"| it must stay under, USD | {MOST_LOOKS_USD:.2f} |",
    ]
    return "\n".join(
        [
            head,
            "|---|---|---|",
            *rows,
            "",
            "| it takes | |",
            "|---|---|",
            *took,
            "",
            "| each hour | |",
            "|---|---|",
            *looks,
        ]
    )


def held(one: Reviewed, prices: Prices) -> bool:
    looks = LOOKS * total(lines(one.look, one.look_seconds, prices))
    review = total(lines(one.taken, one.seconds, prices))
    return review <= MOST_USD and looks <= MOST_LOOKS_USD and one.questions <= MOST_QUESTIONS


def main() -> int:
    prices = Prices(json.loads((ROOT / "tests" / "bench" / "prices-2026-11.json").read_text()))
    one = reviewed(built_stack())
    print(table(one, prices))
    return 0 if held(one, prices) else 1


if __name__ == "__main__":
    sys.exit(main())
