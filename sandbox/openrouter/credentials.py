"""BYOK credentials: an organization's own provider keys, and the trouble one can be put into."""

from dataclasses import dataclass
from typing import Any

from sandbox.openrouter.bodies import CredentialChange
from sandbox.openrouter.catalogue import Model
from sandbox.openrouter.periods import iso
from sandbox.openrouter.troubles import Trouble

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
        hashes, users = self.settings["allowed_api_key_hashes"], self.settings["allowed_user_ids"]
        return self.takes(model) and (hashes is None or key_hash in hashes) and (users is None or user_id in users)

    def takes(self, model: Model) -> bool:
        """Whether its list of models, if it has one, names this one."""
        models = self.settings["allowed_models"]
        return models is None or model.id in models or model.permaslug in models


def masked(raw: str) -> str:
    return f"{raw[:3]}...{raw[-4:]}"
