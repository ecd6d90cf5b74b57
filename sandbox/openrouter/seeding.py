"""Fills an organization from a JSON document.

    {"credits": 500, "byok_fee": 0.05, "members": ["user_fake_ana"],
     "workspaces": [{"name": ..., "slug": ..., "budgets": {"monthly": 100}}],
     "guardrails": [{"name": ..., "workspace": slug, "limit_usd": ..., "keys": [key name],
                     "members": [user id]}],
     "keys": [{"name": ..., "workspace": slug, "limit": ..., "usage": 12.5}],
     "byok": [{"provider": ..., "key": ..., "workspace": slug, "global": false, "allowed_keys": [key name]}]}

`usage` is spend already made today, past every limit if need be; a key's plaintext is `key` where given.
Names of keys differ within a document.
"""

import json
from typing import TYPE_CHECKING, Any

from sandbox.openrouter.analytics import Tally, Traffic
from sandbox.openrouter.bodies import CredentialCreation, GuardrailCreation, KeyCreation, WorkspaceCreation
from sandbox.openrouter.catalogue import MODELS
from sandbox.openrouter.resources import add_credential
from sandbox.openrouter.traffic import DEFAULT_MODEL
from sandbox.openrouter.workspaces import interval_of

if TYPE_CHECKING:
    from sandbox.openrouter.organization import Organization

SECTIONS = {"credits", "byok_fee", "members", "workspaces", "guardrails", "keys", "byok"}


def declare(organization: "Organization", document: dict[str, Any]) -> dict[str, str]:
    """Answers the plaintext of every key declared, by its name. Raises ValueError on a section it does not know, and
    pydantic's error on a field of a wrong type.
    """
    if unknown := sorted(document.keys() - SECTIONS):
        raise ValueError(f"a seed has no section {', '.join(unknown)}; there are {', '.join(sorted(SECTIONS))}")
    organization.credits = document.get("credits", organization.credits)
    organization.byok_fee = document.get("byok_fee", organization.byok_fee)
    organization.members.update(dict.fromkeys(document.get("members", ()), "org:member"))
    for declared in document.get("workspaces", ()):
        _workspace(organization, declared)
    keys = {declared["name"]: _key(organization, declared) for declared in document.get("keys", ())}
    hashes = {name: key_hash for name, (key_hash, _) in keys.items()}
    for declared in document.get("guardrails", ()):
        fields = GuardrailCreation.model_validate(declared).changes()
        guardrail = organization.create_guardrail(workspace=declared.get("workspace"), **fields)
        if declared.get("keys"):
            organization.assign(guardrail, [hashes[name] for name in declared["keys"]])
        if declared.get("members"):
            organization.assign(guardrail, declared["members"], members=True)
    for declared in document.get("byok", ()):
        allowed = declared.get("allowed_keys")
        restriction = {} if allowed is None else {"allowed_api_key_hashes": [hashes[name] for name in allowed]}
        workspace_id = organization.workspace(declared.get("workspace")).id
        creation = CredentialCreation.model_validate({**declared, **restriction, "workspace_id": workspace_id})
        add_credential(organization, creation, everywhere=bool(declared.get("global")))
    return {name: plaintext for name, (_, plaintext) in keys.items()}


def _workspace(organization: "Organization", declared: dict[str, Any]) -> None:
    workspace = organization.create_workspace(**WorkspaceCreation.model_validate(declared).changes())
    for interval, limit in declared.get("budgets", {}).items():
        workspace.put_budget(interval_of(interval), limit, organization.ids.uuid("budget"), organization.now)


def _key(organization: "Organization", declared: dict[str, Any]) -> tuple[str, str]:
    fields = KeyCreation.model_validate_json(json.dumps(declared)).changes()
    expires_at, external = fields.pop("expires_at", None), fields.pop("external", None)
    key, plaintext = organization.create_key(
        **fields,
        workspace=declared.get("workspace"),
        plaintext=declared.get("key"),
        expires_at=expires_at and expires_at.timestamp(),
        external_user=external and external["user"],
    )
    if declared.get("usage"):
        made = organization.now
        organization.charge(key, made, declared["usage"], 0.0)
        model = MODELS[DEFAULT_MODEL]
        traffic = Traffic(key.hash, key.workspace_id, model.id, model.providers[0])
        organization.record(made, traffic, Tally(1, usage=declared["usage"]))
    return key.hash, plaintext
