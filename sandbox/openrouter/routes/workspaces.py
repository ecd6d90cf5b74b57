"""`/workspaces`, their budgets, and the organization's credits."""

from typing import Any

from sandbox.openrouter.bodies import WorkspaceBudgetLimit, WorkspaceChange, WorkspaceCreation
from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.refusals import invalid, not_found
from sandbox.openrouter.workspaces import BROADEST_FIRST, Workspace, interval_of

routes = Routes()


def _workspace(call: Call) -> Workspace:
    found = call.organization.workspace(call.path["id"])
    call.permit(found.id)
    return found


@routes.add("GET", "/workspaces")
def list_workspaces(call: Call) -> dict[str, Any]:
    return call.page([each.view() for each in call.organization.workspaces.values() if call.permits(each.id)])


@routes.add("POST", "/workspaces", status=201, refuses=403)
def create_workspace(call: Call) -> dict[str, Any]:
    return {"data": call.organization.create_workspace(**call.body(WorkspaceCreation).changes()).view()}


@routes.add("GET", "/workspaces/{id}")
def get_workspace(call: Call) -> dict[str, Any]:
    return {"data": _workspace(call).view()}


@routes.add("PATCH", "/workspaces/{id}", refuses=403)
def update_workspace(call: Call) -> dict[str, Any]:
    workspace = _workspace(call)
    workspace.settings |= call.body(WorkspaceChange).changes()
    workspace.updated_at = call.now
    return {"data": workspace.view()}


@routes.add("DELETE", "/workspaces/{id}", refuses=403)
def delete_workspace(call: Call) -> dict[str, Any]:
    workspace, organization = _workspace(call), call.organization
    if workspace is organization.default_workspace and not call.flag("confirm_default_workspace_deletion"):
        raise invalid("Deleting the default workspace needs confirm_default_workspace_deletion=true")
    if any(not key.disabled for key in organization.keys.of_workspace(workspace.id)):
        raise invalid("Workspaces with active API keys cannot be deleted; remove the keys first")
    organization.delete_workspace(workspace)
    return {"deleted": True}


@routes.add("GET", "/workspaces/{id}/budgets")
def list_budgets(call: Call) -> dict[str, Any]:
    workspace = _workspace(call)
    budgets = [workspace.budget_view(interval) for interval in BROADEST_FIRST if interval in workspace.budgets]
    return {"data": budgets, "include_byok_in_budgets": workspace.include_byok_in_budgets}


@routes.add("GET", "/workspaces/{id}/budgets/{interval}")
def get_budget(call: Call) -> dict[str, Any]:
    workspace, interval = _workspace(call), interval_of(call.path["interval"])
    if interval not in workspace.budgets:
        raise not_found("Budget")
    return {"data": workspace.budget_view(interval), "include_byok_in_budgets": workspace.include_byok_in_budgets}


@routes.add("PUT", "/workspaces/{id}/budgets/{interval}")
def put_budget(call: Call) -> dict[str, Any]:
    workspace, interval = _workspace(call), interval_of(call.path["interval"])
    body = call.body(WorkspaceBudgetLimit)
    workspace.put_budget(interval, body.limit_usd, call.organization.ids.uuid("budget"), call.now)
    if body.include_byok_in_budgets is not None:
        # One setting for the workspace, whichever interval the request was about.
        workspace.include_byok_in_budgets = body.include_byok_in_budgets
    return {"data": workspace.budget_view(interval), "include_byok_in_budgets": workspace.include_byok_in_budgets}


@routes.add("DELETE", "/workspaces/{id}/budgets/{interval}")
def delete_budget(call: Call) -> dict[str, Any]:
    workspace, interval = _workspace(call), interval_of(call.path["interval"])
    # One that is not there is deleted already: the vendor answers success.
    workspace.budgets.pop(interval, None)
    return {"deleted": True}


@routes.add("GET", "/credits", refuses=403)
def get_credits(call: Call) -> dict[str, Any]:
    organization = call.organization
    return {"data": {"total_credits": organization.credits, "total_usage": round(organization.meter.usage, 10)}}


@routes.add("GET", "/organization/members")
def list_members(call: Call) -> dict[str, Any]:
    return call.page(
        [
            {"id": user_id, "email": f"{user_id}@example.com", "first_name": None, "last_name": None, "role": role}
            for user_id, role in call.organization.members.items()
        ]
    )
