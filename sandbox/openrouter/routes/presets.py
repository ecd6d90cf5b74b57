"""`/presets`: for inference keys only, each seeing its own workspace's."""

import json
from typing import Any

from sandbox.openrouter.calls import Call, Routes
from sandbox.openrouter.presets import Preset, split_body
from sandbox.openrouter.refusals import invalid, not_found

routes = Routes("inference")


def _preset(call: Call) -> Preset:
    return call.organization.preset(call.caller().workspace_id, call.path["slug"])


@routes.add("GET", "/presets")
def list_presets(call: Call) -> dict[str, Any]:
    found = [each for each in call.organization.presets.values() if each.workspace_id == call.caller().workspace_id]
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
    try:
        body = json.loads(call.raw)
    except json.JSONDecodeError as error:
        raise invalid("Invalid request parameters: body is not JSON") from error
    if not isinstance(body, dict):
        raise invalid("Invalid request parameters: body is not an object")
    prompt, config = split_body(body)
    lost = call.organization.lost_fields
    prompt = None if "system_prompt" in lost else prompt
    config = {name: value for name, value in config.items() if name not in lost}
    return {
        "data": call.organization.add_preset_version(
            call.caller(), call.path["slug"], prompt, config
        ).view_with_version()
    }
