"""What each provider's endpoints do with data, and what a request demands of them.

A credential changes who pays, not which endpoints are allowed: the demands are applied before BYOK is considered
(vendor: guide on BYOK, data policies). What a credential declares of its own account comes first (vendor: `BYOKKey`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.bodies import Region
from sandbox.openrouter.catalogue import Model
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.guardrails import Guardrail

_ZDR_FIELDS = {"anthropic": "anthropic", "openai": "openai", "google": "google", "x-ai": "xai"}

ZDR = frozenset({"amazon-bedrock", "google-vertex", "azure", "deepinfra", "groq"})
"""Providers whose shared endpoints retain nothing, in this catalogue."""
COLLECTING = frozenset({"deepseek", "google-ai-studio"})
"""Providers that may keep what users send and learn from it, in this catalogue."""
IN_REGION: dict[Region, frozenset[str]] = {
    "europe": frozenset({"amazon-bedrock", "google-vertex", "azure", "mistral"}),
    "us": frozenset({"amazon-bedrock", "google-vertex", "azure", "anthropic", "openai"}),
}
"""Providers that the regional hosts reach, in this catalogue."""


@dataclass(frozen=True, slots=True)
class Demands:
    """`region` is that of the host the request came to."""

    zdr: bool
    no_collection: bool
    region: Region

    def allow_provider(self, provider: str) -> bool:
        """Whether nothing is demanded that only the provider's own policy decides."""
        return not (self.no_collection and provider in COLLECTING)

    def allow_shared(self, provider: str) -> bool:
        return (not self.zdr or provider in ZDR) and (
            self.region == "global" or provider in IN_REGION.get(self.region, ())
        )

    def allow_credential(self, credential: Credential) -> bool:
        """What is not declared is as on the shared endpoint; `global` declares nothing."""
        zdr, region = credential.settings["declared_zdr"], credential.settings["declared_region"]
        keeps = credential.provider not in ZDR if zdr is None else not zdr
        if self.zdr and keeps:
            return False
        if self.region == "global":
            return True
        if region in (None, "global"):
            return credential.provider in IN_REGION.get(self.region, ())
        return bool(region == self.region)


def demands_of(
    preferences: dict[str, Any], guardrails: Iterable[Guardrail], model: Model, region: Region
) -> Demands | None:
    """The strictest of the caller's preferences and every guardrail; None where nothing is demanded."""
    zdr = preferences.get("zdr") is True or any(_enforces_zdr(each, model) for each in guardrails)
    no_collection = preferences.get("data_collection") == "deny"
    return Demands(zdr, no_collection, region) if zdr or no_collection or region != "global" else None


def _enforces_zdr(guardrail: Guardrail, model: Model) -> bool:
    of_author = guardrail.rules[f"enforce_zdr_{_ZDR_FIELDS.get(model.author, 'other')}"]
    return bool(guardrail.rules["enforce_zdr"] if of_author is None else of_author)
