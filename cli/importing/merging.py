"""Puts a proposal into the policy's text, and proves that nothing else of it has changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cli import yaml_edit
from cli.importing import entries
from cli.importing.proposal import Proposal
from cli.output import Failure
from governor.policy import Policy
from tools.policy import LOADER, PolicyFault, checked, compile_text

type Caps = Mapping[str, Mapping[str, Any]]
"""Fields to be added to the `key` of workloads that are declared already, by workload."""


def merged(path: str, text: str, proposal: Proposal, caps: Caps) -> str:
    """`text` with what is proposed. Raises `Failure` where the file cannot be added to, or would not pass the check."""
    sections = {
        "workloads": [entries.workload(one) for one in proposal.workloads],
        "byok": [entries.decision(one) for one in proposal.decisions],
        "presets": [entries.preset(one) for one in proposal.presets],
    }
    try:
        written = text
        for section, items in sections.items():
            if items:
                root = yaml_edit.root_of(written)
                written = yaml_edit.added(written, [yaml_edit.append_items(written, root, section, items)])
        if caps:
            written = yaml_edit.added(written, _capped(written, caps))
        _require_only_added(text, written, {name: len(items) for name, items in sections.items()}, caps)
        compile_text(path, written)
    except yaml_edit.NotEditable as error:
        fix = "Change that by hand, or import into a new file and copy what you want."
        raise Failure(f"{path} was left as it is: {error}", fix=fix) from None
    except PolicyFault as fault:
        raise Failure(
            f"What would be written to {path} does not pass the check, so nothing was written:\n{fault}",
            fix="Report this with the lines above; import into a new file meanwhile.",
        ) from None
    return written


def _capped(text: str, caps: Caps) -> list[yaml_edit.Insertion]:
    root, insertions = yaml_edit.root_of(text), []
    workloads = yaml_edit.child(root, "workloads")
    for number in range(len(workloads.value) if isinstance(workloads, yaml.SequenceNode) else 0):
        entry = yaml_edit.child(workloads, number)
        name = yaml_edit.child(entry, "name")
        if not isinstance(entry, yaml.MappingNode) or not isinstance(name, yaml.ScalarNode) or name.value not in caps:
            continue
        key = yaml_edit.child(entry, "key")
        if isinstance(key, yaml.MappingNode):
            insertions.append(yaml_edit.add_fields(text, key, caps[name.value]))
        else:
            insertions.append(yaml_edit.add_fields(text, entry, {"key": caps[name.value]}))
    return insertions


def _require_only_added(before: str, after: str, counts: Mapping[str, int], caps: Caps) -> None:
    """Raises `NotEditable` unless every line of `before` is in `after` and the document says the same and more."""
    old, new = yaml.load(before, Loader=LOADER), yaml.load(after, Loader=LOADER)  # noqa: S506 - safe loaders both
    for name, count in counts.items():
        if count:
            held = new.get(name) or []
            new[name] = held[: len(held) - count]
            if not new[name] and name not in old:
                del new[name]
    with_key = {entry.get("name") for entry in old.get("workloads") or [] if "key" in entry}
    for entry in new.get("workloads") or []:
        fields = caps.get(entry.get("name"), {})
        key = entry.get("key") or {}
        for name, value in fields.items():
            if key.pop(name, None) != value:
                raise yaml_edit.NotEditable(f"the key of {entry.get('name')} did not take its cap")
        if fields and not key and entry.get("name") not in with_key:
            entry.pop("key")
    if old != new:
        raise yaml_edit.NotEditable("its layout is one that text cannot be added to")


def present(path: Path) -> tuple[str, Policy] | None:
    """The text and the policy of a file that is there. Raises `Failure` for one that does not pass the check."""
    if not path.exists():
        return None
    try:
        policy, _ = checked(path)
    except PolicyFault as fault:
        raise Failure(
            f"{path} does not pass the check, so nothing can be added to it:\n{fault}",
            fix=f"Fix it (governor policy check {path}), or import into a new file.",
        ) from None
    return path.read_text("utf-8", newline=""), policy
