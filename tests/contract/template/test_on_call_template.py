"""What pages people: nothing of it without its parameter, with the least right, with a grave, and with no free text."""

import re
from typing import Any

import pytest

from sandbox.engine.errors import DeploymentFailed
from sandbox.engine.template import load
from sandbox.on_call import Receiver
from tests.contract.template.reading import RESOURCES, ROOT, TEMPLATE, names

CONDITIONS = {"PagerDuty": "HasPagerDuty", "Teams": "HasTeams", "Webhook": "HasWebhook", "OnCall": "HasOnCall"}
ON_CALL = {name: one for name, one in RESOURCES.items() if name.startswith(tuple(CONDITIONS))}
RULES = {
    name: one["Properties"]
    for name, one in ON_CALL.items()
    if one["Type"] == "AWS::Events::Rule" and name != "WebhookRule"
}
DESTINATIONS = {name for name, one in ON_CALL.items() if one["Type"] == "AWS::Events::ApiDestination"}
# What EventBridge may put into a template unescaped, and why no quote can be in it.
QUOTELESS = {
    "$.detail-type": "one of governor.events.DetailType",
    "$.detail.id": "hexadecimal, made by event_id",
    "$.detail.occurred_at": "made by format_instant",
    "$.detail.evidence.started_at": "a time",
    "$.detail.evidence.cause": "one of governor.keys.causes.Cause",
    "$.detail.evidence.scope": "a workspace's id, or a word of the meter's own",
    "$.detail.subject": "only where Governor found it: SUBJECTS_OF_OUR_OWN",
}
SUBJECTS_OF_OUR_OWN = {
    "Runaway Confirmed", "Runaway Expected", "Runaway Ended", "Key Disabled", "Key Restored", "Monitor Blind",
    "Monitor Recovered", "Credits Leak Suspected", "Credits Leak Ended",
}  # fmt: skip
FOUND_BEFORE_THE_RULE = {"alert_mode", "tier_zero", "once_a_day", "account_leash", "unconfirmed"}
"""The kill switch's rules that are asked after the key was found; `decide.py` has their order."""


def test_each_part_stands_under_its_parameters_condition() -> None:
    for name, resource in ON_CALL.items():
        (condition,) = [found for start, found in CONDITIONS.items() if name.startswith(start)]
        assert resource.get("Condition") == condition, name
    kinds = {one["Type"] for one in ON_CALL.values()}
    assert {"AWS::Events::Connection", "AWS::SQS::Queue", "AWS::IAM::Role", "AWS::CloudWatch::Alarm"} <= kinds
    assert "WebhookSenderFunction" in ON_CALL
    outside = {one["Type"] for name, one in RESOURCES.items() if name not in ON_CALL}
    assert not {"AWS::Events::Connection", "AWS::Events::ApiDestination"} & outside


def test_by_default_nobody_is_on_call() -> None:
    _, values = load(ROOT / "template.yaml", {})
    assert {values[f"{name}SecretName"] for name in ("PagerDuty", "Teams", "Webhook")} == {""}
    for name in ("PagerDuty", "Teams", "Webhook"):
        assert TEMPLATE["Conditions"][f"Has{name}"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": f"{name}SecretName"}, ""]}]}


@pytest.mark.parametrize("missing", ["TeamsUrl", "TeamsSecretName", "WebhookUrl", "WebhookSecretName"])
def test_a_secret_without_its_address_or_the_reverse_is_refused_before_anything_is_made(missing: str) -> None:
    given = {name: value for name, value in Receiver().parameters.items() if not name.endswith("Url")}
    given |= {f"{name}Url": "https://receiver.example/path" for name in ("PagerDuty", "Teams", "Webhook")}
    load(ROOT / "template.yaml", given)
    del given[missing]
    with pytest.raises(DeploymentFailed, match="belong together"):
        load(ROOT / "template.yaml", given)


@pytest.mark.parametrize("url", ["http://receiver.example/", "ftp://x/", "https://a b/", ""])
def test_an_address_without_tls_is_refused(url: str) -> None:
    for name in ("PagerDutyUrl", "TeamsUrl", "WebhookUrl"):
        assert not re.fullmatch(TEMPLATE["Parameters"][name]["AllowedPattern"], url), name


@pytest.mark.parametrize("destination", sorted(DESTINATIONS))
def test_its_role_calls_one_destination_and_does_nothing_else(destination: str) -> None:
    role = RESOURCES[f"{destination}Role"]["Properties"]
    ((statement,),) = [one["PolicyDocument"]["Statement"] for one in role["Policies"]]
    assert statement == {
        "Effect": "Allow",
        "Action": "events:InvokeApiDestination",
        "Resource": {"Fn::GetAtt": [destination, "Arn"]},
    }
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_hears_governor_alone_and_buries_what_nobody_took(rule: str) -> None:
    assert RULES[rule]["EventPattern"]["source"] == ["governor"]
    assert names(RULES[rule]["EventBusName"]) == {"Bus"}
    (target,) = RULES[rule]["Targets"]
    (destination,) = names(target["Arn"])
    assert destination in DESTINATIONS
    assert names(target["RoleArn"]) == {f"{destination}Role"}
    assert names(target["DeadLetterConfig"]) == {"OnCallDeadLetters"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}


def test_only_what_has_no_quote_in_it_is_taken_out_of_an_event() -> None:
    for name, rule in RULES.items():
        for transformer in [target.get("InputTransformer", {}) for target in rule["Targets"]]:
            paths = set(transformer.get("InputPathsMap", {}).values())
            assert paths <= set(QUOTELESS), name
            if "$.detail.subject" in paths:
                _subjects_are_ours(name, rule["EventPattern"])


def _subjects_are_ours(name: str, pattern: dict[str, Any]) -> None:
    for choice in pattern.get("$or", [pattern]):
        if choice["detail-type"] == ["Disable Withheld"]:
            assert set(choice["detail"]["evidence"]["rule"]) <= FOUND_BEFORE_THE_RULE, name
        else:
            assert set(choice["detail-type"]) <= SUBJECTS_OF_OUR_OWN, name


def test_a_credential_is_a_reference_in_a_connection_and_nowhere_else() -> None:
    text = str(RESOURCES)
    assert text.count("{{resolve:secretsmanager:") == len(DESTINATIONS) == 2
    for name in DESTINATIONS:
        given = RESOURCES[f"{name}Connection"]["Properties"]["AuthParameters"]
        assert f"{{{{resolve:secretsmanager:${{{name}SecretName}}:SecretString:" in str(given)
        for place in given.get("InvocationHttpParameters", {}).values():
            assert all(one["IsValueSecret"] is True for one in place)


def test_no_function_may_read_a_secret_of_those_on_call_but_the_one_that_signs() -> None:
    roles = {name: str(one) for name, one in RESOURCES.items() if one["Type"] == "AWS::IAM::Role"}
    assert {name for name, one in roles.items() if re.search(r"(PagerDuty|Teams)SecretName", one)} == set()
    assert {name for name, one in roles.items() if "WebhookSecretName" in one} == {"WebhookSenderRole"}


def test_who_signs_may_log_read_one_secret_and_take_from_its_queue_and_nothing_else() -> None:
    (policy,) = RESOURCES["WebhookSenderRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert [(one["Effect"], one["Action"], names(one["Resource"])) for one in statements] == [
        ("Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], {"WebhookSenderLogs"}),
        ("Allow", "secretsmanager:GetSecretValue", set()),
        (
            "Allow",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            {"WebhookQueue"},
        ),
    ]
    assert "${WebhookSecretName}-??????" in str(statements[1]["Resource"])


def test_the_webhook_gets_every_event_of_governors_and_tries_for_an_hour() -> None:
    rule, queue = RESOURCES["WebhookRule"]["Properties"], RESOURCES["WebhookQueue"]["Properties"]
    assert rule["EventPattern"] == {"source": ["governor"]}
    assert names(rule["EventBusName"]) == {"Bus"}
    (target,) = rule["Targets"]
    assert (names(target["Arn"]), names(target["DeadLetterConfig"])) == ({"WebhookQueue"}, {"WebhookDeadLetters"})
    assert "InputTransformer" not in target, "what is signed is the event as it is on the bus"
    assert names(queue["RedrivePolicy"]["deadLetterTargetArn"]) == {"WebhookDeadLetters"}
    assert queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"] == 3600
    (mapping,) = [
        one["Properties"]
        for name, one in ON_CALL.items()
        if name.startswith("Webhook") and one["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})


@pytest.mark.parametrize("other", ["ManagementKey", "Slack", "SlackSigning", "Broadcast"])
def test_the_webhooks_secret_is_no_other_of_governors(other: str) -> None:
    given = {
        "WebhookSecretName": "governor/one", "WebhookUrl": "https://receiver.example/", "SlackSecretName": "governor/s",
        "BroadcastSecretName": "governor/b",
    }  # fmt: skip
    load(ROOT / "template.yaml", given)
    with pytest.raises(DeploymentFailed, match=f"{other}SecretName and WebhookSecretName are the same"):
        load(ROOT / "template.yaml", {**given, f"{other}SecretName": "governor/one"})


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://receiver.example/hooks?tenant=a&b=%20", True),
        ("https://receiver.example:8443/", True),
        ("https://user:password@receiver.example/", False),
        ("https://receiver.example/#part", False),
        ("https://receiver.example", False),
        ("https://receiver.example/a\nb", False),
        ("HTTPS://receiver.example/", False),
    ],
)
def test_the_webhooks_address_is_https_with_a_path_and_nothing_odd(url: str, allowed: bool) -> None:
    assert bool(re.fullmatch(TEMPLATE["Parameters"]["WebhookUrl"]["AllowedPattern"], url)) == allowed
