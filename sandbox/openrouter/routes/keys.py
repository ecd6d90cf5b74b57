"""`/keys`: listing is by workspace, a page at a time, without a total."""

from typing import Any

from sandbox.openrouter.bodies import KeyChange, KeyCreation
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.keys import Key
from sandbox.openrouter.refusals import invalid

routes = Routes()


def _key(call: Call) -> Key:
    return call.own(call.organization.key(call.path["hash"]))


@routes.add("GET", "/keys")
def list_keys(call: Call) -> dict[str, Any]:
    workspace = call.workspace(call.query.get("workspace_id"))
    now = call.now
    page = call.organization.keys.page(
        workspace.id,
        call.number("offset", 0),
        now,
        disabled=call.flag("include_disabled"),
        expired=call.flag("include_expired"),
    )
    return {"data": [key.view(now) for key in page]}


@routes.add("POST", "/keys", status=201, refuses=403)
def create_key(call: Call) -> dict[str, Any]:
    fields = call.body(KeyCreation).changes()
    expires_at = fields.pop("expires_at", None)
    workspace = call.workspace(fields.pop("workspace_id", None))
    external = fields.pop("external", None)
    creator = fields.get("creator_user_id")
    if creator is not None and creator not in call.organization.members:
        # No source says what is answered; accepting it would make a key that nobody's guardrail binds.
        raise invalid(f"creator_user_id: {creator} is not a member of the organization")
    key, plaintext = call.organization.create_key(
        **fields,
        workspace=workspace.id,
        expires_at=expires_at and expires_at.timestamp(),
        external_user=external and external["user"],
    )
    return {"data": key.view(call.now), "key": plaintext}


@routes.add("GET", "/keys/{hash}")
def get_key(call: Call) -> dict[str, Any]:
    return {"data": _key(call).view(call.now)}


@routes.add("PATCH", "/keys/{hash}")
def update_key(call: Call) -> dict[str, Any]:
    key = _key(call)
    changes = call.body(KeyChange).changes()
    if not changes:
        raise invalid("No update fields provided")
    workspace = changes.pop("workspace_id", None)
    if workspace is not None:
        call.organization.keys.move(key, call.workspace(workspace).id)
    for name, value in changes.items():
        setattr(key, name, value)
    key.updated_at = call.now
    return {"data": key.view(call.now)}


@routes.add("DELETE", "/keys/{hash}")
def delete_key(call: Call) -> dict[str, Any]:
    call.organization.delete_key(_key(call).hash)
    return {"deleted": True}
