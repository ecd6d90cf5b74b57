"""`/presets`: an inference key sees its own workspace's, a management key those of the workspace that it names.

Unverified: what an inference key that names another workspace is answered (403 here), and the body of the answer to
DELETE (the preset here).
"""

import json
from typing import Any

from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.presets import Preset, split_body
from sandbox.openrouter.refusals import Refusal, invalid, not_found

routes = Routes("any")


def _place(call: Call, body: dict[str, Any] | None = None) -> str:
    """The id of the workspace to act in: named by query or body, else the key's, else the default one."""
    named = call.query.get("workspace_id") or (body or {}).get("workspace_id")
    own = call.key.workspace_id if call.key else call.organization.management_workspace_id
    place = call.workspace(named or own or None).id
    if own and place != own:
        raise Refusal(403, "The key is limited to another workspace")
    return place


def _preset(call: Call) -> Preset:
    return call.organization.preset(_place(call), call.path["slug"])


@routes.add("GET", "/presets")
def list_presets(call: Call) -> dict[str, Any]:
    place = _place(call)
    presets = call.organization.presets.values()
    found = [each for each in presets if each.workspace_id == place and each.status != "archived"]
    return call.page([each.view() for each in sorted(found, key=lambda each: -each.updated_at)])


@routes.add("GET", "/presets/{slug}")
def get_preset(call: Call) -> dict[str, Any]:
    return {"data": _preset(call).view_with_version()}


@routes.add("GET", "/presets/{slug}/versions")
def list_versions(call: Call) -> dict[str, Any]:
    return call.page([version.view() for version in _preset(call).versions])


@routes.add("GET", "/presets/{slug}/versions/{version}")
def get_version(call: Call) -> dict[str, Any]:
    for version in _preset(call).versions:
        if str(version.version) == call.path["version"]:
            return {"data": version.view()}
    raise not_found("Preset version")


@routes.add("POST", "/presets/{slug}/chat/completions")
def post_version(call: Call) -> dict[str, Any]:
    """Creates the preset or a new version, designated at once; keeps only what a preset's config knows."""
    body = _object(call)
    prompt, config = split_body(body)
    lost = call.organization.lost_fields
    prompt = None if "system_prompt" in lost else prompt
    config = {name: value for name, value in config.items() if name not in lost}
    place = _place(call, body)
    preset = call.organization.add_preset_version(call.key, call.path["slug"], prompt, config, place)
    return {"data": preset.view_with_version()}


@routes.add("DELETE", "/presets/{slug}", access="management")
def archive(call: Call) -> dict[str, Any]:
    return _with_status(call, "archived")


@routes.add("POST", "/presets/{slug}/restore", access="management")
def restore(call: Call) -> dict[str, Any]:
    """No version is made; the designated one stays."""
    return _with_status(call, "active")


def _with_status(call: Call, status: str) -> dict[str, Any]:
    place = _place(call, _object(call) if call.raw else None)
    preset = call.organization.preset(place, call.path["slug"], archived=True)
    preset.change_status(status, call.now)
    return {"data": preset.view_with_version()}


def _object(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.raw)
    except json.JSONDecodeError as error:
        raise invalid("Invalid request parameters: body is not JSON") from error
    if not isinstance(body, dict):
        raise invalid("Invalid request parameters: body is not an object")
    return body
