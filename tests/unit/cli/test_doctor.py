"""Each check of `doctor`, with the faults that the sandbox cannot have; the built stack has the others
(tests/e2e/test_doctor.py).
"""

import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import yaml
from botocore.exceptions import ClientError

from cli import checks_aws, checks_far
from cli.checkup import Check, Finding, Patient, Stack, examine
from cli.doctor import CHECKS
from cli.output import Output
from cli.session import Outside, Session
from governor.policy import Policy
from management_api import Retry
from sandbox.openrouter import Simulator
from tests.contract.template.reading import ROOT
from tests.unit.cli.terminal import MANAGEMENT, NOW, InProcess

AT = datetime.fromtimestamp(NOW, UTC)
PARAMETERS = {
    "ManagementKeySecretName": "governor/key", "SlackSecretName": "governor/slack",
    "SlackSigningSecretName": "governor/signing", "SlackConcurrency": "20",
}  # fmt: skip
OUTPUTS = {
    "ReadingBucket": "readings", "AlertTopicArn": "arn:aws:sns:us-east-1:123456789012:alerts",
    "SlackRequestUrl": "https://gateway.example.com/",
}  # fmt: skip
RESOURCES = {
    "AWS::Lambda::Function": {"SpendMeterFunction": "meter", "SlackGatewayFunction": "gateway"},
    "AWS::CloudWatch::Alarm": {"One": "one", "Two": "two"},
    "AWS::SQS::Queue": {"NoticeQueue": "notices", "NotifierDeadLetters": "dead"},
    "AWS::Scheduler::Schedule": {"EveryMinute": "minute"},
}
POLICY: dict[str, Any] = {
    "version": 1, "alerts": {"channel": "C0ALERTS"}, "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"]},
}  # fmt: skip


class Aws:
    """Answers of every service by operation; a healthy stack's unless a test says otherwise."""

    def __init__(self, **answers: Any) -> None:
        quiet = {"StateValue": "OK", "ActionsEnabled": True}
        self.answers: dict[str, Any] = {
            "get_secret_value": lambda SecretId: {"SecretString": json.dumps(SECRETS[SecretId])},
            "describe_secret": {"LastChangedDate": AT - timedelta(days=3)},
            "get_schedule": {"State": "ENABLED"},
            "list_objects_v2": {"Contents": [{"LastModified": AT - timedelta(seconds=40)}]},
            "get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
            "describe_alarms": {"MetricAlarms": [{"AlarmName": "one", **quiet}, {"AlarmName": "two", **quiet}]},
            "get_function_configuration": {"State": "Active", "LastUpdateStatus": "Successful", "Layers": [LAYER]},
            "get_function_concurrency": lambda FunctionName: (
                {"ReservedConcurrentExecutions": 20} if FunctionName == "gateway" else {}
            ),
            "list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:x", "Endpoint": "a@b"}]},
            "get_caller_identity": {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(AT, usegmt=True)}}},
            "get_layer_version": {"Content": {"Location": "https://layers.example.com/policy.zip"}},
            **answers,
        }

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        answer = self.answers[operation]
        return answer if callable(answer) else lambda **_: answer


SECRETS = {
    "governor/key": {"api_key": MANAGEMENT}, "governor/slack": {"bot_token": "xoxb-" + "fake"},
    "governor/signing": {"signing_secret": "fake-signing"},
}  # fmt: skip
LAYER = {"Arn": "arn:aws:lambda:us-east-1:123456789012:layer:governor-policy:7"}
SCOPES = ",".join(yaml.safe_load((ROOT / "slack" / "manifest.yaml").read_text())["oauth_config"]["scopes"]["bot"])


def web(request: httpx.Request, **other: Any) -> httpx.Response:
    """Slack, the gateway and the layer's place, all well unless `other` says how one answers."""
    place = request.url.host + request.url.path
    if place in other:
        return httpx.Response(request=request, **other[place])
    if request.url.host == "gateway.example.com":
        forged = request.headers["x-slack-signature"].endswith("0" * 64)
        return httpx.Response(401 if forged else 200, request=request)
    if request.url.host == "layers.example.com":
        return httpx.Response(200, content=zipped(Policy.model_validate(POLICY)), request=request)
    return httpx.Response(200, json={"ok": True, "team": "Acme"}, headers={"X-OAuth-Scopes": SCOPES}, request=request)


def zipped(policy: Policy) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("python/governor_policy/__init__.py", "")
        text = policy.model_dump_json(by_alias=True, exclude_none=True)
        archive.writestr("python/governor_policy/policy.json", text)
    return content.getvalue()


def patient(
    answers: dict[str, Any] | None = None,
    places: dict[str, Any] | None = None,
    parameters: dict[str, str] | None = None,
    **policy: Any,
) -> Patient:
    simulator = Simulator(MANAGEMENT, clock=lambda: NOW)
    outside = Outside(
        transport=InProcess(simulator.app),
        now=lambda: AT,
        web=lambda request: web(request, **(places or {})),
        retry=Retry(sleep=lambda _: None),
    )
    aws = Aws(**(answers or {}))
    stack = Stack("governor", PARAMETERS | (parameters or {}), OUTPUTS, RESOURCES)
    held = Policy.model_validate(POLICY | {"account": {"base_url": "http://localhost:1/api/v1"}} | policy)
    return Patient(stack, held, Session(Output(), outside=outside), dict.fromkeys(checks_aws.CLIENTS, aws))


def test_a_healthy_stack_has_one_good_finding_for_each_check() -> None:
    well = patient(places={"layers.example.com/policy.zip": {
        "status_code": 200, "content": zipped(Policy.model_validate(POLICY | {
            "account": {"base_url": "http://localhost:1/api/v1"}
        })),
    }})  # fmt: skip
    found = examine(well, CHECKS)
    assert [(one.check, one.state) for one in found] == [(name, "ok") for name in CHECKS], found


QUIET = {"StateValue": "OK", "ActionsEnabled": True}
PENDING = {"SubscriptionArn": "PendingConfirmation", "Endpoint": "oncall@example.com"}
SLACK, GATEWAY = "slack.com/api/", "gateway.example.com/"


@pytest.mark.parametrize(
    ("check", "answers", "places", "said"),
    [
        (checks_aws.mail, {"list_subscriptions_by_topic": {"Subscriptions": [PENDING]}}, {},
         "oncall@example.com has not confirmed"),
        (checks_aws.alarms, {"describe_alarms": {"MetricAlarms": [{"AlarmName": "one", **QUIET}]}}, {}, "two is gone"),
        (checks_aws.alarms, {"describe_alarms": {"MetricAlarms": [
            {"AlarmName": "one", **QUIET}, {"AlarmName": "two", "StateValue": "OK", "ActionsEnabled": False}
        ]}}, {}, "two tells nobody"),
        (checks_aws.functions, {"get_function_configuration": {"State": "Failed", "StateReason": "No such role."}}, {},
         "cannot run. No such role."),
        (checks_aws.functions, {"get_function_concurrency": {}}, {}, "a reserved concurrency of none, not 20"),
        (checks_aws.sweep, {"list_objects_v2": {}}, {}, "There is no reading"),
        (checks_aws.policy, {"get_function_configuration": {"Layers": []}}, {}, "no layer with a policy"),
        (checks_aws.policy, {}, {}, "differs from the one in the folder in: account"),
        (checks_far.management_key, {"describe_secret": {"LastChangedDate": AT - timedelta(days=200)}}, {},
         "is 200 days old"),
        (checks_far.slack_app, {}, {f"{SLACK}auth.test": {"status_code": 200, "json": {"ok": False, "error": "x"}}},
         "Slack refuses the token in governor/slack: x"),
        (checks_far.request_url, {}, {GATEWAY: {"status_code": 500}}, "answers 500 to a signed request, not 200"),
        (checks_far.request_url, {}, {GATEWAY: {"status_code": 200}}, "answers 200 to a forged request, not 401"),
        (checks_far.request_url, {"get_secret_value": {"SecretString": "{}"}}, {}, "'signing_secret'"),
        (checks_far.slack_app, {"get_secret_value": {"SecretString": "xoxb"}}, {}, "'bot_token'"),
    ],
)  # fmt: skip
def test_a_fault_is_found_with_its_fix(check: Check, answers: Any, places: Any, said: str) -> None:
    found = check(patient(answers, places))
    assert [one.state for one in found] == ["problem"] * len(found)
    assert any(said in one.what for one in found), found
    assert all(one.fix for one in found)


def test_what_slack_does_not_say_is_unknown() -> None:
    (found,) = checks_far.slack_app(patient(places={f"{SLACK}auth.test": {"status_code": 200, "json": {"ok": True}}}))
    assert found.state == "unknown"


def test_a_stack_without_slack_needs_none_of_it() -> None:
    bare = patient(parameters={"SlackSecretName": ""})
    for check in (checks_far.slack_app, checks_far.slack_channels, checks_far.request_url):
        assert [one.state for one in check(bare)] == ["ok"]


def test_a_key_that_sees_one_workspace_is_said_to_be_perhaps_limited() -> None:
    (found,) = checks_far.management_key(patient())
    assert (found.state, "OpenRouter does not say whether there are others" in found.what) == ("ok", True)


def test_a_check_that_hangs_fails_or_is_refused_is_unknown_and_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.checkup.SECONDS", 0.3)
    hang = threading.Event()

    def hangs(_: Patient) -> list[Finding]:
        hang.wait()
        return []

    def refused(_: Patient) -> list[Finding]:
        error: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform sqs:X"}}
        raise ClientError(error, "X")

    def breaks(_: Patient) -> list[Finding]:
        raise KeyError("Contents")

    found = examine(patient(), {"hangs": hangs, "refused": refused, "breaks": breaks, "clock": checks_aws.clock})
    hang.set()
    assert [(one.check, one.state) for one in found] == [
        ("hangs", "unknown"), ("refused", "unknown"), ("breaks", "unknown"), ("clock", "ok"),
    ]  # fmt: skip
    assert "within 0.3 seconds" in found[0].what
    assert "sqs:X" in found[1].what
    assert "Ask somebody who may" in found[1].fix


def test_every_check_stands_in_the_document() -> None:
    text = (ROOT / "docs" / "cli.md").read_text().partition("## Is it well")[2]
    assert [name for name in CHECKS if f"| {name} |" not in text] == []
