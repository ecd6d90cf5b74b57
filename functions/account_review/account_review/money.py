"""Asks for what the money did, and puts it together: tables, movers with their reasons, the forecast."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from account_review.account_reading import LONGEST
from account_review.analytics_questions import Asker
from account_review.costs import NOUGHT, WEEK, WEEKS, Costs, Line, Table, by, cents, table, windows
from account_review.facts import Facts
from account_review.forecast import Forecast, forecast
from account_review.movers import Mover, Usage, reasons
from governor.policy import Policy

MOST_MOVERS = 5
"""Of workloads, and of workspaces: each workload costs two questions to analytics."""


@dataclass(frozen=True)
class Money:
    """`forecast`: None where the past is too short or unknown. `unknown`: what could not be asked, and why."""

    costs: Costs
    movers: Sequence[Mover] = ()
    forecast: Forecast | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)


def money(facts: Facts, policy: Policy, asker: Asker) -> Money:
    """Everything that analytics and activity tell of the last four weeks."""
    today, spans = facts.today, windows(facts.today)
    rows = facts.activity
    names = {place.workspace.id: place.slug for place in facts.places}
    month = (spans[-1][0] - WEEK * WEEKS, spans[-1][0])
    keys = [_lineages(asker.spend("workloads", "api_key_id", *span), policy) for span in spans]
    before = _lineages(asker.spend("workloads, 28 days before", "api_key_id", *month), policy)
    models_before = asker.spend("models, 28 days before", "model", *month)
    payers = by(rows, today, lambda _: "credits", lambda row: Decimal(f"{row.usage}"))
    owned = by(rows, today, lambda _: "BYOK", lambda row: Decimal(f"{row.byok_usage_inference}"))
    costs = Costs(
        workspaces=table("workspace", by(rows, today, lambda row: names.get(row.workspace_id or "", "(deleted)"))),
        models=table("model", by(rows, today, lambda row: row.model), month_before=models_before),
        providers=table("provider", by(rows, today, lambda row: row.provider_name or "(not named)")),
        payers=table("payer", [{**one, **other} for one, other in zip(payers, owned, strict=True)]),
        workloads=table("workload", keys, month_before=before),
        apps=table("app", asker.app_weeks(spans)),
        days=asker.days(today - LONGEST, today),
    )
    found = [*_of_workspaces(facts, costs.workspaces, asker), *_of_workloads(facts, policy, costs.workloads, asker)]
    if "days" in asker.unknown:
        return Money(costs, found, None, asker.unknown)
    return Money(costs, found, forecast(costs.days, today), asker.unknown)


def _lineages(spend: Mapping[str, Decimal], policy: Policy) -> dict[str, Decimal]:
    """Spend by workload: a rotation's two keys are one."""
    found: dict[str, Decimal] = {}
    for name, usd in spend.items():
        lineage = policy.lineage_of(name)
        found[lineage] = found.get(lineage, NOUGHT) + usd
    return found


def discounts(facts: Facts) -> dict[str, Decimal]:
    """What a prompt token costs less when it is read from cache, USD, by the model's id and by its permaslug."""
    found: dict[str, Decimal] = {}
    for model in facts.models.values():
        if model.pricing.input_cache_read is not None and model.pricing.prompt > 0:
            saved = model.pricing.prompt - model.pricing.input_cache_read
            found |= {name: saved for name in (model.id, model.canonical_slug) if name}
    return found


def _largest(which: Table) -> list[Line]:
    moved = sorted(which.lines, key=lambda one: (-abs(one.week - one.before), one.name))
    return [one for one in moved[:MOST_MOVERS] if cents(one.week) != cents(one.before)]


def _movers(
    kind: str, lines: Sequence[Line], facts: Facts, read: Callable[[str, int], Mapping[str, Usage] | None]
) -> list[Mover]:
    """`read`: a name's models in a window; None where that is unknown."""
    found = []
    for line in lines:
        now, before = read(line.name, 0), read(line.name, 1)
        if now is not None and before is not None:
            found.append(Mover(kind, line.name, reasons(before, now, discounts(facts))))
    return found


def _of_workspaces(facts: Facts, which: Table, asker: Asker) -> list[Mover]:
    spans = windows(facts.today)
    answers = [asker.models_of_workspaces(*span) for span in spans[:2]]
    if "models of workspaces" in asker.unknown:
        return []
    named = {place.slug: place.workspace.name for place in facts.places}
    twice = {name for name in named.values() if list(named.values()).count(name) > 1}

    def read(slug: str, window: int) -> Mapping[str, Usage] | None:
        name = named.get(slug)
        return None if name is None or name in twice else answers[window].get(name, {})

    return _movers("workspace", _largest(which), facts, read)


def _of_workloads(facts: Facts, policy: Policy, which: Table, asker: Asker) -> list[Mover]:
    spans = windows(facts.today)
    hashes: dict[str, list[str]] = {}
    for place in facts.places:
        for key in place.keys:
            hashes.setdefault(policy.lineage_of(key.name), []).append(key.hash)

    def read(name: str, window: int) -> Mapping[str, Usage] | None:
        if name not in hashes:
            return None
        found = asker.models_of_keys(name, hashes[name], *spans[window])
        return None if f"models of {name}" in asker.unknown else found

    return _movers("workload", _largest(which), facts, read)
