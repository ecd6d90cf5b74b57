"""What a rule's target is sent: the event, or what Input, InputPath or InputTransformer make of it.

Source: EventBridge User Guide, "Input transformation".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_PLACEHOLDER = re.compile(r'"<([A-Za-z0-9._-]+)>"|<([A-Za-z0-9._-]+)>')


def target_input(target: Mapping[str, Any], event: dict[str, Any], rule: Mapping[str, str]) -> str:
    """The text a target receives. `rule` has the rule's `arn` and `name`."""
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

    def replace(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[2])
        if match[1] is not None:
            # A quoted placeholder is a string whatever it stands for.
            return json.dumps(value if isinstance(value, str) else "" if value is None else json.dumps(value))
        if _inside_string(template, match.start()):
            text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
            return json.dumps(text)[1:-1]
        return json.dumps("" if value is None else value)

    return _PLACEHOLDER.sub(replace, template)


def _inside_string(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1
