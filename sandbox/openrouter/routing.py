"""Which endpoints a request tries, and in what order.

Prioritized BYOK credentials by `sort_order`, then OpenRouter's shared endpoints, then fallback credentials; BYOK goes
first whatever `provider.order` says (vendor: guide on BYOK).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.catalogue import Model
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.generations import Attempt
from sandbox.openrouter.keys import Key
from sandbox.openrouter.refusals import Refusal

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

LATENCY, SLOW = 350, 9_000
"""Milliseconds until an endpoint answers, healthy and in trouble."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's endpoint; `credential` is None for OpenRouter's shared capacity."""

    provider: str
    credential: Credential | None = None


def attempts(organization: "Organization", key: Key, model: Model, preferences: dict[str, Any]) -> tuple[Attempt, ...]:
    """Every endpoint tried up to the first that served; the last has status 200 unless all failed.

    Raises a 403 where a guardrail forbids the model and a 404 where nothing is left to try.
    """
    guardrails = organization.guardrails_over(key)
    if not all(guardrail.allows_model(model) for guardrail in guardrails):
        raise Refusal(403, f"{model.id} is blocked by a guardrail")
    providers = [
        provider
        for provider in _preferred(model, preferences)
        if all(guardrail.allows_provider(provider) for guardrail in guardrails)
    ]
    tried: list[Attempt] = []
    for endpoint in _endpoints(organization, key, model, providers):
        tried.append(_try(organization, endpoint))
        if tried[-1].status == 200 or preferences.get("allow_fallbacks") is False:
            break
    if not tried:
        raise Refusal(404, "No allowed providers are available for the selected model.")
    return tuple(tried)


def _preferred(model: Model, preferences: dict[str, Any]) -> list[str]:
    """The model's providers as the caller's `only`, `ignore` and `order` leave them."""
    only, ignore = preferences.get("only"), preferences.get("ignore") or ()
    order = list(preferences.get("order") or ())
    kept = [each for each in model.providers if (only is None or each in only) and each not in ignore]
    if not order:
        return kept
    return sorted(kept, key=lambda each: order.index(each) if each in order else len(order))


def _endpoints(organization: "Organization", key: Key, model: Model, providers: list[str]) -> Iterator[Endpoint]:
    found = sorted(
        (
            each
            for each in organization.credentials.values()
            if each.provider in providers and each.serves(model, key.hash, key.creator_user_id, key.workspace_id)
        ),
        key=lambda each: (providers.index(each.provider), each.sort_order),
    )
    yield from (Endpoint(each.provider, each) for each in found if not each.settings["is_fallback"])
    yield from (Endpoint(each) for each in providers if not _own_keys_only(organization, each, model, key))
    yield from (Endpoint(each.provider, each) for each in found if each.settings["is_fallback"])


def _own_keys_only(organization: "Organization", provider: str, model: Model, key: Key) -> bool:
    """`is_byok_only` takes a provider's shared endpoints from every model, `is_required` from those it applies to."""
    for credential in organization.credentials.values():
        settings = credential.settings
        if credential.provider != provider or settings["disabled"]:
            continue
        if credential.workspace_id not in (None, key.workspace_id):
            continue
        models = settings["allowed_models"]
        applies = models is None or model.id in models or model.permaslug in models
        if settings["is_byok_only"] or (settings["is_required"] and applies):
            return True
    return False


def _try(organization: "Organization", endpoint: Endpoint) -> Attempt:
    credential = endpoint.credential
    if credential is None:
        return Attempt(endpoint.provider, organization.outages.get(endpoint.provider, 200), False, LATENCY)
    # An outage of the provider strikes whoever calls it.
    status = organization.outages.get(endpoint.provider, credential.status(endpoint.provider))
    return Attempt(endpoint.provider, status, True, SLOW if credential.trouble == "slow" else LATENCY)
