"""CloudFormation's intrinsic functions, resolved against a deployment under way."""

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.engine.errors import UnsupportedTemplate

NO_VALUE = object()


class Intrinsics:
    """Resolves values; `ref` and `attribute` are asked for what a deployment made (and may deploy it first).

    An intrinsic it does not know raises `UnsupportedTemplate` with the name of the resource that used it.
    """

    def __init__(
        self,
        template: dict[str, Any],
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
    ) -> None:
        self._conditions: dict[str, Any] = template.get("Conditions", {})
        self._mappings: dict[str, Any] = template.get("Mappings", {})
        self._ref, self._attribute = ref, attribute
        self._functions: dict[str, Callable[[Any, str], Any]] = {
            "Ref": lambda v, _: self._ref(v),
            "Fn::GetAtt": lambda v, _: self._attribute(*(v if isinstance(v, list) else v.split(".", 1))),
            "Fn::Sub": self._sub,
            "Fn::Join": lambda v, of: v[0].join(str(part) for part in self.resolve(v[1], of)),
            "Fn::If": lambda v, of: self.resolve(v[1] if self.condition(v[0]) else v[2], of),
            "Fn::Select": lambda v, of: self.resolve(v[1], of)[int(self.resolve(v[0], of))],
            "Fn::Split": lambda v, of: self.resolve(v[1], of).split(v[0]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::ToJsonString": lambda v, of: json.dumps(self.resolve(v, of)),
        }

    def resolve(self, value: Any, of: str) -> Any:
        """`value` with every intrinsic replaced; `of` is the logical id that an error names."""
        if isinstance(value, list):
            return [item for item in (self.resolve(item, of) for item in value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions:
                return self._functions[name](argument, of)
            if name.startswith("Fn::"):
                raise UnsupportedTemplate(of, "intrinsic", f"{name} is not known")
        resolved = {key: self.resolve(item, of) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def condition(self, condition: Any) -> bool:
        if isinstance(condition, str):
            if condition not in self._conditions:
                raise UnsupportedTemplate(condition, "condition", "is not defined")
            return self.condition(self._conditions[condition])
        ((name, argument),) = condition.items()
        match name:
            case "Fn::Equals":
                left, right = self.resolve(argument, "Conditions")
                return str(left) == str(right)
            case "Fn::Not":
                return not self.condition(argument[0])
            case "Fn::And":
                return all(self.condition(item) for item in argument)
            case "Fn::Or":
                return any(self.condition(item) for item in argument)
            case "Condition":
                return self.condition(argument)
        raise UnsupportedTemplate("Conditions", "intrinsic", f"{name} is not known")

    def _sub(self, argument: Any, of: str) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        values = self.resolve(given, of)

        def replace(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in values:
                return str(values[name])
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]*)\}", replace, text)

    def _find_in_map(self, argument: Any, of: str) -> Any:
        name, first, second = self.resolve(argument, of)
        try:
            return self._mappings[name][first][second]
        except KeyError:
            raise UnsupportedTemplate(of, "Fn::FindInMap", f"no {name}.{first}.{second} in Mappings") from None
