"""Adds to a YAML document by inserting text: every character that a person wrote stays where it was.

Emitting the document anew, even with comments kept, would rewrap lines and change quotes and numbers that nobody asked
to change. So positions are taken from the parsed document, text is inserted there, and the result is read again and
held against what was meant (docs/decisions/0037).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tools.policy import LOADER

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./@-]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}


class NotEditable(Exception):
    """The document has a shape that text cannot be inserted into safely; nothing was changed."""


@dataclass(frozen=True)
class Insertion:
    """`text` goes in before the character number `at`, from 0."""

    at: int
    text: str


def scalar(value: Any) -> str:
    """A value on one line, plain where that is unmistakable and quoted elsewhere; lists and mappings in flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {scalar(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(scalar, value)) + "]"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)
    if isinstance(value, float):
        # YAML 1.1 takes 1e-07 for a text: its numbers have a point.
        text = str(int(value)) if value.is_integer() else repr(value)
        return text if "." in text else text.replace("e", ".0e")
    return json.dumps(value)


def added(text: str, insertions: Sequence[Insertion]) -> str:
    """`text` with all insertions; two at one place keep their order."""
    parts, last = [], 0
    for one in sorted(insertions, key=lambda one: one.at):
        parts += [text[last : one.at], one.text]
        last = one.at
    return "".join([*parts, text[last:]])


def root_of(text: str) -> yaml.MappingNode:
    """The parsed document. Raises `NotEditable` for one that is not a mapping."""
    node = yaml.compose(text, Loader=LOADER)
    if not isinstance(node, yaml.MappingNode):
        raise NotEditable("the document is not a mapping of fields")
    return node


def child(node: yaml.Node | None, *path: str | int) -> yaml.Node | None:
    """The node below `node`; None where there is none."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            return None
    return node


def append_items(text: str, root: yaml.MappingNode, section: str, items: Sequence[str]) -> Insertion:
    """Puts `items` at the end of the root's sequence `section`, and makes it where it is missing or empty.

    An item is the text of a mapping in block style, its lines not indented and without the dash.
    """
    node = child(root, section)
    if root.flow_style:
        raise NotEditable("the whole document stands in braces; write its fields on lines of their own")
    if node is None:
        start = "" if not text or text.endswith("\n") else "\n"
        return Insertion(len(text), f"{start}{section}:\n{_block(items, 2)}\n")
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        end = _after_comments(text, _end_of(node), node.start_mark.column)
        return Insertion(end, f"\n{_block(items, node.start_mark.column)}")
    if isinstance(node, yaml.SequenceNode) and node.value:
        raise NotEditable(f"{section}: stands in brackets; write each entry on lines of its own, behind a dash")
    raise NotEditable(f"{section}: is empty; remove the line, so that entries can be added")


def add_fields(text: str, node: yaml.MappingNode, fields: Mapping[str, Any]) -> Insertion:
    """Puts fields into a mapping that does not have them."""
    if node.flow_style:
        if not node.value:
            return Insertion(node.start_mark.index + 1, scalar(fields)[1:-1])
        return Insertion(_end_of(node.value[-1][1]), ", " + scalar(fields)[1:-1])
    lines = [f"{scalar(name)}: {scalar(value)}" for name, value in fields.items()]
    indent = " " * node.start_mark.column
    for _, value in node.value:
        if isinstance(value, yaml.ScalarNode) and value.value and value.start_mark.line == value.end_mark.line:
            at = _end_of_line(text, value.end_mark.index)
            return Insertion(at, "".join(f"\n{indent}{line}" for line in lines))
    return Insertion(node.start_mark.index, "".join(f"{line}\n{indent}" for line in lines))


def _block(items: Sequence[str], column: int) -> str:
    indent = " " * column
    return "\n".join(
        f"{indent}{'- ' if number == 0 else '  '}{line}"
        for item in items
        for number, line in enumerate(item.splitlines())
    )


def _end_of(node: yaml.Node) -> int:
    """Where the node's last character is followed. Marks of block collections point past comments; those of scalars and
    of flow collections do not."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end_of(last[1] if isinstance(node, yaml.MappingNode) else last)


def _end_of_line(text: str, at: int) -> int:
    if at and text[at - 1] == "\n":  # a block scalar ends at the start of the next line
        return at - 1
    end = text.find("\n", at)
    return len(text) if end < 0 else end - (1 if text[end - 1 : end] == "\r" else 0)


def _after_comments(text: str, at: int, column: int) -> int:
    """The end of the line of `at`, or of the comments below that are indented deeper than `column`: they speak of the
    entry above them."""
    end = _end_of_line(text, at)
    while match := re.compile(r"\r?\n( *)#[^\r\n]*").match(text, end):
        if len(match[1]) <= column:
            break
        end = match.end()
    return end
