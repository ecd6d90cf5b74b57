"""The samples through the handler; a message that fails takes no other with it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from approval_desk import handler
from governor.events import BadEvent
from governor.slack.channel import SlackUnavailable
from governor.slack.identity import Installation, Person
from tests.unit.approval_desk.desk import LEAD, TEAM, WORKLOAD, Desk, command

ENVELOPE = {"time": "2026-03-11T02:44:00Z", "id": "1", "detail": {"subject": "a"}}
SAMPLES = sorted((Path(__file__).parents[3] / "events" / "approval_desk").glob("*.json"))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    desk.disabled("runaway")
    monkeypatch.setattr(handler, "build", lambda: desk.desk)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "governor-dev")
    return desk


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_carried_out(path: Path, desk: Desk) -> None:
    desk.directory.home = Installation("T0SANDBOX")
    answer = handler.lambda_handler(json.loads(path.read_text()), None)
    assert answer in ({"batchItemFailures": []}, {"expired": 0}, {"rule": "unknown"}, {"rule": "unproven"})
    rules = {row.data["rule"] for row in desk.ledger.rows("interaction")}
    assert not rules & {"hint", "elsewhere", "outsider"}
    assert "stale" not in rules


def _batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": str(number), "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
            for number, body in enumerate(bodies)
        ]
    }


def test_what_fails_goes_back_alone(desk: Desk) -> None:
    good = command(LEAD, f"disable {WORKLOAD}").encode()
    answer = handler.lambda_handler(_batch("{}", good, "not JSON", "[" * 200_000), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}, {"itemIdentifier": "3"}]}
    assert len(desk.bus.events) == 1


@pytest.mark.parametrize(
    ("person", "unread", "metric"),
    [
        (Person(LEAD, frozenset({TEAM}), guest=True), None, "PeopleRefused"),
        (None, SlackUnavailable("no answer"), "PeopleUnknown"),
        (None, None, ""),
    ],
)
def test_a_refusal_is_counted_without_a_name(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    person: Person | None,
    unread: SlackUnavailable | None,
    metric: str,
) -> None:
    desk.directory.unread = unread
    if person:
        desk.directory.people[LEAD] = person
    handler.lambda_handler(_batch(command(LEAD, f"rotate {WORKLOAD}").encode()), None)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [(one["service"], one.get(metric)) for one in told] == ([("approval_desk", [1.0])] if metric else [])
    assert LEAD not in json.dumps(told)


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"scheduled_time": "soon"}, "scheduled_time"),
        (ENVELOPE | {"detail-type": "Key Disabled"}, "fix the rule"),
        (ENVELOPE | {"detail-type": "Approval Decided"}, "approval"),
        (ENVELOPE | {"detail-type": "Command Requested"}, "command"),
    ],
)
def test_an_event_of_another_shape_is_refused_by_name(desk: Desk, event: dict[str, Any], named: str) -> None:
    with pytest.raises(BadEvent, match=named):
        handler.lambda_handler(event, None)


def test_importing_the_handler_reads_no_environment_and_brings_nothing_heavy() -> None:
    code = (
        "import os, sys\n"
        "os.environ.clear()\n"
        "import approval_desk.handler\n"
        "print(*(name for name in ('aws_xray_sdk', 'slack_sdk', 'yaml', 'management_api') if name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
