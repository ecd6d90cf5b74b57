"""What an AWS account asks of the template: names that fit, a first deployment that can be repeated, a public edge."""

import json
import re
import tomllib
from typing import Any

import cfnlint.api
import cfnlint.core
import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.contract.template.reading import ROOT, TEMPLATE
from tools.adopt import adoption

LONGEST_STACK_NAME = 40
"""What README says. It is AWS's 48 characters of an archive's name without `-archive`."""
LONGEST_REGION = "us-isof-south-1"
LIMITS = {
    ("AWS::DynamoDB::Table", "TableName"): 255,
    ("AWS::Events::EventBus", "Name"): 256,
    ("AWS::Events::Archive", "ArchiveName"): 48,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Lambda::LayerVersion", "LayerName"): 140,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::Scheduler::Schedule", "Name"): 64,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
}
"""Characters that AWS allows, each from its service's API reference. A resource without a name gets one from
CloudFormation, which cuts it to fit."""
PSEUDO = {"AWS::StackName": "s" * LONGEST_STACK_NAME, "AWS::AccountId": "1" * 12, "AWS::Region": LONGEST_REGION}
NAME = re.compile(r"^(Name|\w+Name)$")


def _text(value: Any) -> str | None:
    """A name as it is in a stack with the longest name, None where it is another resource's."""
    if isinstance(value, dict):
        value = value.get("Fn::Sub") or PSEUDO.get(str(value.get("Ref")))
    return value and re.sub(r"\$\{([\w:]+)\}", lambda match: PSEUDO[match[1]], value)


def test_with_the_longest_stack_name_every_name_is_one_that_aws_takes() -> None:
    checked = set()
    for logical_id, resource in TEMPLATE["Resources"].items():
        for field in filter(NAME.match, resource.get("Properties", {})):
            name = _text(resource["Properties"][field])
            if (resource["Type"], field) not in LIMITS:
                assert name is None or "s" * LONGEST_STACK_NAME not in name, f"{logical_id}.{field}: what is its limit?"
                continue
            assert name is not None, f"{logical_id}.{field}"
            limit = LIMITS[resource["Type"], field]
            assert len(name) <= limit, f"{logical_id}.{field} has {len(name)} characters, AWS takes {limit}: {name}"
            checked.add(resource["Type"])
    assert {"AWS::Lambda::Function", "AWS::Scheduler::Schedule", "AWS::Events::Archive"} <= checked


def test_readme_and_samconfig_know_the_longest_stack_name() -> None:
    assert f"at most {LONGEST_STACK_NAME} characters" in " ".join((ROOT / "README.md").read_text().split())
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    names = [config[stage]["deploy"]["parameters"]["stack_name"] for stage in ("dev", "prod")]
    assert all(len(name) <= LONGEST_STACK_NAME for name in names)


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket"])
def test_what_is_stored_outlives_the_stack_but_not_a_first_deployment_that_failed(kind: str) -> None:
    """A table that a failed first deployment left behind has the next one's name, which then fails as well."""
    kept = [one for one in TEMPLATE["Resources"].values() if one["Type"] == kind]
    assert kept
    for resource in kept:
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_no_table_is_deleted_by_one_call_unless_a_first_deployment_asked_for_it() -> None:
    tables = [one["Properties"] for one in TEMPLATE["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]
    assert [table["DeletionProtectionEnabled"] for table in tables] == [{"Ref": "ProtectTables"}] * len(tables)
    assert TEMPLATE["Parameters"]["ProtectTables"]["Default"] == "true"


def test_production_is_deployed_from_ci_without_a_question() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for stage in ("dev", "prod"):
        parameters = config[stage]["deploy"]["parameters"]
        assert parameters["confirm_changeset"] is False
        assert parameters["fail_on_empty_changeset"] is False


def _alarms_of(function: str) -> dict[str, dict[str, Any]]:
    alarms = [one["Properties"] for one in TEMPLATE["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    dimension = {"Name": "FunctionName", "Value": {"Ref": function}}
    return {str(alarm["MetricName"]): alarm for alarm in alarms if dimension in alarm.get("Dimensions", ())}


def test_a_flood_at_broadcasts_edge_is_told() -> None:
    alarms = _alarms_of("BroadcastGatewayFunction")
    assert set(alarms) == {"Url5xxCount", "Throttles", "Url4xxCount"}
    assert alarms["Url4xxCount"]["Threshold"] == 100


def test_a_flood_at_the_public_edge_is_told() -> None:
    alarms = _alarms_of("SlackGatewayFunction")
    assert set(alarms) == {"Url5xxCount", "Throttles", "Url4xxCount"}
    # What Slack sends is lost from the first throttle on: it repeats no command and no click.
    assert (alarms["Throttles"]["Threshold"], alarms["Throttles"]["Statistic"]) == (1, "Sum")
    # 50 requests a second, the flood that was tried, are 15,000 in five minutes.
    assert 300 * 50 > alarms["Url4xxCount"]["Threshold"] > 10


def test_no_concurrency_is_reserved_where_the_parameter_is_zero() -> None:
    """Zero reserved would mean that the function never runs."""
    gateway = TEMPLATE["Resources"]["SlackGatewayFunction"]["Properties"]
    condition, given, otherwise = gateway["ReservedConcurrentExecutions"]["Fn::If"]
    assert (given, otherwise) == ({"Ref": "SlackConcurrency"}, {"Ref": "AWS::NoValue"})
    assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SlackConcurrency"}, 0]}]}
    parameter = TEMPLATE["Parameters"]["SlackConcurrency"]
    assert parameter["MinValue"] == 0
    assert parameter["Default"] >= 20


PREFIXES = ("WorkloadSecretPrefix", "ProviderSecretPrefix", "PresetSecretPrefix")
NAMES = [name for name in TEMPLATE["Parameters"] if name.endswith("SecretName")]


@pytest.mark.parametrize("prefix", ["", "/", "openrouter", "a/b/", "governor/", "governor-eu/", "*/"])
def test_a_prefix_that_could_hold_another_or_governors_own_secrets_is_refused(prefix: str) -> None:
    for name in PREFIXES:
        assert not re.fullmatch(TEMPLATE["Parameters"][name]["AllowedPattern"], prefix), name


@pytest.mark.parametrize("secret", ["openrouter/management", "providers/governor", "slack"])
def test_governors_own_secrets_lie_under_no_prefix(secret: str) -> None:
    assert len(NAMES) >= 2
    for name in NAMES:
        assert not re.fullmatch(TEMPLATE["Parameters"][name]["AllowedPattern"], secret), name


def test_the_defaults_and_a_second_stacks_names_are_taken() -> None:
    document = yaml_parse((ROOT / "template.yaml").read_text())
    for name in (*PREFIXES, *NAMES):
        pattern, default = (document["Parameters"][name][key] for key in ("AllowedPattern", "Default"))
        assert re.fullmatch(pattern, default), name
        second = "openrouter-eu/" if name in PREFIXES else "governor-eu/slack"
        assert re.fullmatch(pattern, second), name


# CloudFormation takes one value out of these for a connection; no role reads them, so that they may be one secret.
NO_FUNCTION_READS = {"PagerDutySecretName", "TeamsSecretName", "WebhookSecretName"}


@pytest.mark.parametrize(
    "group", [PREFIXES, [one for one in NAMES if one not in NO_FUNCTION_READS]], ids=["prefixes", "own"]
)
def test_no_two_secrets_or_prefixes_may_be_the_same(group: list[str]) -> None:
    """A prefix is one folder, so one holds another only where they are equal; that a rule can tell."""
    assertions = [assertion for rule in TEMPLATE["Rules"].values() for assertion in rule["Assertions"]]
    # Two that are both empty by default may be: each switches off what would read it.
    asserted = [one["Assert"].get("Fn::Or", [None, one["Assert"]])[1] for one in assertions]
    refused = [one["Fn::Not"][0]["Fn::Equals"] for one in asserted if "Fn::Not" in one]
    pairs = {frozenset(one["Ref"] for one in pair) for pair in refused}
    assert {frozenset({a, b}) for a in group for b in group if a != b} <= pairs
    assert all(assertion["AssertDescription"] for assertion in assertions)


def test_what_an_uninstall_left_is_adopted_as_the_template_declares_it() -> None:
    """CloudFormation imports what has a deletion policy; the deployment after it then has nothing to change."""
    document = yaml_parse((ROOT / "template.yaml").read_text())
    template, resources = adoption(document, "governor", "governor-readingbucket-1a2b")
    assert {one["LogicalResourceId"]: one["ResourceIdentifier"] for one in resources} == {
        "Ledger": {"TableName": "governor-ledger"},
        "Decisions": {"TableName": "governor-decisions"},
        "ReadingBucket": {"BucketName": "governor-readingbucket-1a2b"},
    }
    for name, resource in template["Resources"].items():
        assert resource == document["Resources"][name]
        assert resource["DeletionPolicy"]
    assert set(template["Parameters"]) == {"ProtectTables"}
    assert set(template) == {"AWSTemplateFormatVersion", "Parameters", "Resources"}, "an import takes no outputs"
    matches = cfnlint.api.lint(json.dumps(template), cfnlint.core.get_rules([], [], []), ["us-east-1"])
    assert matches == []
