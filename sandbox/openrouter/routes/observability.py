"""`/observability/destinations`: where requests are broadcast to."""

from typing import Any

from sandbox.openrouter.bodies import DestinationChange, DestinationCreation
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.destinations import Destination
from sandbox.openrouter.resources import add_destination, destination

routes = Routes()


def _destination(call: Call) -> Destination:
    return call.own(destination(call.organization, call.path["id"]))


@routes.add("GET", "/observability/destinations")
def list_destinations(call: Call) -> dict[str, Any]:
    workspace = call.workspace(call.query.get("workspace_id"))
    return call.page(
        [each.view() for each in call.organization.destinations.values() if each.workspace_id == workspace.id]
    )


@routes.add("POST", "/observability/destinations", status=201, refuses=403)
def create_destination(call: Call) -> dict[str, Any]:
    creation = call.body(DestinationCreation)
    place = call.workspace(creation.workspace_id).id
    return {"data": add_destination(call.organization, creation.model_copy(update={"workspace_id": place})).view()}


@routes.add("GET", "/observability/destinations/{id}")
def get_destination(call: Call) -> dict[str, Any]:
    return {"data": _destination(call).view()}


@routes.add("PATCH", "/observability/destinations/{id}", refuses=403)
def update_destination(call: Call) -> dict[str, Any]:
    found = _destination(call)
    changes = call.body(DestinationChange).changes()
    call.organization.require_live_keys(changes.get("api_key_hashes"))
    found.change(changes, call.now)
    return {"data": found.view()}


@routes.add("DELETE", "/observability/destinations/{id}")
def delete_destination(call: Call) -> dict[str, Any]:
    del call.organization.destinations[_destination(call).id]
    return {"deleted": True}
