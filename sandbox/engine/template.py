"""The built template: read, transformed as CloudFormation's Serverless transform does it, its parameters checked."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from sandbox.engine.errors import DeploymentFailed, UnsupportedTemplate
from sandbox.engine.rules import assert_rules

REGION = "us-east-1"
ACCOUNT = "123456789012"

SECTIONS = frozenset(
    [
        "AWSTemplateFormatVersion",
        "Transform",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Conditions",
        "Mappings",
        "Globals",
        "Resources",
        "Outputs",
    ]
)
# DeletionPolicy and UpdateReplacePolicy speak of updates and deletions, which a sandbox that starts empty never makes.
ATTRIBUTES = frozenset(
    ["Type", "Properties", "Metadata", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"]
)
POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
LOCAL = "s3://local-build/"


class _NoPolicies:
    def load(self) -> dict[str, str]:
        return {}


def load(path: Path, parameters: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The transformed template and the value of every parameter.

    Built folders (`CodeUri: SpendMeterFunction`) come out as `LOCAL` + folder, since the transform insists on S3.
    Raises `UnsupportedTemplate` for a section or attribute that is not honoured, `DeploymentFailed` for what the
    transform, a parameter's constraint or a rule refuses.
    """
    document = yaml_parse(path.read_text("utf-8"))
    if unknown := sorted(set(document) - SECTIONS):
        raise UnsupportedTemplate(path.name, "template", f"section {unknown[0]} is not honoured")
    values = parameter_values(document.get("Parameters", {}), parameters)
    assert_rules(document.get("Rules", {}), values | {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT})
    for logical_id, resource in document["Resources"].items():
        for attribute, known in POLICIES.items():
            if resource.get(attribute, "Delete") not in known:
                raise DeploymentFailed(logical_id, f"{attribute}: {resource[attribute]!r} is not one of {known}")
        if unknown := sorted(set(resource) - ATTRIBUTES):
            raise UnsupportedTemplate(logical_id, str(resource.get("Type")), f"attribute {unknown[0]} is not honoured")
        for name in ("CodeUri", "ContentUri"):
            folder = resource.get("Properties", {}).get(name)
            if isinstance(folder, str) and not folder.startswith("s3://"):
                resource["Properties"][name] = LOCAL + folder
    # The transform asks boto3 for the region, which must not depend on whoever runs the sandbox.
    try:
        with patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION}):
            return transform(document, dict(values), _NoPolicies(), passthrough_metadata=True), values
    except InvalidDocumentException as error:
        raise DeploymentFailed(path.name, "; ".join(cause.message for cause in error.causes)) from error


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Every parameter's value, checked as CloudFormation does before it creates anything."""
    if unknown := sorted(set(given) - set(declared)):
        raise DeploymentFailed(unknown[0], "is not a parameter of the template")
    values: dict[str, Any] = {}
    for name, rules in declared.items():
        if name not in given and "Default" not in rules:
            raise DeploymentFailed(name, "has no value and no default")
        values[name] = _parameter(name, str(given.get(name, rules.get("Default"))), rules)
    return values


def _parameter(name: str, value: str, rules: Mapping[str, Any]) -> Any:
    kind = rules["Type"]
    if kind not in ("String", "Number", "CommaDelimitedList", "List<Number>"):
        raise UnsupportedTemplate(name, "parameter", f"type {kind} is not honoured")
    if kind == "Number":
        number = _number(name, value)
        if number < float(rules.get("MinValue", "-inf")) or number > float(rules.get("MaxValue", "inf")):
            raise DeploymentFailed(name, f"{value} is not between MinValue and MaxValue")
    if len(value) < int(rules.get("MinLength", 0)) or len(value) > int(rules.get("MaxLength", 4096)):
        raise DeploymentFailed(name, "the length of the value is not between MinLength and MaxLength")
    if "AllowedPattern" in rules and not re.fullmatch(rules["AllowedPattern"], value):
        raise DeploymentFailed(name, f"{value!r} does not match {rules['AllowedPattern']}")
    if "AllowedValues" in rules and value not in [str(allowed) for allowed in rules["AllowedValues"]]:
        raise DeploymentFailed(name, f"{value!r} is not one of {rules['AllowedValues']}")
    return [item.strip() for item in value.split(",")] if "List" in kind else value


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise DeploymentFailed(name, f"{value!r} is not a number") from None
