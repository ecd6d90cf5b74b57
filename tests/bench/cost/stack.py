"""What the template says that is on the bill: counted there, not typed in."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.bench.cost.bill import Stack


def read(template: Path) -> Stack:
    document: dict[str, Any] = yaml_parse(template.read_text())
    resources: dict[str, Any] = document["Resources"]
    defaults = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
    kinds = Counter(resource["Type"] for resource in resources.values())
    functions = {
        resource["Properties"]["Handler"].partition(".")[0]: resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    sources = [event["Type"] for one in functions.values() for event in one.get("Events", {}).values()]
    table = next(resource for resource in resources.values() if resource["Type"] == "AWS::DynamoDB::Table")
    found = re.fullmatch(r"rate\((\d+) minutes?\)", defaults["SweepRate"])
    assert found, f"SweepRate is not a rate in minutes: {defaults['SweepRate']}"
    return Stack(
        memory_mb={name: one["MemorySize"] for name, one in functions.items()},
        beat_minutes=int(found[1]),
        requests_per_second=float(defaults["RequestsPerSecond"]),
        alarms=kinds["AWS::CloudWatch::Alarm"],
        dashboards=kinds["AWS::CloudWatch::Dashboard"],
        queues_polled=sources.count("SQS"),
        archives=kinds["AWS::Events::Archive"],
        recovery=table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        log_days=int(defaults["LogRetentionDays"]),
    )
