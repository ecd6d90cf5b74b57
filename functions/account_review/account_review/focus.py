"""The cost-and-usage export, in the columns of FOCUS 1.2 (https://focus.finops.org/focus-specification/v1-2/). Pure.

One row for each completed day, workspace, model, endpoint and payer. What was billed to credits is OpenRouter's
invoice; BYOK inference is the provider's, so that provider is its `InvoiceIssuerName`, and its `BilledCost` is 0, as
the specification says of what a third party is paid: the sum of `BilledCost` is what credits paid, that of
`EffectiveCost` everything. A charge is taken from credits that were paid before, so no row has an invoice of its own.
OpenRouter publishes prices and no list cost of what was served, so that list and contracted cost are the effective
cost, and unit prices are the day's averages. A number has a decimal point, by which tools that read CSV know a decimal.
Activity does not split tokens by payer: where a day has both, they are divided as the cost is (an estimate).
Tables for people beside it: costs.csv and findings.csv.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from account_review.costs import NOUGHT, Table
from account_review.finding import Finding

if TYPE_CHECKING:
    from management_api import ActivityItem

MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
CONDITIONAL = (
    "ChargeFrequency", "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "InvoiceId", "ListUnitPrice",
    "PricingCategory", "ResourceId", "ResourceName", "ResourceType", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "BillingAccountType", "Tags",
)  # fmt: skip
OWN = ("x_RequestCount", "x_PromptTokens", "x_CompletionTokens", "x_Payer")
COLUMNS = (*MANDATORY, *CONDITIONAL, *OWN)


def focus(rows: Iterable["ActivityItem"], workspaces: Mapping[str, str], account: str) -> str:
    """The export as CSV. `workspaces`: slug by id. `account`: what names the account, for `BillingAccountId`."""
    return _csv(COLUMNS, (line for row in rows for line in _lines(row, workspaces, account)))


def _lines(row: "ActivityItem", workspaces: Mapping[str, str], account: str) -> Iterator[dict[str, str]]:
    usage, owned = Decimal(f"{row.usage}"), Decimal(f"{row.byok_usage_inference}")
    both = usage + owned
    share = usage / both if both else Decimal(1)
    counts = {"requests": row.requests, "prompt": row.prompt_tokens, "completion": row.completion_tokens}
    on_credits = {name: round(count * share) for name, count in counts.items()}
    if usage or not owned:
        yield _line(row, workspaces, account, usage, on_credits, "credits")
    if owned:
        rest = {name: count - (on_credits[name] if usage else 0) for name, count in counts.items()}
        yield _line(row, workspaces, account, owned, rest, "byok")


def _line(
    row: "ActivityItem",
    workspaces: Mapping[str, str],
    account: str,
    cost: Decimal,
    counts: Mapping[str, int],
    payer: str,
) -> dict[str, str]:
    day = date.fromisoformat(row.date[:10])
    first = day.replace(day=1)
    tokens = counts["prompt"] + counts["completion"]
    amount, price = _number(cost), _number(cost / tokens if tokens else NOUGHT)
    quantity = _number(Decimal(tokens))
    issuer = "OpenRouter" if payer == "credits" else row.provider_name or "unknown"
    place = row.workspace_id or ""
    sku = row.model_permaslug or row.model
    return {
        "BilledCost": amount if payer == "credits" else _number(NOUGHT),
        "EffectiveCost": amount,
        "ListCost": amount,
        "ContractedCost": amount,
        "BillingAccountId": account,
        "BillingAccountName": account,
        "BillingAccountType": "Organization",
        "BillingCurrency": "USD",
        "BillingPeriodStart": _instant(first),
        "BillingPeriodEnd": _instant((first + timedelta(days=32)).replace(day=1)),
        "ChargePeriodStart": _instant(day),
        "ChargePeriodEnd": _instant(day + timedelta(days=1)),
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": f"{row.model} served by {row.provider_name or 'an unnamed provider'}, paid by {payer}",
        "ChargeFrequency": "Usage-Based",
        "InvoiceId": "",
        "InvoiceIssuerName": issuer,
        "ProviderName": "OpenRouter",
        "PublisherName": row.provider_name or "unknown",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ServiceName": "OpenRouter",
        "PricingCategory": "Standard",
        "PricingQuantity": quantity,
        "PricingUnit": "Tokens",
        "ConsumedQuantity": quantity,
        "ConsumedUnit": "Tokens",
        "ListUnitPrice": price,
        "ContractedUnitPrice": price,
        "SkuId": sku,
        "SkuMeter": "Tokens",
        "SkuPriceDetails": "",
        "SkuPriceId": f"{sku}/{row.endpoint_id}" if row.endpoint_id else sku,
        "ResourceId": row.endpoint_id or sku,
        "ResourceName": row.model,
        "ResourceType": "Model endpoint",
        "SubAccountId": place,
        "SubAccountName": workspaces.get(place, ""),
        "SubAccountType": "Workspace" if place else "",
        "Tags": json.dumps({"workspace": workspaces.get(place, place)}) if place else "{}",
        "x_RequestCount": f"{counts['requests']}",
        "x_PromptTokens": f"{counts['prompt']}",
        "x_CompletionTokens": f"{counts['completion']}",
        "x_Payer": payer,
    }


def costs_csv(tables: Sequence[Table]) -> str:
    """Every table: a row a name, with its four weeks, the newest first, USD."""
    columns = ("dimension", "name", "week", "week_before", "two_weeks_before", "three_weeks_before", "month_before")
    return _csv(
        columns,
        (
            {
                "dimension": which.dimension,
                "name": line.name,
                **dict(zip(columns[2:6], (_number(usd) for usd in line.weeks), strict=True)),
                "month_before": _number(which.month_before[line.name]) if line.name in which.month_before else "",
            }
            for which in tables
            for line in which.lines
        ),
    )


def findings_csv(rows: Iterable[tuple[str, Finding, date]]) -> str:
    """`rows`: how it stands (`new`, `standing`, `accepted`), the finding, and its first day."""
    columns = ("state", "severity", "rule", "subject", "workspace", "title", "evidence", "fix", "owner", "since")
    return _csv(
        columns,
        (
            {
                "state": state, "severity": one.severity, "rule": one.rule, "subject": one.subject,
                "workspace": one.place, "title": one.title, "evidence": one.evidence, "fix": one.fix,
                "owner": one.owner, "since": f"{since}",
            }
            for state, one, since in rows
        ),
    )  # fmt: skip


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(row.get(name, "")) for name in columns} for row in rows)
    return out.getvalue()


def _plain(text: str) -> str:
    """What somebody called a key must not become a formula in a spreadsheet."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _number(amount: Decimal) -> str:
    """Plain decimal notation, with a point: FOCUS takes an exponent, spreadsheets read it as they like."""
    text = f"{amount.normalize():f}"
    return text if "." in text else f"{text}.0"


def _instant(day: date) -> str:
    return f"{day}T00:00:00Z"
