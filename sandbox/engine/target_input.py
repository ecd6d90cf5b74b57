"""What a rule's target is sent: the event, or what Input, InputPath or InputTransformer make of it.

Source: EventBridge User Guide, "Input transformation", and its section "Common issues": values taken from an event are
not escaped in a JSON template, and a variable whose path leads nowhere does not appear at all. A template that such a
value spoils is not JSON any more; the delivery fails here, as it does on AWS.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.engine.errors import Refused

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_VARIABLE = re.compile(r"()<([A-Za-z0-9._-]+)>")
_PLACEHOLDER = re.compile(r'"<([A-Za-z0-9._-]+)>"|<([A-Za-z0-9._-]+)>')


def target_input(target: Mapping[str, Any], event: dict[str, Any], rule: Mapping[str, str]) -> str:
    """The text a target receives. `rule` has the rule's `arn` and `name`. Raises `Refused` where that is not JSON."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(at(event, target["InputPath"]))
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule)
    return json.dumps(event)


def at(event: Any, path: str) -> Any:
    """The value at a JSON path such as `$.detail.items[0]`; None where there is nothing."""
    if not path.startswith("$"):
        raise ValueError(f"{path} does not start with $")
    value, rest = event, path[1:]
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise ValueError(f"{path} is not a path that EventBridge reads")
        value, rest = _step(value, step), rest[step.end() :]
    return value


def _step(value: Any, step: re.Match[str]) -> Any:
    if step[2] is not None:
        return value[int(step[2])] if isinstance(value, list) and int(step[2]) < len(value) else None
    return value.get(step[1] or step[3]) if isinstance(value, dict) else None


def _transformed(transformer: Mapping[str, Any], event: dict[str, Any], rule: Mapping[str, str]) -> str:
    values = {name: at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule["arn"],
        "aws.events.rule-name": rule["name"],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    template = transformer["InputTemplate"]
    if template.lstrip().startswith("{"):
        return _json(template, values)

    def replace(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[2])
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        # A quoted placeholder is a string whatever it stands for.
        return json.dumps(text) if match[1] is not None else json.dumps(text)[1:-1]

    return _PLACEHOLDER.sub(replace, template)


def _json(template: str, values: Mapping[str, Any]) -> str:
    """Raises `Refused` when a value has made the template something else than JSON."""

    def replace(match: re.Match[str]) -> str:
        value = values.get(match[2])
        if value is None:
            return ""
        inside = _inside_string(template, match.start())
        if isinstance(value, str):
            return value if inside else f'"{value}"'
        # Inside a string an object loses its quotes.
        return json.dumps(value).replace('"', "") if inside else json.dumps(value)

    text = _VARIABLE.sub(replace, template)
    try:
        json.loads(text)
    except ValueError as error:
        raise Refused("INVALID_JSON", f"the input template with this event's values is not JSON: {error}") from error
    return text


def _inside_string(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1
