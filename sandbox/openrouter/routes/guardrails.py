"""`/guardrails` and their assignments to keys and to members."""

from typing import Any

from sandbox.openrouter.bodies import GuardrailChange, GuardrailCreation, KeyAssignments, MemberAssignments
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.guardrail_rules import check_rules
from sandbox.openrouter.guardrails import Assignment, Guardrail
from sandbox.openrouter.refusals import invalid

routes = Routes()


def _guardrail(call: Call) -> Guardrail:
    return call.own(call.organization.guardrail(call.path["id"]))


@routes.add("GET", "/guardrails")
def list_guardrails(call: Call) -> dict[str, Any]:
    workspace = call.workspace(call.query.get("workspace_id"))
    found = [each for each in call.organization.guardrails.values() if each.workspace_id == workspace.id]
    return call.page([guardrail.view() for guardrail in found])


@routes.add("POST", "/guardrails", status=201, refuses=403)
def create_guardrail(call: Call) -> dict[str, Any]:
    fields = call.body(GuardrailCreation).changes()
    check_rules(fields)
    workspace = call.workspace(fields.pop("workspace_id", None))
    return {"data": call.organization.create_guardrail(workspace=workspace.id, **fields).view()}


# Before `/guardrails/{id}`: the router takes the first template that fits.
@routes.add("GET", "/guardrails/assignments/keys")
def list_key_assignments(call: Call) -> dict[str, Any]:
    return call.page([_of_key(call, each) for each in call.organization.key_assignments.values() if _sees(call, each)])


@routes.add("GET", "/guardrails/assignments/members")
def list_member_assignments(call: Call) -> dict[str, Any]:
    found = call.organization.member_assignments.values()
    return call.page([_of_member(call, each) for each in found if _sees(call, each)])


@routes.add("GET", "/guardrails/{id}")
def get_guardrail(call: Call) -> dict[str, Any]:
    return {"data": _guardrail(call).view()}


@routes.add("PATCH", "/guardrails/{id}")
def update_guardrail(call: Call) -> dict[str, Any]:
    organization, changes = call.organization, call.body(GuardrailChange).changes()
    if "name" in changes and organization.is_default_guardrail(call.path["id"]):
        raise invalid("The name of a workspace default guardrail cannot be changed")
    guardrail = call.own(organization.guardrail(call.path["id"], materialise=True))
    check_rules({**guardrail.rules, **changes})
    guardrail.rules |= changes
    guardrail.updated_at = call.now
    return {"data": guardrail.view()}


@routes.add("DELETE", "/guardrails/{id}")
def delete_guardrail(call: Call) -> dict[str, Any]:
    call.organization.delete_guardrail(_guardrail(call))
    return {"deleted": True}


@routes.add("GET", "/guardrails/{id}/assignments/keys")
def list_keys_of_guardrail(call: Call) -> dict[str, Any]:
    guardrail, assignments = _guardrail(call), call.organization.key_assignments.values()
    return call.page([_of_key(call, each) for each in assignments if each.guardrail_id == guardrail.id])


@routes.add("POST", "/guardrails/{id}/assignments/keys")
def assign_keys(call: Call) -> dict[str, Any]:
    hashes = call.body(KeyAssignments).key_hashes
    return {"assigned_count": call.organization.assign(_guardrail(call), hashes)}


@routes.add("POST", "/guardrails/{id}/assignments/keys/remove")
def unassign_keys(call: Call) -> dict[str, Any]:
    hashes = call.body(KeyAssignments).key_hashes
    return {"unassigned_count": call.organization.unassign(_guardrail(call), hashes)}


@routes.add("GET", "/guardrails/{id}/assignments/members")
def list_members_of_guardrail(call: Call) -> dict[str, Any]:
    guardrail, assignments = _guardrail(call), call.organization.member_assignments.values()
    return call.page([_of_member(call, each) for each in assignments if each.guardrail_id == guardrail.id])


@routes.add("POST", "/guardrails/{id}/assignments/members")
def assign_members(call: Call) -> dict[str, Any]:
    members = call.body(MemberAssignments).member_user_ids
    return {"assigned_count": call.organization.assign(_guardrail(call), members, members=True)}


@routes.add("POST", "/guardrails/{id}/assignments/members/remove")
def unassign_members(call: Call) -> dict[str, Any]:
    members = call.body(MemberAssignments).member_user_ids
    return {"unassigned_count": call.organization.unassign(_guardrail(call), members, members=True)}


def _sees(call: Call, assignment: Assignment) -> bool:
    return call.permits(call.organization.guardrails[assignment.guardrail_id].workspace_id)


def _of_key(call: Call, assignment: Assignment) -> dict[str, Any]:
    key = call.organization.key(assignment.holder)
    return {**assignment.view(), "key_hash": key.hash, "key_name": key.name, "key_label": key.label}


def _of_member(call: Call, assignment: Assignment) -> dict[str, Any]:
    return {**assignment.view(), "user_id": assignment.holder, "organization_id": call.organization.id}
