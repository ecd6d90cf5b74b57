"""BYOK credentials: an organization's own provider keys, and the trouble one can be put into."""

from dataclasses import dataclass
from typing import Any, Literal

from sandbox.openrouter.bodies import CredentialChange
from sandbox.openrouter.catalogue import Model
from sandbox.openrouter.periods import iso

type Trouble = Literal["revoked", "rate_limited", "region_denied", "slow"]

STATUS_OF_TROUBLE: dict[Trouble, int] = {"revoked": 401, "rate_limited": 429, "region_denied": 403, "slow": 200}

DEFAULTS: dict[str, Any] = {
    name: field.default for name, field in CredentialChange.model_fields.items() if name != "key"
}


@dataclass(slots=True)
class Credential:
    """`settings` are the writable fields but the raw key, which is kept nowhere: only its masked label is."""

    id: str
    provider: str
    label: str
    workspace_id: str | None
    sort_order: int
    created_at: float
    settings: dict[str, Any]
    trouble: Trouble | None = None

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "provider": self.provider,
            "label": self.label,
            **self.settings,
            "sort_order": self.sort_order,
            "workspace_id": self.workspace_id,
            "created_at": iso(self.created_at),
        }

    def serves(self, model: Model, key_hash: str, user_id: str | None, workspace_id: str) -> bool:
        """Whether routing may try it for this request: enabled, in scope, and past every allowlist."""
        if self.settings["disabled"] or self.workspace_id not in (None, workspace_id):
            return False
        models, hashes, users = (
            self.settings[name] for name in ("allowed_models", "allowed_api_key_hashes", "allowed_user_ids")
        )
        return (
            (models is None or model.id in models or model.permaslug in models)
            and (hashes is None or key_hash in hashes)
            and (users is None or user_id in users)
        )

    def status(self, provider: str) -> int:
        """What the provider answers to it. Google says 400 to a bad key."""
        if self.trouble is None:
            return 200
        if self.trouble == "revoked" and provider.startswith("google"):
            return 400
        return STATUS_OF_TROUBLE[self.trouble]


def masked(raw: str) -> str:
    return f"{raw[:3]}...{raw[-4:]}"
