"""The export in FOCUS 1.2's columns: the open names, what may be null, what must be one of a list, and sums that hold.

The table below follows https://focus.finops.org/focus-specification/v1-2/. The FinOps Foundation's validator reads the
export in `tests/contract/focus_validator`.
"""

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from account_review.focus import COLUMNS, MANDATORY, OWN, focus
from management_api import ActivityItem
from sandbox.reviewed import plant
from tests.unit.account_review.world import World

MUST = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName",
}  # fmt: skip
KNOWN = MUST | {
    "AvailabilityZone", "BillingAccountType", "CapacityReservationId", "CapacityReservationStatus", "ChargeFrequency",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit",
    "ContractedUnitPrice", "InvoiceId", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "RegionId",
    "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
}  # fmt: skip
MAY_BE_NULL = {"ChargeClass", "InvoiceId", "SkuPriceDetails", "SubAccountId", "SubAccountName", "SubAccountType"}
NUMBERS = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity", "ConsumedQuantity",
    "ListUnitPrice", "ContractedUnitPrice",
)  # fmt: skip


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    world = World(faults=plant)
    world.review()
    return _rows(world.shelf.objects["weekly-2026-11-23/focus.csv"])


def test_every_column_that_must_be_there_is_and_no_other_name_is_made_up() -> None:
    assert {*MANDATORY} == MUST
    assert {name for name in COLUMNS if name not in OWN} <= KNOWN
    assert all(name.startswith("x_") for name in OWN)
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_every_value_has_the_form_that_its_column_wants(rows: list[dict[str, str]]) -> None:
    assert len(rows) > 100
    for row in rows:
        assert [name for name, value in row.items() if not value and name not in MAY_BE_NULL] == []
        assert all(re.fullmatch(r"-?[0-9]+\.[0-9]+", row[name]) for name in NUMBERS)
        for name in ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", row[name])
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert (row["BillingCurrency"], row["ChargeCategory"], row["ChargeClass"]) == ("USD", "Usage", "")
        assert (row["ChargeFrequency"], row["PricingCategory"]) == ("Usage-Based", "Standard")
        assert (row["ServiceCategory"], row["ServiceSubcategory"]) == ("AI and Machine Learning", "Generative AI")
        assert isinstance(json.loads(row["Tags"]), dict)
        assert (row["SubAccountId"] == "") == (row["SubAccountType"] == "")


def test_cost_is_unit_price_times_quantity_and_the_sums_are_the_accounts(rows: list[dict[str, str]]) -> None:
    world = World(faults=plant)
    report = world.review()
    for row in rows:
        for cost, price in (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice")):
            product = Decimal(row[price]) * Decimal(row["PricingQuantity"])
            assert abs(product - Decimal(row[cost])) < Decimal("0.000001")
    activity = report.facts.activity
    known = sum(Decimal(f"{one.usage}") + Decimal(f"{one.byok_usage_inference}") for one in activity)
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == known
    on_credits = sum(Decimal(f"{one.usage}") for one in activity)
    assert sum(Decimal(row["BilledCost"]) for row in rows) == on_credits < known


def test_what_byok_paid_is_on_the_providers_invoice(rows: list[dict[str, str]]) -> None:
    issuers = {row["x_Payer"]: row["InvoiceIssuerName"] for row in rows}
    assert issuers == {"credits": "OpenRouter", "byok": "Anthropic"}
    assert {row["BilledCost"] for row in rows if row["x_Payer"] == "byok"} == {"0.0"}, "OpenRouter bills nothing of it"


def test_a_day_that_both_paid_is_two_rows_that_share_its_tokens_as_they_share_its_cost() -> None:
    item = ActivityItem.model_validate({
        "date": "2026-11-30", "model": "a/b", "requests": 4, "usage": 1.0, "byok_usage_inference": 3.0,
        "prompt_tokens": 1001, "completion_tokens": 99, "provider_name": "A",
    })  # fmt: skip
    first, second = _rows(focus([item], {}, "acme"))
    assert (first["EffectiveCost"], second["EffectiveCost"]) == ("1.0", "3.0")
    assert [row["x_RequestCount"] for row in (first, second)] == ["1", "3"]
    assert Decimal(first["PricingQuantity"]) + Decimal(second["PricingQuantity"]) == 1100
    assert first["BillingPeriodEnd"] == "2026-12-01T00:00:00Z"
