"""The review's export, read by the FinOps Foundation's own validator (PyPI `focus-validator`, rules 1.2.0.1).

It has an environment of its own, from a locked file (`tests.environments`), and needs nothing from outside. What it
still finds is its own doing, and listed with the reason: when a later release finds less, or more, this test says so.
"""

import csv
import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.reviewed import plant
from tests.environments import BUILD, python_of
from tests.unit.account_review.world import World

HERE = Path(__file__).parent
RULES = "1.2.0.1"
APPLY = (
    "ACCOUNT_NAMING_SUPPORTED", "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "TAGGING_SUPPORTED", "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
)  # fmt: skip
"""All criteria of the rules whose columns the export has. Left out: regions and zones, commitments, reservations, and
prices in another or in a virtual currency, none of which OpenRouter has."""
FOUND_IN_ANY_CASE = {
    "either of two rules must hold (InvoiceId is null, or it is not), and the other one is listed": {
        "InvoiceId-C-005-C",
    },
    "they read CommitmentDiscountStatus, which only a provider with commitments must export": {
        "ConsumedQuantity-C-000-C", "ConsumedQuantity-C-003-C", "ConsumedQuantity-C-004-C",
        "ConsumedQuantity-C-005-C", "ConsumedQuantity-C-006-C",
    },
    "they apply where prices are published AND are in a virtual or another currency; one of the two suffices here": {
        "CostAndUsage-D-046-C", "CostAndUsage-D-047-C", "CostAndUsage-D-048-C", "CostAndUsage-D-050-C",
        "CostAndUsage-D-051-C", "CostAndUsage-D-052-C", "CostAndUsage-D-054-C", "CostAndUsage-D-055-C",
        "CostAndUsage-D-056-C", "PricingCurrencyContractedUnitPrice-C-001-M",
        "PricingCurrencyContractedUnitPrice-C-002-M", "PricingCurrencyEffectiveCost-C-001-M",
        "PricingCurrencyEffectiveCost-C-002-M", "PricingCurrencyEffectiveCost-C-003-M",
        "PricingCurrencyEffectiveCost-C-004-M", "PricingCurrencyListUnitPrice-C-001-M",
        "PricingCurrencyListUnitPrice-C-002-M", "PricingCurrencyListUnitPrice-C-003-M",
        "PricingCurrencyListUnitPrice-C-004-C", "PricingCurrencyListUnitPrice-C-005-C",
        "PricingCurrencyListUnitPrice-C-007-C", "PricingCurrencyListUnitPrice-C-008-M",
    },
}  # fmt: skip
Row = dict[str, str]
Outcomes = dict[str, str]


def _spoil(row: Row) -> None:
    """As the export was before the validator read it, and a currency that there is not."""
    del row["InvoiceId"], row["SkuMeter"], row["SkuPriceDetails"]
    row["BilledCost"] = row["EffectiveCost"]
    row["PricingQuantity"] = row["PricingQuantity"].removesuffix(".0")
    row["BillingCurrency"] = "USDOLLAR"


def _changed(text: str, change: Callable[[Row], None]) -> str:
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        change(row)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcomes]:
    """What became of each rule, by file: the export of a review (`export.csv`), and the same one spoilt."""
    world = World(faults=plant)
    world.review()
    export = world.shelf.objects["weekly-2026-11-23/focus.csv"]
    folder = tmp_path_factory.mktemp("focus")
    (folder / "export.csv").write_text(export)
    (folder / "spoilt.csv").write_text(_changed(export, _spoil))
    done = subprocess.run(
        [
            str(python_of("focus-validator", HERE / "requirements.txt")), str(HERE / "validating.py"),
            RULES, ",".join(APPLY), *map(str, sorted(folder.iterdir())),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(BUILD)},
    )  # fmt: skip
    found: dict[str, Outcomes] = json.loads(done.stdout.splitlines()[-1])
    return {Path(name).name: one for name, one in found.items()}


def _failed(outcomes: Outcomes) -> set[str]:
    return {rule for rule, outcome in outcomes.items() if outcome == "failed"}


def test_the_validator_finds_nothing_in_the_export_but_what_it_finds_in_any_case(outcomes: dict[str, Outcomes]) -> None:
    assert _failed(outcomes["export.csv"]) == set().union(*FOUND_IN_ANY_CASE.values())
    assert [*outcomes["export.csv"].values()].count("passed") > 240, "most rules were asked"


def test_what_it_found_when_it_first_read_the_export_it_would_find_again(outcomes: dict[str, Outcomes]) -> None:
    found = _failed(outcomes["spoilt.csv"]) - _failed(outcomes["export.csv"])
    assert {
        "BilledCost-C-005-C",  # a third party was paid, and it was not 0
        "PricingQuantity-C-001-M",  # whole numbers, which are no decimals to a reader of CSV
        "CostAndUsage-D-033-O",  # InvoiceId, SkuMeter and SkuPriceDetails were not there
        "CostAndUsage-D-059-C",
        "CostAndUsage-D-061-C",
        "BillingCurrency-C-003-M",
    } <= found
