"""The rules for writing BYOK credentials and destinations, shared by the API and the seed file."""

from typing import TYPE_CHECKING, Any

from sandbox.openrouter import credentials, destinations
from sandbox.openrouter.bodies import CredentialCreation, DestinationCreation
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.destinations import Destination
from sandbox.openrouter.refusals import Refusal, invalid, not_found
from sandbox.openrouter.troubles import Trouble

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization


def credential(organization: "Organization", credential_id: str) -> Credential:
    found = organization.credentials.get(credential_id)
    if not found:
        raise not_found("BYOK key")
    return found


def add_credential(
    organization: "Organization", creation: CredentialCreation, *, everywhere: bool = False
) -> Credential:
    """The newest of its provider and workspace is tried last.

    `everywhere`: a global one, usable in every workspace. The API has no call that makes one; people do.
    """
    changes = creation.changes()
    provider, raw = changes.pop("provider"), changes.pop("key")
    scope = organization.workspace(changes.pop("workspace_id", None)).id
    workspace_id = None if everywhere else scope
    settings = {**credentials.DEFAULTS, **changes}
    check_credential(organization, provider, settings)
    siblings = [
        each
        for each in organization.credentials.values()
        if each.provider == provider and each.workspace_id == workspace_id
    ]
    order = max((each.sort_order for each in siblings), default=-1) + 1
    identity = organization.ids.uuid("credential")
    added = Credential(identity, provider, credentials.masked(raw), workspace_id, order, organization.now, settings)
    added.trouble = trouble_of(organization, raw)
    organization.credentials[identity] = added
    return added


def trouble_of(organization: "Organization", raw: str) -> Trouble | None:
    """A new raw key is a good one, unless its provider revoked it."""
    return Trouble("revoked") if raw in organization.revoked_provider_keys else None


def check_credential(organization: "Organization", provider: str, settings: dict[str, Any]) -> None:
    """Raises a 400 on an allowlist that names a dead key, on a fallback that wants to be the only one, and on a region
    that the provider is not known to have (vendor: `declared_region`).
    """
    organization.require_live_keys(settings["allowed_api_key_hashes"])
    if settings["is_byok_only"] and settings["is_fallback"]:
        raise invalid("is_byok_only cannot be combined with is_fallback")
    region = settings["declared_region"]
    if region not in (None, "global", *_REGIONS.get(provider, ())):
        raise invalid(f"declared_region {region} is not supported for {provider}")


# Openai's is written in the key itself, which is not kept here: whatever is declared is taken for it.
_REGIONS = {"azure": ("europe", "us"), "anthropic": ("us",), "openai": ("europe", "us")}


def destination(organization: "Organization", destination_id: str) -> Destination:
    found = organization.destinations.get(destination_id)
    if not found:
        raise not_found("Destination")
    return found


def add_destination(organization: "Organization", creation: DestinationCreation) -> Destination:
    changes = creation.changes()
    type_ = changes.pop("type")
    workspace = organization.workspace(changes.pop("workspace_id", None))
    destinations.check_type(type_, changes["config"])
    organization.require_live_keys(changes.get("api_key_hashes"))
    if not workspace.settings["is_observability_broadcast_enabled"]:
        raise Refusal(403, "Observability broadcast is not enabled for this workspace")
    of_type = [
        each for each in organization.destinations.values() if each.type == type_ and each.workspace_id == workspace.id
    ]
    if len(of_type) >= destinations.MOST_OF_A_TYPE:
        raise invalid(f"At most {destinations.MOST_OF_A_TYPE} destinations of type {type_} are allowed")
    identity, now = organization.ids.uuid("destination"), organization.now
    added = Destination(identity, type_, workspace.id, now, now, {**destinations.DEFAULTS, **changes})
    organization.destinations[identity] = added
    return added
