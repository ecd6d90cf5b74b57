"""The transformed template, read once, and its roles' statements by function."""

import re
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[3]


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def source() -> dict[str, Any]:
    document: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return document


def _transformed() -> dict[str, Any]:
    document = source()
    for resource in document["Resources"].values():
        for field in ("CodeUri", "ContentUri"):
            if field in resource["Properties"]:
                resource["Properties"][field] = "s3://build/" + resource["Properties"][field]
    document["Globals"]["Function"]["Architectures"] = ["arm64"]
    result: dict[str, Any] = transform(document, {}, _NoManagedPolicies())
    return result


TEMPLATE = _transformed()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def names(value: Any) -> set[str]:
    """Every logical id that a value refers to."""
    text = str(value)
    return set(re.findall(r"'Ref': '(\w+)'", text)) | set(re.findall(r"'Fn::GetAtt': \['(\w+)'", text))


def role_of(function: str) -> str:
    """The logical id of the role of the function in the folder `function`."""
    (found,) = [
        role
        for one in RESOURCES.values()
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"]["Handler"].startswith(f"{function}.")
        for role in names(one["Properties"]["Role"])
    ]
    return found


def statements_of(role: str) -> list[dict[str, Any]]:
    """Every statement of a role's policies; a conditional one as it is when its condition holds."""
    found = [
        one for policy in RESOURCES[role]["Properties"]["Policies"] for one in policy["PolicyDocument"]["Statement"]
    ]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in found]
