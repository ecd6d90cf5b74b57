"""What the template says that is on the bill: counted there, not typed in."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.bench.cost.bill import Stack

ON_THE_BILL = ("spend_meter", "kill_switch", "notifier")
"""The functions that are measured; the document says that the others are not."""


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
    functions = {name: functions[name] for name in ON_THE_BILL}
    events = [event for one in functions.values() for event in one.get("Events", {}).values()]
    schedules = [event["Properties"]["ScheduleExpression"] for event in events if event["Type"] == "ScheduleV2"]
    assert len(schedules) == 1, "one schedule is billed as beats; another needs a line of its own"
    rate = defaults[schedules[0]["Ref"]] if isinstance(schedules[0], dict) else schedules[0]
    table = next(resource for resource in resources.values() if resource["Type"] == "AWS::DynamoDB::Table")
    found = re.fullmatch(r"rate\((\d+) minutes?\)", rate)
    assert found, f"not a rate in minutes: {rate}"
    return Stack(
        memory_mb={name: one["MemorySize"] for name, one in functions.items()},
        beat_minutes=int(found[1]),
        requests_per_second=float(defaults["RequestsPerSecond"]),
        alarms=kinds["AWS::CloudWatch::Alarm"],
        dashboards=kinds["AWS::CloudWatch::Dashboard"],
        queues_polled=sum(event["Type"] == "SQS" for event in events),
        archives=kinds["AWS::Events::Archive"],
        recovery=table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        log_days=int(defaults["LogRetentionDays"]),
    )
