"""Presets that exist in several workspaces: which is edited and which is served, where the names say it. Pure."""

import re
from dataclasses import dataclass

from cli.account import Account
from governor.policy import Policy
from tools.policy import UNFILLED_USER

_SERVED = {"prod", "production", "live", "prd"}
_EDITED = {"staging", "stage", "stg", "preprod", "uat", "qa", "test", "testing", "dev", "development", "sandbox"}


@dataclass(frozen=True)
class PresetPair:
    """A preset to be declared. `from_secret`, `to_secret`: names for secrets that a person has yet to store."""

    slug: str
    from_workspace: str
    to_workspace: str
    from_secret: str
    to_secret: str
    approvers: tuple[str, ...]


def preset_pairs(account: Account, policy: Policy | None) -> tuple[list[PresetPair], list[tuple[str, list[str], str]]]:
    """The pairs that the policy lacks; and, for each preset whose direction no name tells, its slug, its workspaces and
    why it was left out."""
    places: dict[str, list[str]] = {}
    for preset in account.presets:
        if preset.status == "active" and preset.workspace_id:
            places.setdefault(preset.slug, []).append(account.workspace_name(preset.workspace_id))
    found: list[PresetPair] = []
    unclear: list[tuple[str, list[str], str]] = []
    for slug, names in sorted(places.items()):
        if len(names) < 2 or (policy and policy.preset(slug)):
            continue
        served = [name for name in names if _words(name) & _SERVED]
        edited = [name for name in names if _words(name) & _EDITED and name not in served]
        if len(served) != 1 or len(edited) != 1:
            why = "the workspaces' names do not say from which one it is promoted to which: declare it by hand"
            unclear.append((slug, names, why))
        elif not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", slug):
            unclear.append((slug, names, "no policy can name this preset"))
        else:
            found.append(_pair(slug, edited[0], served[0], policy))
    return found, unclear


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.lower()))


def _pair(slug: str, source: str, target: str, policy: Policy | None) -> PresetPair:
    named = policy.approvals.approvers if policy and policy.approvals else ()
    # Two, since a version whose author nobody knows needs two approvals.
    blanks = tuple(f"{UNFILLED_USER}{number}" for number in (1, 2))
    approvers = tuple(dict.fromkeys((*named, *blanks)))[: max(2, len(named))]
    return PresetPair(slug, source, target, _secret(source), _secret(target), approvers)


def _secret(workspace: str) -> str:
    return "presets/" + (re.sub(r"[^A-Za-z0-9_.-]+", "-", workspace).strip("-") or "workspace")
