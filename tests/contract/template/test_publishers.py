"""One list of who publishes what (`governor.events.publishers`), held against the functions' code and against their
roles.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from governor.events import SOURCE, DetailType
from governor.events.publishers import PUBLISHES, REDELIVERS
from governor.events.redelivery import REDACTED_SOURCE
from tests.contract.template.reading import RESOURCES, role_of, statements_of

ROOT = Path(__file__).resolve().parents[3]
LAYER = ROOT / "layers" / "governor" / "src" / "governor"
NEVER_SENT = {
    # A grant is handed to the rules as the event that asked for it; it goes out as Key Disabled or Key Restored.
    "kill_switch": {DetailType.APPROVAL_GRANTED},
}
TELLERS = {"notifier", "incident_picture"}
"""Functions that speak of every type there is: theirs are those that stand in the making of an `Event`."""
ABOUT_TYPES = {"events/event", "events/publishers"}
"""Modules that say what types there are, and publish none."""


def _values(tree: ast.AST) -> Iterator[DetailType]:
    """Every `DetailType.X` that is used as a value: not one that is compared with, matched against, or hashed."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Compare | ast.MatchValue):
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("event_id", "_id"):
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "DetailType":
            yield DetailType[node.attr]
        yield from _values(node)


def _imports(tree: ast.AST) -> set[str]:
    """The layer's own modules that a module imports."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    named = {f"{node.module}.{one.name}" for node in found for one in node.names} | {str(node.module) for node in found}
    files = {name.removeprefix("governor.").replace(".", "/") for name in named if name.startswith("governor.")}
    return {file for file in files if (LAYER / f"{file}.py").exists()} - ABOUT_TYPES


@cache
def _of_layer(module: str) -> frozenset[DetailType]:
    tree = ast.parse((LAYER / f"{module}.py").read_text())
    return frozenset(_values(tree)).union(*(_of_layer(name) for name in _imports(tree)))


def _published(function: str) -> set[DetailType]:
    """What the function's code can publish, with what it takes from the layer."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "functions" / function / function).glob("*.py")]
    if function in TELLERS:
        calls = [one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.Call)]
        return {kind for one in calls if getattr(one.func, "id", "") == "Event" for kind in _values(one)}
    own = {one for tree in trees for one in _values(tree)}
    shared = {one for tree in trees for module in _imports(tree) for one in _of_layer(module)}
    return (own | shared) - NEVER_SENT.get(function, set())


def _may_put(role: str, sid: str = "Publish") -> list[dict[str, Any]]:
    """The statement of that id; every one that lets the role put events has one of the two ids."""
    statements = [one for one in statements_of(role) if "events:PutEvents" in str(one["Action"])]
    assert {one["Sid"] for one in statements} <= {"Publish", "Redeliver"}
    return [one for one in statements if one["Sid"] == sid]


def test_every_function_has_its_list() -> None:
    assert set(PUBLISHES) == {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()}


@pytest.mark.parametrize("function", sorted(PUBLISHES))
def test_a_functions_code_publishes_what_the_list_says_and_nothing_else(function: str) -> None:
    assert _published(function) == PUBLISHES[function], (
        f"functions/{function} and governor/events/publishers.py disagree: add the type to PUBLISHES (or drop it) and "
        f"the role's Publish statement in template.yaml"
    )


@pytest.mark.parametrize("function", sorted(PUBLISHES))
def test_a_role_may_publish_its_functions_types_under_our_source_and_nothing_else(function: str) -> None:
    role = role_of(function)
    if not PUBLISHES[function]:
        assert _may_put(role) == []
        return
    _holds(_may_put(role), SOURCE, PUBLISHES[function])


@pytest.mark.parametrize("function", sorted(PUBLISHES))
def test_a_role_may_put_back_the_requests_that_its_function_hears_and_nothing_else(function: str) -> None:
    heard = {
        kind
        for rule in RESOURCES.values()
        if rule["Type"] == "AWS::Events::Rule" and _target(rule) == function
        for kind in rule["Properties"]["EventPattern"]["detail-type"]
        if "source" not in rule["Properties"]["EventPattern"]
    }
    assert heard == REDELIVERS.get(function, set())
    if heard:
        _holds(_may_put(role_of(function), "Redeliver"), REDACTED_SOURCE, REDELIVERS[function])
    else:
        assert _may_put(role_of(function), "Redeliver") == []


def _target(rule: dict[str, Any]) -> str:
    """The function that a rule wakes: `KillSwitchFunction` is `kill_switch`."""
    arn = rule["Properties"]["Targets"][0]["Arn"]["Fn::GetAtt"][0]
    return re.sub(r"(?<!^)(?=[A-Z])", "_", arn.removesuffix("Function")).lower()


def _holds(statements: list[dict[str, Any]], source: str, types: frozenset[DetailType]) -> None:
    (statement,) = statements
    assert statement["Resource"] == {"Fn::GetAtt": ["Bus", "Arn"]}
    conditions = statement["Condition"]
    # ForAllValues is true of a key that is absent, so Null asks for both (IAM User Guide, multivalued context keys).
    assert conditions["Null"] == {"events:source": "false", "events:detail-type": "false"}
    allowed = conditions["ForAllValues:StringEquals"]
    assert allowed["events:source"] == source
    assert sorted(allowed["events:detail-type"]) == sorted(types), "template.yaml and events/publishers.py disagree"
    assert set(conditions) == {"Null", "ForAllValues:StringEquals"}


def test_the_bus_takes_our_source_from_the_functions_that_publish_and_from_nobody_else() -> None:
    (policy,) = [one["Properties"] for one in RESOURCES.values() if one["Type"] == "AWS::Events::EventBusPolicy"]
    statement = policy["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "events:PutEvents"
    assert statement["Resource"] == {"Fn::GetAtt": ["Bus", "Arn"]}
    assert statement["Condition"]["ForAnyValue:StringEquals"] == {"events:source": SOURCE}
    # NotPrincipal would have to name each session of a role too; the ARN of the role is the same in all of them.
    named = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert {one["Fn::GetAtt"][0] for one in named} == {role_of(name) for name, types in PUBLISHES.items() if types}


def test_a_rule_that_does_not_ask_for_our_source_takes_requests_only() -> None:
    requests = {"Key Exposed", "Approval Decided", "Preset Promotion Requested", "Restore Requested",
                "Rotation Requested", "Rollback Requested", "Drill Requested", "Command Requested",
                "Review Requested"}  # fmt: skip
    for name, rule in RESOURCES.items():
        if rule["Type"] == "AWS::Events::Rule":
            pattern = rule["Properties"]["EventPattern"]
            assert pattern.get("source") == [SOURCE] or set(pattern["detail-type"]) <= requests, name
