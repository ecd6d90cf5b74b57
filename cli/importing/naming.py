"""Which workload a key is of, by its name: the policy's convention, and `--map` for names off it. Pure."""

import difflib
import re
from collections.abc import Iterable, Mapping

from cli.output import Failure
from governor.policy import Policy, lineage_name

CONVENTION = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
"""What a workload may be called (`Workload.name`), and its key before the `#` of a rotation."""


def parsed(given: Iterable[str], lines: Iterable[str] = ()) -> dict[str, str]:
    """Workload by old name, from `OLDNAME=workload` of options and of a file's lines (empty ones and `#` are comments).

    An old name may hold `=`: the last one separates. Raises `Failure`.
    """
    mapping: dict[str, str] = {}
    for line in (*given, *lines):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        old, found, workload = (part.strip() for part in text.rpartition("="))
        if not found or not old or not CONVENTION.fullmatch(workload):
            raise Failure(
                f"--map {text}: not OLDNAME=workload",
                fix=f"Write the key's name, =, and a workload's name in lower-case letters, digits and hyphens, for "
                f"example --map '{old or text}={suggestion(old or text)}'.",
            )
        if mapping.get(old, workload) != workload:
            raise Failure(f"--map names {old} twice, as {mapping[old]} and {workload}", fix="Name each key once.")
        mapping[old] = workload
    repeated = [old for old, workload in mapping.items() if list(mapping.values()).count(workload) > 1]
    if repeated:
        raise Failure(
            f"--map gives {', '.join(repeated)} to one workload, {mapping[repeated[0]]}",
            fix="A workload adopts one key made by hand (key.adopts). Give each its own workload, or leave the others "
            "out and delete those keys once nothing uses them.",
        )
    return mapping


def require_known(mapping: Mapping[str, str], names: Iterable[str]) -> None:
    """Raises `Failure` for a name in the mapping that no key of the account has."""
    known = set(names)
    for old in mapping:
        if old not in known:
            near = difflib.get_close_matches(old, known, 1)
            fix = f"Did you mean {near[0]}?" if near else "Write the name as OpenRouter shows it."
            raise Failure(f"--map {old}={mapping[old]}: no key of the account is named {old}", fix=fix)


def workload_of(name: str, mapping: Mapping[str, str], policy: Policy | None) -> str | None:
    """The workload that a key of this name is of; None for a name off the convention that nobody mapped."""
    if name in mapping:
        return mapping[name]
    bare = policy.lineage_of(name) if policy else lineage_name(name)
    return bare if CONVENTION.fullmatch(bare) else None


def suggestion(name: str) -> str:
    """A workload's name that is as near to the key's name as the convention allows."""
    text = re.sub(r"[^a-z0-9]+", "-", lineage_name(name).lower()).strip("-")[:63].strip("-")
    return text if CONVENTION.fullmatch(text) else f"workload-{text}".strip("-")
