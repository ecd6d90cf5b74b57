"""Broadcast's bill and load: nothing is lost at a small size, and the arithmetic is the price list's."""

import json
from pathlib import Path

import pytest

from tests.bench.broadcast import REPEATED, load
from tests.bench.cost.bill import Prices, total
from tests.bench.cost.broadcast import RATES, SAMPLED, Work, lines, table, ways, work

PRICES = Prices(json.loads((Path(__file__).resolve().parents[2] / "bench" / "prices-2026-11.json").read_text()))
WORK = Work(gateway=0.02, tally=0.1)


def test_every_delivery_is_counted_once_and_the_repeated_ones_are_known():
    taken = load(100, 5)
    assert taken.deliveries == 500 + 500 // REPEATED
    assert taken.counts == {"counted": 500, "repeated": 500 // REPEATED}
    assert work(taken, 5).gateway > 0


def test_a_million_deliveries_cost_twenty_cents_of_requests():
    found = {line.item: line for line in ways(1_000_000 / (30 * 86_400), WORK, PRICES)["function URL, SQS"]}
    assert found["Lambda: deliveries"].usd == pytest.approx(0.2)
    assert found["SQS"].usd == pytest.approx(0.48)
    assert found["Lambda: broadcast_gateway"].quantity == pytest.approx(1_000_000 * 0.02 / 4)


def test_the_chosen_way_is_the_cheapest_that_counts_every_delivery_from_a_hundred_a_second_on():
    for rate in (100, 1_000):
        (_, chosen), (_, sampled), *others = ways(rate, WORK, PRICES).items()
        assert all(total(chosen) < total(other) for _, other in others), rate
        assert total(sampled) < total(chosen)
    assert SAMPLED < 1


def test_a_shard_is_paid_for_each_thousand_a_second():
    for rate, shards in ((1, 1), (1_000, 1), (1_001, 2), (12_000, 12)):
        found = {line.item: line for line in next(iter(ways(rate, WORK, PRICES).values()))}
        assert found["Kinesis: shards"].quantity == shards * 720


def test_the_tables_name_every_way_and_every_rate():
    for text in (table(WORK, PRICES), lines(WORK, PRICES)):
        assert all(f"{rate:,} a second" in text for rate in RATES)
