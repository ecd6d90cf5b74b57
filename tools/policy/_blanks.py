"""What `governor import` left for a person to fill in. A policy with blanks holds; whoever deploys it should know."""

from collections.abc import Iterator

import yaml

from tools.policy._faults import Fault

UNFILLED_USER = "UFILLINTHEOWNER"
"""A Slack user id that is nobody's: Slack's have nine to eleven characters. A digit may follow."""
UNFILLED_TEXT = "to be filled in"
"""In the place of a reason, an owner or an exit criterion."""
_USER = "is a blank: nobody is mentioned, and nobody can approve under this id"


def blanks(path: str, document: yaml.Node | None) -> list[Fault]:
    """The blanks of a policy, as remarks with line and field; an entry of a list is called by its name."""
    return list(_walk(path, document, ""))


def _walk(path: str, node: yaml.Node | None, field: str) -> Iterator[Fault]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(path, value, f"{field}.{key.value}" if field else str(key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(path, value, f"{field}.{_name_of(value) or number}")
    elif isinstance(node, yaml.ScalarNode):
        line = node.start_mark.line + 1
        if node.value.rstrip("0123456789") == UNFILLED_USER:
            yield Fault(path, line, field, _USER, "Write the Slack user's id, such as U0SEARCH")
        elif node.value == UNFILLED_TEXT:
            yield Fault(path, line, field, "is a blank", "Write it out, or remove the entry")


def _name_of(node: yaml.Node) -> str | None:
    """What people call an entry: in a list of ten thousand they do not count."""
    fields = {key.value: one.value for key, one in node.value} if isinstance(node, yaml.MappingNode) else {}
    if "provider" in fields:
        return f"{fields.get('workspace')}/{fields['provider']}"
    name = fields.get("name") or fields.get("slug")
    return name if isinstance(name, str) else None
