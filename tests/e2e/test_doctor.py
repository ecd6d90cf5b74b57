"""`governor doctor` on the built stack: all is well, and each fault that is planted is found by its own check alone."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.checkup import Finding
from cli.main import build
from cli.session import Outside
from sandbox.scenario.world import CHANNEL, MANAGEMENT_KEY, MINUTE, World, open_world
from tests.contract.template.reading import RESOURCES

PARAMETERS = {
    "AlertEmail": "oncall@example.com", "SlackConcurrency": "20", "SlackSecretName": "governor/slack",
    "SlackSigningSecretName": "governor/slack-signing",
    "ManagementKeySecretName": "governor/openrouter-management-key",
}  # fmt: skip


class CloudFormation:
    """As far as the command line asks it: the stack that the engine has deployed."""

    def __init__(self, world: World, slack_url: str) -> None:
        self._world = world
        self._parameters = {**PARAMETERS, "SlackApiUrl": slack_url}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        outputs = [{"OutputKey": name, "OutputValue": one} for name, one in self._world.engine.outputs.items()]
        given = [{"ParameterKey": name, "ParameterValue": one} for name, one in self._parameters.items()]
        return {"Stacks": [{"StackName": StackName, "Outputs": outputs, "Parameters": given}]}

    def get_paginator(self, _name: str) -> "CloudFormation":
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:
        made = self._world.engine.resources.items()
        return [
            {
                "StackResourceSummaries": [
                    {
                        "LogicalResourceId": logical,
                        "PhysicalResourceId": physical,
                        "ResourceType": RESOURCES[logical]["Type"],
                    }
                    for logical, physical in made
                    if logical in RESOURCES
                ]
            }
        ]


class Clinic:
    """Runs doctor."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder, self.ahead = world, folder, timedelta()
        self.cloudformation = CloudFormation(world, str(world.slack.api.people.base_url) + "api/")
        self.client: Callable[[str], Any] = world.engine.client

    def finds(self) -> dict[str, list[Finding]]:
        """What is not ok, by check."""
        transport = httpx.HTTPTransport()
        outside = Outside(
            environment={},
            transport=transport,
            aws=lambda service, _: self.cloudformation if service == "cloudformation" else self.client(service),
            now=lambda: self.world.now + self.ahead,
            web=self._web,
        )
        words = ["doctor", "--json", "--stack", "sandbox", "--policy", str(self.folder / "policy.yaml")]
        with transport:
            ran = CliRunner().invoke(build(), words, obj=outside)
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        found = [Finding(**one) for one in json.loads(ran.stdout)["findings"]]
        assert ran.exit_code == (0 if all(one.state == "ok" for one in found) else 1)
        assert all(one.fix for one in found if one.state != "ok")
        bad: dict[str, list[Finding]] = {}
        for one in found:
            if one.state != "ok":
                bad.setdefault(one.check, []).append(one)
        return bad

    def only(self, check: str, *words: str) -> None:
        """Nothing but this check finds anything, and it says so."""
        found = self.finds()
        assert set(found) == {check}, found
        for word in words:
            assert word in found[check][0].what, found[check][0]

    def _web(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":  # the policy layer, whose content moto does not serve
            (path,) = (self.folder / "stack").glob("PolicyLayer/**/policy.json")
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as archive:
                archive.writestr("python/governor_policy/policy.json", path.read_text())
            return httpx.Response(200, content=content.getvalue(), request=request)
        with httpx.Client(timeout=30) as client:
            return client.send(request)


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    monkeypatch.setattr("cli.checkup.SECONDS", 120)  # a busy machine is not a finding
    with open_world(tmp_path, {"AlertEmail": "oncall@example.com"}) as world:
        world.run(world.now + 2 * MINUTE)
        yield Clinic(world, tmp_path)


def _secret(clinic: Clinic, name: str, **value: str) -> None:
    clinic.world.engine.client("secretsmanager").put_secret_value(SecretId=name, SecretString=json.dumps(value))


def test_a_stack_that_works_has_no_finding_and_each_planted_fault_is_found_alone(clinic: Clinic) -> None:
    world, engine = clinic.world, clinic.world.engine
    assert clinic.finds() == {}

    inference = next(iter(world.plaintexts.values()))
    _secret(clinic, "governor/openrouter-management-key", api_key=inference)
    clinic.only("management key", "is an inference key")
    _secret(clinic, "governor/openrouter-management-key", api_key="unknown")
    clinic.only("management key", "does not accept the key")
    _secret(clinic, "governor/openrouter-management-key", key=MANAGEMENT_KEY)
    clinic.only("management key", "expected a JSON object with the field 'api_key'")
    _secret(clinic, "governor/openrouter-management-key", api_key=MANAGEMENT_KEY)
    text = (clinic.folder / "policy.yaml").read_text()
    (clinic.folder / "policy.yaml").write_text(text.replace("workspace: platform-production", "workspace: platfrom"))
    found = clinic.finds()
    assert set(found) == {"management key", "policy"}
    assert "does not see the workspace platfrom" in found["management key"][0].what
    (clinic.folder / "policy.yaml").write_text(text)

    world.slack.api.scopes.remove("users:read")
    clinic.only("Slack app", "lacks the scope users:read")
    world.slack.api.scopes.append("users:read")
    world.slack.fault("conversations.history", "refused", error="not_in_channel")
    clinic.only("Slack channels", f"cannot read the channel {CHANNEL}: not_in_channel")

    token = "xoxb-" + "fake-token"
    _secret(clinic, "governor/slack-signing", signing_secret=token)
    found = clinic.finds()
    assert set(found) == {"request URL"}
    assert "is a token or a key" in found["request URL"][0].what
    _secret(clinic, "governor/slack-signing", signing_secret="fake-signing-secret")

    schedules = engine.client("scheduler")
    name = engine.physical("SpendMeterFunctionEveryMinute")
    held = schedules.get_schedule(Name=name)
    kept = {one: held[one] for one in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    schedules.update_schedule(**kept, State="DISABLED")
    clinic.only("schedules", f"The schedule {name} is DISABLED")
    schedules.update_schedule(**kept, State="ENABLED")

    queue = engine.physical("KillSwitchDeadLetters")
    engine.client("sqs").send_message(QueueUrl=queue, MessageBody="lost")
    clinic.only("dead letters", "1 messages lie in KillSwitchDeadLetters")
    engine.client("sqs").purge_queue(QueueUrl=queue)

    alarms, name = engine.client("cloudwatch"), engine.physical("PeopleUnknown")
    alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="planted")
    clinic.only("alarms", f"The alarm {name} is raised", "Who may use Governor in Slack")
    alarms.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="mended")

    functions, name = engine.client("lambda"), engine.physical("KillSwitchFunction")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    clinic.only("functions", f"The function {name} has a reserved concurrency of 0, not none")
    functions.delete_function_concurrency(FunctionName=name)

    text = (clinic.folder / "policy.yaml").read_text()
    (clinic.folder / "policy.yaml").write_text(text.replace("tier: 1", "tier: 2"))
    clinic.only("policy", "differs from the one in the folder in: workloads")
    (clinic.folder / "policy.yaml").write_text(text)

    for one in engine.client("sns").list_subscriptions()["Subscriptions"]:
        engine.client("sns").unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    clinic.only("mail", "Nobody hears the alarms")


def test_a_reading_that_grew_old_and_a_clock_that_is_off_are_found(clinic: Clinic) -> None:
    clinic.ahead = timedelta(minutes=4)
    found = clinic.finds()
    assert {"sweep", "clock"} <= set(found)
    assert "spend is not metered" in found["sweep"][0].what
    assert "differs from AWS's by" in found["clock"][0].what


def test_a_check_that_may_not_look_is_unknown_and_not_good(clinic: Clinic) -> None:
    engine = clinic.world.engine
    clients = {one: engine.client_of("visitor", [], one) for one in ("secretsmanager", "sqs", "cloudwatch")}
    clinic.client = lambda service: clients.get(service) or engine.client(service)
    found = clinic.finds()
    assert set(found) == {
        "management key", "Slack app", "Slack channels", "request URL", "dead letters", "alarms",
    }  # fmt: skip
    assert {one.state for some in found.values() for one in some} == {"unknown"}
    assert "may" in found["alarms"][0].fix


def test_no_secret_is_shown(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    _secret(clinic, "governor/slack", bot_token="xoxb-" + "wrong")
    shown = repr(clinic.finds()) + capsys.readouterr().out
    assert "Slack refuses the token in governor/slack: invalid_auth" in shown
    assert "xoxb" not in shown
    assert MANAGEMENT_KEY not in shown
