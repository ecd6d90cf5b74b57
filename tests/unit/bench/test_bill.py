"""The month's bill, as arithmetic, and the document that shows one."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.bench.cost.bill import (
    AWS_CALL_SECONDS,
    CALL_SECONDS,
    Invocation,
    Measured,
    Prices,
    Rotation,
    Stack,
    bill,
    total,
)
from tests.bench.cost.report import Size, document, table
from tests.bench.cost.stack import ON_THE_BILL, read

ROOT = Path(__file__).resolve().parents[3]
PRICES = json.loads((ROOT / "tests" / "bench" / "prices-2026-11.json").read_text())
MEMORY = dict.fromkeys(ON_THE_BILL, 1024) | {"notifier": 512, "credential_rotation": 512}
STACK = Stack(MEMORY, 1, 10, 10, 2, 20, 8, 1, 1, 1, True, 30)
BEAT = Invocation(cpu=0.1, calls={"s3:GetObject": 1, "s3:PutObject": 1, "dynamodb:Query": 1}, printed=900, lines=2)
IDLE = Invocation(cpu=0.0, calls={}, printed=0, lines=0)
ROTATION = Rotation(IDLE, IDLE, IDLE, IDLE, IDLE, IDLE)
MEASURED = Measured(BEAT, BEAT, BEAT, ROTATION, secret_seconds=300, metrics=5, event_bytes=1300, ledger_bytes=4000)


def usd(measured: Measured = MEASURED, stack: Stack = STACK) -> dict[str, float]:
    return {line.item: line.usd for line in bill(measured, stack, Prices(PRICES))}


def test_a_price_per_a_number_of_things_is_charged_by_the_thing():
    line = Prices(PRICES).line("S3: writes", "s3_put", 43_200)
    assert line.usd == pytest.approx(0.216)
    assert line.unit == "requests"


def test_a_beat_a_minute_writes_its_reading_for_22_cents_a_month():
    per_alert = 3 * 300 * 0.005 / 1000  # each of the three functions is billed as the same invocation here
    assert usd()["S3: writes"] == pytest.approx(0.216 + per_alert)


def test_the_first_three_dashboards_cost_nothing_and_the_fourth_does():
    assert usd()["CloudWatch: dashboards"] == 0
    assert usd(stack=replace(STACK, dashboards=4))["CloudWatch: dashboards"] == 3.0


def test_metrics_are_billed_by_the_distinct_one():
    assert usd(replace(MEASURED, metrics=10_000))["CloudWatch: metrics"] == pytest.approx(3000.0)


def test_rotation_is_billed_by_its_own_beats_and_by_the_rotation():
    def with_a_call(**more: Invocation) -> float:
        changed = usd(replace(MEASURED, rotation=replace(ROTATION, **more)))
        return changed["Secrets Manager: calls"] - usd()["Secrets Manager: calls"]

    asking = replace(IDLE, calls={"secretsmanager:DescribeSecret": 1})
    each = 0.05 / 10_000
    assert with_a_call(step=asking) == pytest.approx(40 * each)
    assert with_a_call(hour=asking) == pytest.approx(720 * each)
    assert with_a_call(beat=asking) == pytest.approx(3_600 * each)
    assert with_a_call(look=asking) == pytest.approx(4_320 * each)


def test_a_rarer_beat_costs_less():
    assert sum(usd(stack=replace(STACK, beat_minutes=5)).values()) < sum(usd().values())


def test_waiting_goes_side_by_side_and_never_faster_than_the_pace():
    asking = replace(BEAT, cpu=0.0, calls={}, asked=80, in_turn=8)
    assert asking.seconds(1769) == pytest.approx(10 * CALL_SECONDS)
    assert asking.seconds(1769, paced=20) == pytest.approx(79 / 20)


def test_half_a_vcpu_computes_for_twice_as_long():
    computing = replace(BEAT, calls={"s3:GetObject": 1})
    assert computing.seconds(1769 / 2) == pytest.approx(0.2 + AWS_CALL_SECONDS)


def test_the_template_says_what_is_on_the_bill():
    stack = read(ROOT / "template.yaml")
    assert stack.memory_mb.keys() == STACK.memory_mb.keys()
    assert (stack.beat_minutes, stack.archives, stack.recovery, stack.queues_polled) == (1, 1, True, 2)
    assert (stack.retirement_minutes, stack.credential_minutes, stack.daily) == (10, 10, 2)
    assert stack.alarms > 0


def test_every_price_says_where_aws_publishes_it():
    assert all(price["published"].startswith("https://aws.amazon.com/") for price in PRICES["prices"].values())


def test_a_total_at_its_limit_is_a_missed_limit():
    lines = tuple(bill(MEASURED, STACK, Prices(PRICES)))
    assert not Size(50, 4, total(lines), MEASURED, lines).held
    assert "MISSED" in table([Size(50, 4, total(lines), MEASURED, lines)])


def test_the_document_that_is_kept_has_the_shape_of_the_one_written_today():
    lines = tuple(bill(MEASURED, STACK, Prices(PRICES)))
    sizes = [Size(keys, 4, 5.0, MEASURED, lines) for keys in (50, 1_000, 10_000)]
    kept = (ROOT / "docs" / "cost.md").read_text()
    today = document(sizes, read(ROOT / "template.yaml"), PRICES, date(2026, 11, 21))
    assert _first_cells(kept) == _first_cells(today)
    assert _sentences(kept) == _sentences(today), "run `python -m tests.bench.cost --write docs/cost.md`"


def test_the_totals_that_are_kept_are_under_their_limits():
    rows = {cells[1]: cells[2:-1] for cells in map(_cells, (ROOT / "docs" / "cost.md").read_text().splitlines())}
    totals = [float(cell.strip("*")) for cell in rows["**total, secrets apart**"]]
    assert all(usd < float(limit) for usd, limit in zip(totals, rows["must stay under"], strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")] if line.startswith("|") else ["", "", ""]


def _first_cells(text: str) -> list[str]:
    return [_cells(line)[1] for line in text.splitlines() if line.startswith("|")]


def _sentences(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("|", "A month's AWS bill"))]
