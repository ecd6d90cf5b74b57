"""Which endpoints a request tries, and in what order.

Prioritized BYOK credentials by `sort_order`, then OpenRouter's shared endpoints, then fallback credentials; within
each, providers as the caller orders them. BYOK goes first whatever `provider.order` says (vendor: guide on BYOK).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.bodies import Region
from sandbox.openrouter.catalogue import PROVIDERS, Model
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.data_policies import Demands, demands_of
from sandbox.openrouter.generations import Attempt
from sandbox.openrouter.keys import Key
from sandbox.openrouter.refusals import Refusal

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

LATENCY = 350
"""Milliseconds until a healthy endpoint answers, and until a failing one does."""

_SLUGS = {name.lower(): slug for slug, name in PROVIDERS.items()}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's endpoint; `credential` is None for OpenRouter's shared capacity."""

    provider: str
    credential: Credential | None = None


def attempts(
    organization: "Organization",
    key: Key,
    model: Model,
    preferences: dict[str, Any],
    at: float,
    region: Region = "global",
) -> tuple[Attempt, ...]:
    """Every endpoint tried up to the first that served; the last has status 200 unless all failed.

    `at` is the request's instant: troubles come and go. Raises what `chain` does, and a 404 where it is empty.
    """
    tried: list[Attempt] = []
    for endpoint in chain(organization, key, model, preferences, region):
        tried.append(_try(organization, endpoint, at))
        if tried[-1].status == 200:
            break
    if not tried:
        raise Refusal(404, "No allowed providers are available for the selected model")
    return tuple(tried)


def chain(
    organization: "Organization", key: Key, model: Model, preferences: dict[str, Any], region: Region = "global"
) -> Iterator[Endpoint]:
    """Every endpoint that the request may try, in order. Raises a 403 where a guardrail forbids model or region."""
    guardrails = organization.guardrails_over(key)
    for guardrail in guardrails:
        if not guardrail.allows_model(model):
            raise Refusal(403, f"{model.id} is blocked by a guardrail")
        if not guardrail.allows_region(region):
            raise Refusal(403, f"Requests through the {region} region are blocked by a guardrail")
    demands = demands_of(preferences, guardrails, model, region)
    providers = [
        provider
        for provider in _preferred(model, preferences)
        if (demands is None or demands.allow_provider(provider))
        and all(guardrail.allows_provider(provider) for guardrail in guardrails)
    ]
    found = _endpoints(organization, key, model, providers, demands, region)
    return found if preferences.get("allow_fallbacks") is not False else _primary(found, preferences)


def _preferred(model: Model, preferences: dict[str, Any]) -> list[str]:
    """The model's providers as the caller's `only`, `ignore` and `order` leave them."""
    if not preferences:
        return list(model.providers)
    only, ignore, order = (_slugs(preferences.get(name)) for name in ("only", "ignore", "order"))
    kept = [each for each in model.providers if (only is None or each in only) and each not in (ignore or ())]
    if not order:
        return kept
    if preferences.get("allow_fallbacks") is False:
        return [each for each in order if each in kept]
    return sorted(kept, key=lambda each: order.index(each) if each in order else len(order))


def _slugs(names: Iterable[str] | None) -> list[str] | None:
    """Display names are taken for slugs too, as the vendor's SDK sends either."""
    return None if names is None else [_SLUGS.get(name.lower(), name) for name in names]


def _endpoints(
    organization: "Organization",
    key: Key,
    model: Model,
    providers: list[str],
    demands: Demands | None,
    region: Region,
) -> Iterator[Endpoint]:
    def skipped(provider: str) -> bool:
        """Dearer endpoints of one region: the global host passes them by, and a fallback credential never opens them
        (vendor: guide on BYOK, regional endpoints). A prioritized one does, where the provider has no other."""
        return region == "global" and (provider, model.id) in organization.regional_only

    found = sorted(
        (
            each
            for each in organization.credentials.values()
            if each.provider in providers
            and each.serves(model, key.hash, key.creator_user_id, key.workspace_id)
            and (demands is None or demands.allow_credential(each))
        ),
        # A workspace's own before the global one of the same place: no source says.
        key=lambda each: (providers.index(each.provider), each.sort_order, each.workspace_id is None),
    )
    yield from (Endpoint(each.provider, each) for each in found if not each.settings["is_fallback"])
    for provider in providers:
        allowed = demands is None or demands.allow_shared(provider)
        if allowed and not _own_keys_only(organization, provider, model, key) and not skipped(provider):
            yield Endpoint(provider)
    for each in found:
        used = each.settings["is_fallback"] and not skipped(each.provider)
        if used and not _stands_before(organization, each, model, key, demands):
            yield Endpoint(each.provider, each)


def _primary(found: Iterator[Endpoint], preferences: dict[str, Any]) -> Iterator[Endpoint]:
    """Without fallbacks: the first endpoint, or with an `order` the first of each provider in it.

    A fallback credential is never the first, even where nothing else is left: it is used only after the endpoint that
    led before it was added. That a second credential of a provider is a fallback too is our reading.
    """
    seen: set[str] = set()
    for endpoint in found:
        if endpoint.credential and endpoint.credential.settings["is_fallback"]:
            return
        if endpoint.provider not in seen:
            yield endpoint
        seen.add(endpoint.provider)
        if not preferences.get("order"):
            return


def _own_keys_only(organization: "Organization", provider: str, model: Model, key: Key) -> bool:
    """`is_byok_only` takes a provider's shared endpoints from every model, `is_required` from those it applies to.

    For every key and member of the workspace, whomever the credential is for; a disabled one takes nothing.
    """
    for credential in organization.credentials.values():
        settings = credential.settings
        if credential.provider != provider or settings["disabled"]:
            continue
        if credential.workspace_id not in (None, key.workspace_id):
            continue
        if settings["is_byok_only"] or (settings["is_required"] and credential.takes(model)):
            return True
    return False


def _stands_before(
    organization: "Organization", fallback: Credential, model: Model, key: Key, demands: Demands | None
) -> bool:
    """Whether a prioritized credential that zero retention blocks keeps the provider's fallback ones from it, too.

    It is `is_required` for the model and declares no zero retention (vendor: guide on BYOK, declaring ZDR on a key).
    """
    if demands is None or not demands.zdr:
        return False
    return any(
        each.provider == fallback.provider
        and not each.settings["disabled"]
        and not each.settings["is_fallback"]
        and each.settings["is_required"]
        and each.workspace_id in (None, key.workspace_id)
        and each.takes(model)
        and not demands.allow_credential(each)
        for each in organization.credentials.values()
    )


def _try(organization: "Organization", endpoint: Endpoint, at: float) -> Attempt:
    # An outage of the provider strikes whoever calls it.
    status = organization.outages.get(endpoint.provider, 200)
    credential = endpoint.credential
    if credential is None:
        return Attempt(endpoint.provider, status, False, LATENCY)
    trouble, latency = credential.trouble, LATENCY
    if trouble is not None and trouble.strikes(at):
        status = status if status != 200 else trouble.status(endpoint.provider)
        latency = int(trouble.seconds * 1_000) if trouble.kind == "slow" else LATENCY
    return Attempt(endpoint.provider, status, True, latency)
