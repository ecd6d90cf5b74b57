"""The month's bill, as arithmetic, and the document that shows one."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.bench.cost import broadcast, review
from tests.bench.cost.__main__ import SIZES
from tests.bench.cost.bill import CLICKS, PROMOTIONS, Deciding, Failover, Measured, Prices, Rotation, Stack, bill, total
from tests.bench.cost.invocation import AWS_CALL_SECONDS, CALL_SECONDS, Invocation
from tests.bench.cost.report import Size, document, table
from tests.bench.cost.stack import ON_THE_BILL, read

ROOT = Path(__file__).resolve().parents[3]
PRICES = json.loads((ROOT / "tests" / "bench" / "prices-2026-11.json").read_text())
MEMORY = dict.fromkeys(ON_THE_BILL, 1024) | {"notifier": 512, "credential_rotation": 512}
TICKS = {
    "spend_meter": 1, "key_retirement": 10, "credential_rotation": 10, "byok_failover": 10, "preset_promotion": 10,
    "approval_desk": 5,
}  # fmt: skip
STACK = Stack(MEMORY, TICKS, 2, 20, 8, 1, 1, 1, True, 30)
TICK = Invocation(cpu=0.1, calls={"s3:GetObject": 1, "s3:PutObject": 1, "dynamodb:Query": 1}, printed=900, lines=2)
IDLE = Invocation(cpu=0.0, calls={}, printed=0, lines=0)
ROTATION = Rotation(IDLE, IDLE, IDLE, IDLE, IDLE, IDLE)
DECIDING = Deciding(IDLE, IDLE, IDLE, IDLE, IDLE, IDLE, 0.0)
WORK = broadcast.Work(0.02, 0.1)
PUSHED = f"{broadcast.table(WORK, Prices(PRICES))}\n\n{broadcast.lines(WORK, Prices(PRICES))}"
REVIEWED = review.table(review.Reviewed(TICK, 24, 12_060, 17.3, TICK, 0.4), Prices(PRICES))
MEASURED = Measured(
    TICK, TICK, TICK, ROTATION, Failover(IDLE, IDLE), DECIDING, secret_seconds=300, metrics=5, event_bytes=1300,
    ledger_bytes=4000,
)  # fmt: skip


def usd(measured: Measured = MEASURED, stack: Stack = STACK) -> dict[str, float]:
    return {line.item: line.usd for line in bill(measured, stack, Prices(PRICES))}


def test_a_price_per_a_number_of_things_is_charged_by_the_thing():
    line = Prices(PRICES).line("S3: writes", "s3_put", 43_200)
    assert line.usd == pytest.approx(0.216)
    assert line.unit == "requests"


def test_a_run_a_minute_writes_its_reading_for_22_cents_a_month():
    per_alert = 3 * 300 * 0.005 / 1000  # each of the three functions is billed as the same invocation here
    assert usd()["S3: writes"] == pytest.approx(0.216 + per_alert)


def test_the_first_three_dashboards_cost_nothing_and_the_fourth_does():
    assert usd()["CloudWatch: dashboards"] == 0
    assert usd(stack=replace(STACK, dashboards=4))["CloudWatch: dashboards"] == 3.0


def test_metrics_are_billed_by_the_distinct_one():
    assert usd(replace(MEASURED, metrics=10_000))["CloudWatch: metrics"] == pytest.approx(3000.0)


def test_rotation_is_billed_by_its_own_runs_and_by_the_rotation():
    def with_a_call(**more: Invocation) -> float:
        changed = usd(replace(MEASURED, rotation=replace(ROTATION, **more)))
        return changed["Secrets Manager: calls"] - usd()["Secrets Manager: calls"]

    asking = replace(IDLE, calls={"secretsmanager:DescribeSecret": 1})
    each = 0.05 / 10_000
    assert with_a_call(step=asking) == pytest.approx(40 * each)
    assert with_a_call(hour=asking) == pytest.approx(720 * each)
    assert with_a_call(tick=asking) == pytest.approx(3_600 * each)
    assert with_a_call(look=asking) == pytest.approx(4_320 * each)


def test_each_check_of_failover_is_billed_and_one_an_hour_is_the_probing_one():
    def more(**ticks: Invocation) -> float:
        changed = usd(replace(MEASURED, failover=replace(MEASURED.failover, **ticks)))
        return changed["DynamoDB: reads"] - usd()["DynamoDB: reads"]

    reading, each = replace(IDLE, read=100.0), PRICES["prices"]["table_read_unit"]["usd"] / 1e6
    assert more(reading=reading) == pytest.approx(3_600 * 100 * each)
    assert more(probing=reading) == pytest.approx(720 * 100 * each)


def test_runs_clicks_and_promotions_are_billed_as_often_as_they_happen():
    def more(**taken: Invocation) -> float:
        deciding = replace(DECIDING, **taken)  # type: ignore[arg-type]  # none of them is `kept`
        changed = usd(replace(MEASURED, deciding=deciding))
        return changed["DynamoDB: writes"] - usd()["DynamoDB: writes"]

    writing, each = replace(IDLE, written=10.0), PRICES["prices"]["table_write_unit"]["usd"] / 1e6
    times = {
        "watch": 4_320, "expiring": 8_640, "asking": PROMOTIONS, "promoting": PROMOTIONS, "gateway": CLICKS,
        "desk": CLICKS,
    }  # fmt: skip
    assert {name: more(**{name: writing}) for name in times} == {
        name: pytest.approx(count * 10 * each) for name, count in times.items()
    }


def test_what_a_click_tells_is_told_to_people_as_an_alert_is():
    telling = replace(IDLE, calls={"events:PutEvents": 1})
    changed = usd(replace(MEASURED, deciding=replace(DECIDING, desk=telling)))
    notified = replace(TICK, calls={}).seconds(MEMORY["notifier"]) * 0.5 + 3 * AWS_CALL_SECONDS * 0.5
    each = PRICES["prices"]["lambda_gb_second"]["usd"]
    assert changed["Lambda: notifier"] - usd()["Lambda: notifier"] == pytest.approx(CLICKS * notified * each)


def test_each_function_asks_for_the_tables_key_once_in_five_minutes_or_once_a_run():
    rarer = replace(STACK, tick_minutes={**TICKS, "byok_failover": 20})
    each = PRICES["prices"]["kms_request"]["usd"] / 10_000
    assert usd()["KMS: the tables' key"] == pytest.approx((8_640 + 4 * 4_320 + 2 * 8_640) * each)
    assert usd()["KMS: the tables' key"] - usd(stack=rarer)["KMS: the tables' key"] == pytest.approx(2_160 * each)


def test_a_rarer_run_costs_less():
    assert sum(usd(stack=replace(STACK, tick_minutes={**TICKS, "spend_meter": 5})).values()) < sum(usd().values())


def test_waiting_goes_side_by_side_and_never_faster_than_the_pace():
    asking = replace(TICK, cpu=0.0, calls={}, asked=80, in_turn=8)
    assert asking.seconds(1769) == pytest.approx(10 * CALL_SECONDS)
    assert asking.seconds(1769, paced=20) == pytest.approx(79 / 20)


def test_half_a_vcpu_computes_for_twice_as_long():
    computing = replace(TICK, calls={"s3:GetObject": 1})
    assert computing.seconds(1769 / 2) == pytest.approx(0.2 + AWS_CALL_SECONDS)


def test_the_template_says_what_is_on_the_bill():
    stack = read(ROOT / "template.yaml")
    assert stack.memory_mb.keys() == STACK.memory_mb.keys()
    assert (stack.archives, stack.recovery, stack.queues_polled, stack.daily) == (1, True, 3, 2)
    assert stack.tick_minutes == TICKS
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
    today = document(sizes, read(ROOT / "template.yaml"), PRICES, date(2026, 11, 21), PUSHED, REVIEWED)
    assert _first_cells(kept) == _first_cells(today)
    assert _sentences(kept) == _sentences(today), "run `python -m tests.bench.cost --write docs/cost.md`"


def test_the_totals_that_are_kept_are_under_their_limits():
    rows = {cells[1]: cells[2:-1] for cells in map(_cells, (ROOT / "docs" / "cost.md").read_text().splitlines())}
    totals = [float(cell.strip("*")) for cell in rows["**total, secrets apart**"]]
    assert all(usd < float(limit) for usd, limit in zip(totals, rows["must stay under"], strict=True))


def test_the_limits_that_are_kept_are_those_of_the_command_and_leave_a_small_margin():
    rows = {cells[1]: cells[2:-1] for cells in map(_cells, (ROOT / "docs" / "cost.md").read_text().splitlines())}
    totals = [float(cell.strip("*")) for cell in rows["**total, secrets apart**"]]
    limits = [limit for *_, limit in SIZES]
    assert [float(limit) for limit in rows["must stay under"]] == limits
    assert all(usd > 0.85 * limit for usd, limit in zip(totals, limits, strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")] if line.startswith("|") else ["", "", ""]


def _first_cells(text: str) -> list[str]:
    return [_cells(line)[1] for line in text.splitlines() if line.startswith("|")]


def _sentences(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("|", "A month's AWS bill"))]
