"""CloudFormation's `Rules`: assertions over parameters, evaluated before anything is created.

They know parameters, pseudo parameters and the rule functions only (AWS, "Rule functions"): neither resources nor
`Fn::Sub` and the like.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.engine.errors import DeploymentFailed, UnsupportedTemplate


def assert_rules(rules: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Raises `DeploymentFailed` with the description of the first assertion that does not hold.

    `parameters`: the values of parameters and pseudo parameters by name.
    """
    for name, rule in rules.items():
        evaluate = _Evaluation(name, parameters)
        if not evaluate.holds(rule.get("RuleCondition", {"Fn::Equals": ["", ""]})):
            continue
        for assertion in rule["Assertions"]:
            if not evaluate.holds(assertion["Assert"]):
                raise DeploymentFailed(name, assertion.get("AssertDescription", "an assertion does not hold"))


class _Evaluation:
    def __init__(self, rule: str, parameters: Mapping[str, Any]) -> None:
        self._rule, self._parameters = rule, parameters

    def holds(self, condition: Any) -> bool:
        ((name, argument),) = condition.items()
        match name:
            case "Fn::And":
                return all(self.holds(one) for one in argument)
            case "Fn::Or":
                return any(self.holds(one) for one in argument)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::Equals":
                left, right = (self._value(one) for one in argument)
                return bool(left == right)
            case "Fn::Contains":
                return self._value(argument[1]) in self._values(argument[0])
            case "Fn::EachMemberEquals":
                return all(one == self._value(argument[1]) for one in self._values(argument[0]))
            case "Fn::EachMemberIn":
                return set(self._values(argument[0])) <= set(self._values(argument[1]))
        raise UnsupportedTemplate(self._rule, "rule", f"{name} is not known")

    def _values(self, given: Any) -> list[str]:
        return [self._value(one) for one in given] if isinstance(given, list) else list(self._resolved(given))

    def _value(self, given: Any) -> str:
        return str(self._resolved(given))

    def _resolved(self, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        ((name, argument),) = given.items()
        if name != "Ref" or argument not in self._parameters:
            raise UnsupportedTemplate(self._rule, "rule", f"{name} {argument} is not known: rules see parameters only")
        return self._parameters[argument]
