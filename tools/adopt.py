"""Writes what CloudFormation needs to adopt the tables and the bucket that an uninstall left behind.

    python -m tools.adopt STACK BUCKET

`build/adopt/template.json` holds those resources alone, as template.yaml declares them, since an import may create
nothing else; `build/adopt/resources.json` says which real ones they are. docs/operations.md has the commands.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
IDENTIFIERS = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}


def adoption(template: dict[str, Any], stack: str, bucket: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The template of the import, and the list of its resources. `bucket`: the name of the bucket that was left."""
    kept = {name: one for name, one in template["Resources"].items() if one["Type"] in IDENTIFIERS}
    text = json.dumps(kept)
    parameters = {name: one for name, one in template["Parameters"].items() if json.dumps({"Ref": name}) in text}
    resources = [
        {
            "LogicalResourceId": name,
            "ResourceType": one["Type"],
            "ResourceIdentifier": {IDENTIFIERS[one["Type"]]: _physical(one, stack, bucket)},
        }
        for name, one in kept.items()
    ]
    return {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": kept}, resources


def _physical(resource: dict[str, Any], stack: str, bucket: str) -> str:
    if resource["Type"] == "AWS::S3::Bucket":
        return bucket
    return str(resource["Properties"]["TableName"]["Fn::Sub"]).replace("${AWS::StackName}", stack)


def main(stack: str, bucket: str) -> None:
    """Writes both files."""
    folder = ROOT / "build" / "adopt"
    folder.mkdir(parents=True, exist_ok=True)
    template, resources = adoption(yaml_parse((ROOT / "template.yaml").read_text()), stack, bucket)
    for name, content in (("template.json", template), ("resources.json", resources)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
        print(f"{folder / name}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tools.adopt STACK BUCKET")
    main(*sys.argv[1:])
