"""Spend without HTTP: what a scenario's clients would have spent, metered and limited as inference is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.analytics import Tally, Traffic, tally_of
from sandbox.openrouter.catalogue import MODELS, Model
from sandbox.openrouter.generations import Attempt, Generation
from sandbox.openrouter.keys import Key
from sandbox.openrouter.limits import Layer, exceeded, layers, out_of_credits
from sandbox.openrouter.otlp import deliveries
from sandbox.openrouter.refusals import Refusal, invalid
from sandbox.openrouter.routing import LATENCY, attempts

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

DEFAULT_MODEL = "anthropic/claude-haiku-4.5"


@dataclass(frozen=True, slots=True)
class Spent:
    """What was accepted of the spend asked for (USD), and the answer the first refused request got."""

    accepted_usd: float
    requests: int
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request's answer. `usd`: what it cost, whoever was billed for it; `latency` in milliseconds."""

    status: int
    key_hash: str
    usd: float = 0.0
    is_byok: bool = False
    latency: int = 0


def ask(
    organization: "Organization",
    key_hash: str,
    usd: float,
    *,
    at: float,
    model: str = DEFAULT_MODEL,
    app: str | None = None,
    user: str | None = None,
    provider: dict[str, Any] | None = None,
) -> Asked:
    """One request that costs `usd`: checked, routed (BYOK or not), limited and metered as inference is.

    `provider` holds its routing preferences.

    What a completion has beside that, text and broadcast, is left out: months of traffic stay affordable.
    """
    found = MODELS.get(model)
    if not found:
        raise invalid(f"{model} is not a valid model ID")
    key = organization.keys.get(key_hash)
    refusal = unusable(key, at)
    if refusal or not key:
        return Asked(refusal.status if refusal else 401, key_hash)
    try:
        tried = attempts(organization, key, found, provider or {}, at)
    except Refusal as refused:
        return Asked(refused.status, key_hash)
    served = tried[-1]
    usage, upstream = organization.bill(usd, 1, at, is_byok=served.is_byok)
    _, refusal = admit(organization, key, 1, usage, upstream, at)
    if refusal:
        return Asked(refusal.status, key_hash)
    latency = sum(each.latency for each in tried)
    if served.status != 200:
        return Asked(served.status, key_hash, latency=latency)
    organization.charge(key, at, usage, upstream)
    who = Traffic(key.hash, key.workspace_id, found.id, served.provider, app, user)
    organization.record(at, who, tally_of(1, usage, upstream, *_tokens(found, usd), is_byok=served.is_byok))
    return Asked(200, key_hash, usd, served.is_byok, latency)


def spend(
    organization: "Organization",
    key_hash: str,
    usd: float,
    *,
    at: float,
    model: str = DEFAULT_MODEL,
    requests: int = 1,
    byok: bool | None = False,
    app: str | None = None,
    user: str | None = None,
    broadcast: bool = False,
) -> Spent:
    """Record `requests` equal requests that cost `usd` together; those past a limit, and those that no provider served,
    are refused, as they would be.

    `byok` says who pays, credits or the organization's own account, whatever credentials there are: a past can be made
    up. None routes each request as inference is, through every credential and its trouble. `broadcast` puts those that
    went the same way in the outbox as one generation.
    """
    found = MODELS.get(model)
    if not found:
        raise invalid(f"{model} is not a valid model ID")
    key = organization.keys.get(key_hash)
    refusal = unusable(key, at)
    if refusal or not key:
        return Spent(0.0, 0, refusal)
    if byok is None:
        try:
            runs = _runs(organization, key, found, requests, at)
        except Refusal as refused:
            return Spent(0.0, 0, refused)
    else:
        runs = [(requests, (Attempt(found.providers[0], 200, byok, LATENCY),))]
    accepted = 0
    for count, tried in runs:
        if tried[-1].status != 200:
            refusal = refusal or Refusal(tried[-1].status, "Provider returned error")
            continue
        who = Traffic(key.hash, key.workspace_id, found.id, tried[-1].provider, app, user)
        let_through, refused_by = _run(
            organization, key, found, who, tried, (count, usd * count / requests), at, broadcast
        )
        accepted, refusal = accepted + let_through, refusal or refused_by
    return Spent(usd * accepted / requests, accepted, refusal)


def _runs(
    organization: "Organization", key: Key, model: Model, requests: int, at: float
) -> list[tuple[int, tuple[Attempt, ...]]]:
    """How equal requests at one instant go, one after another: as runs of those that went the same way."""
    first = attempts(organization, key, model, {}, at)
    if not any(each.trouble and each.trouble.counts for each in organization.credentials.values()):
        return [(requests, first)]
    runs = [(1, first)]
    for _ in range(requests - 1):
        tried = attempts(organization, key, model, {}, at)
        if tried == runs[-1][1]:
            runs[-1] = (runs[-1][0] + 1, tried)
        else:
            runs.append((1, tried))
    return runs


def _run(
    organization: "Organization",
    key: Key,
    model: Model,
    who: Traffic,
    tried: tuple[Attempt, ...],
    amount: tuple[int, float],
    at: float,
    broadcast: bool,
) -> tuple[int, Refusal | None]:
    """Record served requests, `amount` of them and what they cost together in USD; as `admit` answers."""
    requests, usd = amount
    is_byok = tried[-1].is_byok
    usage, upstream = organization.bill(usd, requests, at, is_byok=is_byok)
    accepted, refusal = admit(organization, key, requests, usage, upstream, at)
    if accepted:
        share = accepted / requests
        tally = tally_of(accepted, usage * share, upstream * share, *_tokens(model, usd * share), is_byok=is_byok)
        organization.charge(key, at, tally.usage, tally.upstream)
        organization.record(at, who, tally)
        if broadcast:
            generation = _generation(organization, key, model, who, tried, at, tally)
            organization.outbox.extend(deliveries(organization, generation))
    return accepted, refusal


def unusable(key: Key | None, now: float) -> Refusal | None:
    """Deleted, disabled and expired keys all answer 401."""
    if key is None:
        return Refusal(401, "User not found.")
    if key.disabled:
        return Refusal(401, "API key is disabled")
    return Refusal(401, "API key has expired") if key.is_expired(now) else None


def admit(
    organization: "Organization", key: Key, requests: int, usage: float, upstream: float, now: float
) -> tuple[int, Refusal | None]:
    """How many of the requests every layer lets through, and what the next one is told."""
    per_request = (usage / requests, upstream / requests)
    accepted, refusal = requests, None
    for layer in layers(organization, key, now):
        let_through = layer.accepts(requests, *per_request)
        if let_through < accepted:
            accepted, refusal = let_through, exceeded(layer)
    credits = Layer("credits", organization.credits, organization.meter.usage, None, None, include_byok=False)
    # Free traffic passes on an empty balance, not on a negative one.
    if credits.remaining_usd < 0 or usage > 0:
        let_through = credits.accepts(requests, per_request[0], 0.0)
        if let_through < accepted:
            accepted, refusal = let_through, out_of_credits()
    return accepted, refusal


def _generation(
    organization: "Organization",
    key: Key,
    model: Model,
    who: Traffic,
    tried: tuple[Attempt, ...],
    at: float,
    tally: Tally,
) -> Generation:
    prompt_cost, completion_cost = model.cost(tally.prompt_tokens, tally.completion_tokens)
    return Generation(
        organization.ids.generation(at),
        at,
        key.hash,
        key.name,
        key.creator_user_id,
        key.workspace_id,
        organization.id,
        model,
        tried,
        tally.prompt_tokens,
        tally.completion_tokens,
        prompt_cost,
        completion_cost,
        tally.usage,
        tally.upstream,
        "stop",
        prompt="",
        reply="",
        user=who.user,
        app=who.app,
    )


def _tokens(model: Model, usd: float) -> tuple[int, int]:
    """Prompt and completion tokens that cost about `usd`, half on each side; free models count by the thousand."""
    if model.is_free:
        return 1000, 100
    completion = int(usd / 2 / model.completion_price) if model.completion_price else 0
    prompt = int((usd - completion * model.completion_price) / model.prompt_price)
    return prompt, completion
