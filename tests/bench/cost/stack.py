"""What the template says that is on the bill: counted there, not typed in."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.bench.cost.bill import Stack

ON_THE_BILL = (
    "spend_meter", "kill_switch", "notifier", "key_planning", "key_rotation", "key_retirement", "credential_rotation",
    "byok_failover", "preset_promotion", "slack_gateway", "approval_desk",
)  # fmt: skip
"""The functions that are measured."""


def read(template: Path) -> Stack:
    document: dict[str, Any] = yaml_parse(template.read_text())
    resources: dict[str, Any] = document["Resources"]
    defaults = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
    # Broadcast is off by default, and has a bill of its own (`broadcast.py`).
    kinds = Counter(one["Type"] for one in resources.values() if one.get("Condition") != "HasBroadcast")
    functions = {
        resource["Properties"]["Handler"].partition(".")[0]: resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    functions = {name: functions[name] for name in ON_THE_BILL}
    events = [event for one in functions.values() for event in one.get("Events", {}).values()]
    table = next(resource for resource in resources.values() if resource["Type"] == "AWS::DynamoDB::Table")
    return Stack(
        memory_mb={name: one["MemorySize"] for name, one in functions.items()},
        tick_minutes={name: rate for name, one in functions.items() if (rate := _minutes(one))},
        daily=sum(one.startswith("cron(") and one.endswith(" * * ? *)") for one in map(str, _schedules(events))),
        requests_per_second=float(defaults["RequestsPerSecond"]),
        alarms=kinds["AWS::CloudWatch::Alarm"],
        dashboards=kinds["AWS::CloudWatch::Dashboard"],
        queues_polled=sum(event["Type"] == "SQS" for event in events),
        archives=kinds["AWS::Events::Archive"],
        recovery=table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        log_days=int(defaults["LogRetentionDays"]),
    )


def _schedules(events: list[dict[str, Any]]) -> list[str]:
    return [event["Properties"]["ScheduleExpression"] for event in events if event["Type"] == "ScheduleV2"]


def _minutes(function: dict[str, Any]) -> int | None:
    """From one run of the function to the next; None where it has no run."""
    found = [
        re.fullmatch(r"rate\((\d+) minutes?\)", one) for one in _schedules(list(function.get("Events", {}).values()))
    ]
    rates = [int(one[1]) for one in found if one]
    assert len(rates) <= 1, "which of the schedules is the run?"
    return rates[0] if rates else None
