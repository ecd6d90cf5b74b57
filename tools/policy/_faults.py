"""What is wrong with a policy: each fault names file, line, field, what is wrong, and what to write instead."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

SHOWN = 25
"""Faults that are told; a megabyte of nonsense has more than anybody reads."""


@dataclass(frozen=True)
class Fault:
    """`line` counts from 1. `field`: dotted, such as `workloads.0.tier`. `fix`: a sentence, without its full stop."""

    path: str
    line: int
    field: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f". {self.fix}" if self.fix else ""
        return f"{self.path}:{self.line}: {self.field}: {self.what}{fix}"


class PolicyFault(Exception):
    """The policy does not hold. One line a fault, those of the file's beginning first. `more`: faults beside them."""

    def __init__(self, faults: Sequence[Fault], more: int = 0) -> None:
        self.faults = tuple(sorted(faults, key=lambda one: one.line))
        self.more = more
        lines = [str(one) for one in self.faults]
        super().__init__("\n".join(lines + ([f"... and {more} more faults; mend these first"] if more else [])))


def line_of(node: yaml.Node | None, location: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of `location` that the document holds."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
