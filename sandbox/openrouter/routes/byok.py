"""`/byok`: an organization's own provider credentials. Lists are replaced whole, raw keys never come back."""

from typing import Any

from sandbox.openrouter.bodies import CredentialChange, CredentialCreation
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.credentials import Credential, masked
from sandbox.openrouter.resources import add_credential, check_credential, credential, trouble_of

routes = Routes()


def _credential(call: Call) -> Credential:
    return call.own(credential(call.organization, call.path["id"]))


@routes.add("GET", "/byok")
def list_credentials(call: Call) -> dict[str, Any]:
    workspace = call.workspace(call.query.get("workspace_id"))
    provider = call.query.get("provider")
    found = [
        each
        for each in call.organization.credentials.values()
        if each.workspace_id in (None, workspace.id) and provider in (None, each.provider)
    ]
    return call.page([each.view() for each in sorted(found, key=lambda each: (each.provider, each.sort_order))])


@routes.add("POST", "/byok", status=201, refuses=403)
def create_credential(call: Call) -> dict[str, Any]:
    creation = call.body(CredentialCreation)
    place = call.workspace(creation.workspace_id).id
    return {"data": add_credential(call.organization, creation.model_copy(update={"workspace_id": place})).view()}


@routes.add("GET", "/byok/{id}")
def get_credential(call: Call) -> dict[str, Any]:
    return {"data": _credential(call).view()}


@routes.add("PATCH", "/byok/{id}")
def update_credential(call: Call) -> dict[str, Any]:
    found = _credential(call)
    changes = call.body(CredentialChange).changes()
    raw = changes.pop("key", None)
    settings = {**found.settings, **changes}
    check_credential(call.organization, found.provider, settings)
    found.settings = settings
    if raw is not None:
        found.label, found.trouble = masked(raw), trouble_of(call.organization, raw)
    return {"data": found.view()}


@routes.add("DELETE", "/byok/{id}")
def delete_credential(call: Call) -> dict[str, Any]:
    del call.organization.credentials[_credential(call).id]
    return {"deleted": True}
