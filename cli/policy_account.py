"""A policy held against the account: what it names and the account does not have. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import yaml

from cli.account import Account, Part
from governor.account.workspaces import meant
from governor.policy import Byok, Policy, Preset, Workload
from management_api import Workspace
from tools.policy import Fault, line_of, nearest


@dataclass(frozen=True)
class _Checker:
    path: str
    document: yaml.Node | None
    policy: Policy
    account: Account

    def fault(self, location: Sequence[str | int], what: str, fix: str) -> Fault:
        return Fault(self.path, line_of(self.document, location), ".".join(map(str, location)), what, fix)


def against(path: str, document: yaml.Node | None, policy: Policy, account: Account) -> list[Fault]:
    """What the policy names and the account does not have, by line."""
    checker = _Checker(path, document, policy, account)
    found: list[Fault] = []
    for number, workload in enumerate(policy.workloads):
        found += _workload(checker, ("workloads", number), workload)
    for number, decision in enumerate(policy.byok):
        found += _decision(checker, ("byok", number), decision)
    for number, preset in enumerate(policy.presets):
        found += _preset(checker, ("presets", number), preset)
    if checker.account.has_read("members"):
        members = {one.id for one in account.members}
        for slack, person in policy.people.items():
            user = person.openrouter
            if user is not None and user not in members:
                fix = _nearest(user, members, "Write the id of a member of the organization, or remove the line")
                found.append(checker.fault(("people", slack), f"the organization has no member {user}", fix))
    return sorted(found, key=lambda one: one.line)


def _workspace(
    checker: _Checker, location: tuple[str | int, ...], named: str
) -> tuple[Workspace | None, Iterable[Fault]]:
    workspaces = checker.account.workspaces
    found = meant(named, workspaces)
    if len(found) == 1:
        return found[0], ()
    if found:
        fix = f"Write the id of the one that is meant: {', '.join(one.id for one in found)}"
        return None, [checker.fault(location, f"{len(found)} workspaces are called {named}", fix)]
    names = {name for one in workspaces for name in (one.slug, one.name) if name}
    fix = _nearest(named, names, f"The account has {', '.join(sorted(one.slug or one.name for one in workspaces))}")
    return None, [checker.fault(location, f"the account has no workspace {named}", fix)]


def _workload(checker: _Checker, location: tuple[str | int, ...], workload: Workload) -> Iterator[Fault]:
    account, key = checker.account, workload.key
    workspace, faults = _workspace(checker, (*location, "workspace"), workload.workspace)
    yield from faults
    if workspace and key.guardrail and account.has_read("guardrails", workspace.id):
        filed = [one for one in account.guardrails if one.workspace_id == workspace.id]
        if not any(key.guardrail in (one.id, one.name) for one in filed):
            what = f"workspace {workload.workspace} has no guardrail {key.guardrail}"
            none = "It has none: make one there, or remove the field"
            has = f"It has {', '.join(one.name for one in filed)}"
            fix = _nearest(key.guardrail, [one.name for one in filed], has if filed else none)
            yield checker.fault((*location, "key", "guardrail"), what, fix)
    if workspace and key.adopts and account.has_read("keys", workspace.id):
        names = {one.name for one in account.keys if one.workspace_id == workspace.id}
        if key.adopts not in names:
            what = f"workspace {workload.workspace} has no key {key.adopts}"
            fix = _nearest(key.adopts, names, "Write the key's name as OpenRouter shows it, or remove the field")
            yield checker.fault((*location, "key", "adopts"), what, fix)
    members = {one.id for one in account.members}
    if key.creator_user_id not in (None, "nobody", *members) and checker.account.has_read("members"):
        what = f"the organization has no member {key.creator_user_id}"
        fix = _nearest(str(key.creator_user_id), members, "Write a member's id, or nobody")
        yield checker.fault((*location, "key", "creator_user_id"), what, fix)


def _decision(checker: _Checker, location: tuple[str | int, ...], decision: Byok) -> Iterator[Fault]:
    workspace, faults = _workspace(checker, (*location, "workspace"), decision.workspace)
    yield from faults
    if not workspace or not checker.account.has_read("byok", workspace.id):
        return
    there = [one for one in checker.account.byok if one.workspace_id in (None, workspace.id)]
    own = [one for one in there if one.provider == decision.provider]
    if not own:
        what = f"workspace {decision.workspace} has no credential of {decision.provider}"
        fix = _nearest(decision.provider, {one.provider for one in there}, "Store the provider key there first")
        yield checker.fault((*location, "provider"), what, fix)
    elif decision.credential and not any(decision.credential in (one.id, one.name) for one in own):
        what = f"{decision.provider} has no credential {decision.credential} in {decision.workspace}"
        fix = _nearest(decision.credential, [one.name for one in own if one.name], "Write its name or id")
        yield checker.fault((*location, "credential"), what, fix)


def _preset(checker: _Checker, location: tuple[str | int, ...], preset: Preset) -> Iterator[Fault]:
    for field, named in (("from", preset.from_workspace), ("to", preset.to_workspace)):
        workspace, faults = _workspace(checker, (*location, field), named)
        yield from faults
        # In production a preset may be new: the first promotion makes it.
        if workspace and field == "from" and checker.account.has_read("presets", workspace.id):
            slugs = {one.slug for one in checker.account.presets if one.workspace_id == workspace.id}
            if preset.slug not in slugs:
                fix = _nearest(preset.slug, slugs, "Save the preset there first")
                yield checker.fault((*location, "slug"), f"workspace {named} has no preset {preset.slug}", fix)


def _nearest(written: str, valid: Iterable[str], otherwise: str) -> str:
    near = nearest(written, valid)
    return f"Did you mean {near}?" if near else otherwise


def needed(policy: Policy) -> tuple[Part, ...]:
    """The parts of the account that the policy names something of."""
    members = any(one.openrouter for one in policy.people.values()) or any(
        one.key.creator_user_id not in (None, "nobody") for one in policy.workloads
    )
    named: dict[Part, object] = {
        "keys": any(one.key.adopts for one in policy.workloads),
        "guardrails": any(one.key.guardrail for one in policy.workloads),
        "byok": policy.byok,
        "presets": policy.presets,
        "members": members,
    }
    return tuple(part for part, names in named.items() if names)
