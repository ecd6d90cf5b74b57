"""Rules about the catalogue: models in use, in presets and in allowlists that change, leave or are gone.

Fields: `Model.expiration_date` ("the date after which the model may be removed") and `Model.pricing` of the vendor's
OpenAPI document, `GET /models`. A model that is not listed any more is gone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from account_review.facts import Facts, Place, Price, price_of
from account_review.finding import ACCOUNT, Found, Rulebook
from governor.policy import Policy
from management_api import Model

SOON = timedelta(days=30)
NEAR_ENOUGH = Decimal("1.5")
"""A successor may cost up to this many times what the model costs."""
MODELS = Rulebook()


@dataclass(frozen=True)
class Use:
    """Where a model is relied on: `traffic`, `preset <place>/<slug>`, `allowlist <place>`, `policy`."""

    model: str
    where: tuple[str, ...]


def uses(facts: Facts, policy: Policy) -> list[Use]:
    """Every model that something relies on, by the name it is known by there, with where; in order of name."""
    found: dict[str, list[str]] = {}
    named = [(row.model, "traffic") for row in facts.activity]
    for place in facts.places:
        named += _of_place(place)
    named += [(model, "policy") for model in (*policy.review.tiers.certified, *policy.review.tiers.fallback)]
    for model, where in named:
        found.setdefault(model, []).append(where)
    return [Use(model, tuple(dict.fromkeys(where))) for model, where in sorted(found.items())]


def _of_place(place: Place) -> Iterator[tuple[str, str]]:
    for preset in place.presets:
        config = preset.designated_version.config if preset.designated_version else {}
        for model in (config.get("model"), *(config.get("models") or ())):
            if isinstance(model, str):
                yield model, f"preset {place.slug}/{preset.slug}"
    for guardrail in place.guardrails:
        for model in guardrail.allowed_models or ():
            default = guardrail.id == place.workspace.default_guardrail_id
            yield model, f"allowlist {place.slug}/{'default' if default else guardrail.name}"
    for model in (place.workspace.default_text_model, place.workspace.default_image_model):
        if model:
            yield model, f"default of {place.slug}"


def listed(facts: Facts) -> Mapping[str, Model]:
    """The catalogue by id and by permaslug."""
    return {name: one for one in facts.models.values() for name in (one.id, one.canonical_slug) if name}


def expires(model: Model) -> date | None:
    """The day after which it may be removed; None where none is given, or none that can be read."""
    try:
        return date.fromisoformat((model.expiration_date or "")[:10])
    except ValueError:
        return None


def successors(model: Model | None, name: str, facts: Facts) -> list[str]:
    """Up to three models of the same author that can all this one can, and cost no more than half as much again; the
    nearest in price first. For a model that is gone, whose price only the former review knows, capability is unknown.
    """
    price = price_of(model) if model else facts.prices_before.get(name)
    needs = set(model.supported_parameters) if model else set()
    author, context = name.partition("/")[0], model.context_length or 0 if model else 0
    fitting = [
        one
        for one in facts.models.values()
        if one.id.partition("/")[0] == author
        and name not in (one.id, one.canonical_slug)
        and expires(one) is None
        and needs <= set(one.supported_parameters)
        and (one.context_length or 0) >= context
        and (price is None or _blend(price_of(one)) <= NEAR_ENOUGH * _blend(price))
        and _blend(price_of(one)) >= 0
    ]
    fitting.sort(key=lambda one: (abs(_blend(price_of(one)) - (_blend(price) if price else 0)), one.id))
    return [one.id for one in fitting[:3]]


def _blend(price: Price) -> Decimal:
    """USD of three prompt tokens and one completion token: near what most traffic is."""
    return 3 * price.prompt + price.completion


def _and_then(names: list[str]) -> str:
    return f"; nearest: {', '.join(names)}" if names else "; no successor of the same author fits"


@MODELS.rule(
    "high", "A model is gone that something relies on", fix="Put a successor in its place.",
    needs=("models", "activity", "presets", "guardrails"),
)  # fmt: skip
def model_gone(facts: Facts, policy: Policy) -> Iterator[Found]:
    known = listed(facts)
    for use in uses(facts, policy):
        if "*" not in use.model and not use.model.startswith("@") and use.model not in known:
            evidence = f"not in the catalogue; in {', '.join(use.where[:3])}"
            yield Found(use.model, ACCOUNT, evidence + _and_then(successors(None, use.model, facts)))


@MODELS.rule(
    "high", "A model may be removed within 30 days", fix="Move to a successor before that day.",
    needs=("models", "activity", "presets", "guardrails"),
)  # fmt: skip
def model_expires_soon(facts: Facts, policy: Policy) -> Iterator[Found]:
    yield from _expiring(facts, policy, soon=True)


@MODELS.rule(
    "medium", "A model has a date of removal", fix="Plan the move to a successor.",
    needs=("models", "activity", "presets", "guardrails"),
)  # fmt: skip
def model_expires_later(facts: Facts, policy: Policy) -> Iterator[Found]:
    yield from _expiring(facts, policy, soon=False)


def _expiring(facts: Facts, policy: Policy, *, soon: bool) -> Iterator[Found]:
    known, told = listed(facts), set[str]()
    for use in uses(facts, policy):
        model = known.get(use.model)
        day = expires(model) if model else None
        if model is None or day is None or model.id in told or (day <= facts.today + SOON) is not soon:
            continue
        told.add(model.id)
        evidence = f"may be removed after {day}; in {', '.join(use.where[:3])}"
        yield Found(model.id, ACCOUNT, evidence + _and_then(successors(model, model.id, facts)))


@MODELS.rule(
    "medium", "A model's price has changed", fix="See what it costs the workloads that use it.",
    needs=("models", "activity", "presets", "guardrails"),
)  # fmt: skip
def model_repriced(facts: Facts, policy: Policy) -> Iterator[Found]:
    known, told = listed(facts), set[str]()
    for use in uses(facts, policy):
        model = known.get(use.model)
        before = facts.prices_before.get(model.id) if model else None
        if model is None or before is None or model.id in told:
            continue
        now = price_of(model)
        if (now.prompt, now.completion) != (before.prompt, before.completion):
            told.add(model.id)
            change = f"{_million(before)} before, {_million(now)} now"
            # Each change is a finding of its own: the same model may be repriced again.
            yield Found(f"{model.id} {_million(now)}", ACCOUNT, f"{change}; in {', '.join(use.where[:3])}")


def _million(price: Price) -> str:
    return f"${price.prompt * 1_000_000:.2f}/${price.completion * 1_000_000:.2f} per million"
