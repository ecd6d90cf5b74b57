"""What a Terraform state or plan manages at OpenRouter, by either provider. Nothing secret of it is kept.

Forms: a state file (version 4), and `terraform show -json` of a state or of a plan. Resources are those of
`OpenRouterTeam/openrouter` and `cloudopsworks/openrouter`, which name a key's hash `hash` and `id` in turn
(docs/terraform.md says what was looked up). A state holds plaintext keys: only ids and limits are read.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.output import Failure

KINDS = {
    "openrouter_api_key": ("hash", "id"),
    "openrouter_byok_key": ("id",),
    "openrouter_guardrail": ("id",),
    "openrouter_workspace": ("id",),
    "openrouter_workspace_budget": ("workspace_id", "id", "workspace_ref"),
    "openrouter_guardrail_key_assignment": ("key_hash",),
}
"""The attributes that identify a resource at OpenRouter, the surest first, by its type."""
_SECRETS = {"key"}
"""Attributes that are never kept."""


@dataclass(frozen=True)
class Managed:
    """One resource. `address`: as Terraform names it. `id`: at OpenRouter; empty for one that is yet to be made.
    `values`: its attributes, without secrets."""

    kind: str
    address: str
    id: str
    values: Mapping[str, Any] = field(default_factory=dict)


def managed(path: Path) -> list[Managed]:
    """What the file manages at OpenRouter. Raises `Failure` for a file that is none of the three forms: it names the
    line, or the resource, and never what stands there, which may be a key."""
    document = _document(path)
    try:
        found = list(_resources(document))
    except _NoResource as error:
        raise _unreadable(f"{path}: {error} is not a resource as Terraform writes it") from None
    except (AttributeError, TypeError, KeyError, RecursionError):
        raise _unreadable(f"{path}: is neither a Terraform state nor a plan") from None
    made = []
    for kind, address, values in found:
        id = next((str(values[name]) for name in KINDS.get(kind, ()) if values.get(name)), "")
        if kind in KINDS:
            kept = {name: value for name, value in values.items() if name not in _SECRETS}
            made.append(Managed(kind, address, id, kept))
    return made


class _NoResource(Exception):
    """What stands at this place of the document is of another shape."""


def _document(path: Path) -> Any:
    try:
        # Bytes, so that JSON finds the encoding: a shell of Windows redirects into UTF-16.
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(f"{path}: cannot be read: {error.strerror}") from None
    if content.startswith(b"PK"):
        raise _unreadable(f"{path}: is a saved plan as Terraform keeps it, which is not JSON")
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        ends = "; the file ends too early" if error.pos >= len(error.doc.rstrip()) else ""
        where = f"{path}:{error.lineno}: column {error.colno}"
        raise _unreadable(f"{where}: is not JSON: {error.msg.lower()}{ends}") from None
    except (ValueError, RecursionError):
        raise _unreadable(f"{path}: is not JSON") from None


def _unreadable(what: str) -> Failure:
    return Failure(
        what, fix="Give a state file, or what `terraform show -json` prints of a state, or of a saved plan: "
        "`terraform show -json tf.plan > plan.json`.",
    )  # fmt: skip


def _resources(document: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Type, address and attributes of each managed resource."""
    if "resources" in document and "version" in document:
        yield from _of_state(document["resources"])
    elif "planned_values" in document:
        yield from _of_plan(document)
    elif "values" in document or "format_version" in document:
        # A state without resources has no values.
        yield from _of_module((document.get("values") or {}).get("root_module", {}))
    else:
        raise KeyError("resources")


def _of_plan(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What is managed now, and what will be: a key that the plan forgets (`removed`) is still there at present, but is
    Terraform's no longer."""
    planned = {
        address: (kind, values) for kind, address, values in _of_module(document["planned_values"]["root_module"])
    }
    prior = (document.get("prior_state") or {}).get("values") or {}
    known = {address: values for _, address, values in _of_module(prior.get("root_module", {}))}
    for address, (kind, values) in planned.items():
        # Ids are known only of what exists; a planned value is null where the provider will say it.
        yield (
            kind,
            address,
            {**known.get(address, {}), **{name: one for name, one in values.items() if one is not None}},
        )


def _of_module(module: Mapping[str, Any], at: str = "root_module") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for number, one in enumerate(module.get("resources", ())):
        with _at(f"{at}.resources.{number}"):
            found = (one["type"], one["address"], one.get("values") or {}) if one.get("mode") == "managed" else None
        if found:
            yield found
    for number, child in enumerate(module.get("child_modules", ())):
        yield from _of_module(child, f"{at}.child_modules.{number}")


def _of_state(resources: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for number, one in enumerate(resources):
        with _at(f"resources.{number}"):
            found = list(_instances(one)) if one["mode"] == "managed" else []
        yield from found


def _instances(one: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    base = ".".join(filter(None, (one.get("module"), one["type"], one["name"])))
    for instance in one["instances"]:
        key = instance.get("index_key")
        yield one["type"], base if key is None else f"{base}[{json.dumps(key)}]", dict(instance.get("attributes") or {})


@contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, TypeError, KeyError, ValueError):
        raise _NoResource(place) from None
