"""What must hold of the template whatever is added to it, asserted on the transformed resources."""

import re
from typing import Any

import pytest

from governor.keys.limit_claim import HELD_FOR
from tests.contract.template.reading import ROOT, TEMPLATE, source
from tests.contract.template.reading import names as _names

Resource = tuple[str, dict[str, Any]]


def _of_type(kind: str) -> list[Resource]:
    return [(name, one["Properties"]) for name, one in TEMPLATE["Resources"].items() if one["Type"] == kind]


FUNCTIONS = _of_type("AWS::Lambda::Function")


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    found = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in found]


def test_the_template_declares_the_functions_that_the_folders_hold() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()}
    handlers = {properties["Handler"] for _, properties in FUNCTIONS}
    assert handlers == {f"{name}.handler.lambda_handler" for name in folders}


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_every_function_has_a_role_of_its_own(name: str, function: dict[str, Any]) -> None:
    (role,) = _names(function["Role"])
    others = [other for other, properties in FUNCTIONS if other != name and role in _names(properties["Role"])]
    assert others == []
    assert "ManagedPolicyArns" not in TEMPLATE["Resources"][role]["Properties"]


@pytest.mark.parametrize(("name", "role"), _of_type("AWS::IAM::Role"))
def test_no_role_may_do_everything_or_touch_everything(name: str, role: dict[str, Any]) -> None:
    for statement in _statements(role):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert not [action for action in actions if "*" in action]
        assert "*" not in resources


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_every_function_writes_to_a_log_group_with_retention(name: str, function: dict[str, Any]) -> None:
    (group,) = _names(function["LoggingConfig"]["LogGroup"])
    assert "RetentionInDays" in TEMPLATE["Resources"][group]["Properties"]


def test_every_asynchronous_path_ends_in_a_dead_letter_queue() -> None:
    for name, rule in _of_type("AWS::Events::Rule"):
        for target in rule["Targets"]:
            assert "DeadLetterConfig" in target, name
            assert "RetryPolicy" in target, name
    for name, schedule in _of_type("AWS::Scheduler::Schedule"):
        assert "DeadLetterConfig" in schedule["Target"], name
    mapped = {one for _, mapping in _of_type("AWS::Lambda::EventSourceMapping") for one in _names(mapping)}
    configured = {one for _, config in _of_type("AWS::Lambda::EventInvokeConfig") for one in _names(config)}
    for name, _ in FUNCTIONS:
        assert name in configured | mapped, f"{name}: a failed asynchronous invocation would be dropped"
    for name, config in _of_type("AWS::Lambda::EventInvokeConfig"):
        assert config["DestinationConfig"]["OnFailure"]["Destination"], name
    for name, mapping in _of_type("AWS::Lambda::EventSourceMapping"):
        (source,) = _names(mapping["EventSourceArn"])
        if TEMPLATE["Resources"][source]["Type"] == "AWS::Kinesis::Stream":
            assert mapping["DestinationConfig"]["OnFailure"]["Destination"], name
            assert mapping["MaximumRetryAttempts"] >= 0, f"{name}: a batch that always fails would stop its shard"
        else:
            assert "RedrivePolicy" in TEMPLATE["Resources"][source]["Properties"], name
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def _dead_letter_queues() -> set[str]:
    places = [target.get("DeadLetterConfig") for _, rule in _of_type("AWS::Events::Rule") for target in rule["Targets"]]
    places += [one["Target"].get("DeadLetterConfig") for _, one in _of_type("AWS::Scheduler::Schedule")]
    places += [one["DestinationConfig"] for _, one in _of_type("AWS::Lambda::EventInvokeConfig")]
    places += [
        one["DestinationConfig"] for _, one in _of_type("AWS::Lambda::EventSourceMapping") if "DestinationConfig" in one
    ]
    places += [queue["RedrivePolicy"] for _, queue in _of_type("AWS::SQS::Queue") if "RedrivePolicy" in queue]
    return {name for place in places for name in _names(place)}


def test_every_dead_letter_queue_has_an_alarm_and_keeps_for_fourteen_days() -> None:
    watched = {name for _, alarm in _of_type("AWS::CloudWatch::Alarm") for name in _names(alarm.get("Dimensions"))}
    assert _dead_letter_queues() <= watched
    for name in _dead_letter_queues():
        assert TEMPLATE["Resources"][name]["Properties"]["MessageRetentionPeriod"] == 1209600


def test_every_function_has_an_alarm_on_its_errors() -> None:
    watched = {name for _, alarm in _of_type("AWS::CloudWatch::Alarm") for name in _names(alarm.get("Dimensions"))}
    assert {name for name, _ in FUNCTIONS} <= watched


def test_the_alarms_on_our_own_metrics_look_where_the_functions_put_them() -> None:
    spaces = [one["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] for _, one in FUNCTIONS]
    looked = [one["Namespace"] for _, one in _of_type("AWS::CloudWatch::Alarm") if "Namespace" in one]
    looked += [
        metric["MetricStat"]["Metric"]["Namespace"]
        for _, one in _of_type("AWS::CloudWatch::Alarm")
        for metric in one.get("Metrics", ())
        if "MetricStat" in metric
    ]
    own = [one for one in looked if "AWS/" not in str(one)]
    assert own
    assert all(space == spaces[0] for space in (*spaces, *own))


def test_every_alarm_tells_somebody_and_names_what_to_do() -> None:
    headings = {
        line.lstrip("# ").strip()
        for line in (ROOT / "docs" / "operations.md").read_text().splitlines()
        if line.startswith("#")
    }
    for name, alarm in _of_type("AWS::CloudWatch::Alarm"):
        assert _names(alarm["AlarmActions"]) == {"AlertTopic"}, name
        (chapter,) = re.findall(r'docs/operations\.md, "(.+)"', alarm["AlarmDescription"])
        assert chapter in headings, name


def test_what_is_stored_is_encrypted_and_outlives_the_stack() -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        for name, _ in _of_type(kind):
            assert TEMPLATE["Resources"][name]["DeletionPolicy"].startswith("Retain")
    for _, table in _of_type("AWS::DynamoDB::Table"):
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    for _, bucket in _of_type("AWS::S3::Bucket"):
        assert bucket["BucketEncryption"]
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert "VersioningConfiguration" not in bucket, "a version a minute, of megabytes each"
    for _, queue in _of_type("AWS::SQS::Queue"):
        assert queue["SqsManagedSseEnabled"] is True
    for _, stream in _of_type("AWS::Kinesis::Stream"):
        assert stream["StreamEncryption"]["EncryptionType"] == "KMS"


def test_every_parameter_is_described_and_bounded() -> None:
    for name, parameter in source()["Parameters"].items():
        assert parameter["Description"], name
        assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter), name


def test_two_stacks_can_stand_in_one_account() -> None:
    named = {"FunctionName", "TableName", "BucketName", "LogGroupName", "DashboardName", "LayerName", "ArchiveName"}
    for name, resource in TEMPLATE["Resources"].items():
        for field in named & set(resource.get("Properties", {})):
            value = resource["Properties"][field]
            refers = isinstance(value, dict) and value.get("Ref") in TEMPLATE["Resources"]
            assert refers or "AWS::StackName" in str(value), f"{name}.{field}"
    for _, schedule in _of_type("AWS::Scheduler::Schedule"):
        assert "AWS::StackName" in str(schedule["Name"])


def test_a_queue_outlasts_its_functions_retries() -> None:
    """AWS: a source queue's visibility timeout should be at least six times the function's timeout."""
    for _, mapping in _of_type("AWS::Lambda::EventSourceMapping"):
        (queue,), (function,) = _names(mapping["EventSourceArn"]), _names(mapping["FunctionName"])
        if TEMPLATE["Resources"][queue]["Type"] != "AWS::SQS::Queue":
            continue
        visibility = TEMPLATE["Resources"][queue]["Properties"]["VisibilityTimeout"]
        assert visibility >= 6 * TEMPLATE["Resources"][function]["Properties"]["Timeout"]


def _allowed(action: str) -> set[str]:
    """The roles that may do this, and to what: `role:resource`."""
    return {
        f"{name}:{resource}"
        for name, role in _of_type("AWS::IAM::Role")
        for statement in _statements(role)
        if action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
        for resource in _names(statement["Resource"])
    }


def test_only_the_approval_desk_may_write_what_people_decided() -> None:
    writing = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "PartiQLInsert")
    writers = {one for action in writing for one in _allowed(f"dynamodb:{action}") if one.endswith(":Decisions")}
    assert writers == {"ApprovalDeskRole:Decisions"}
    assert "KillSwitchRole:Decisions" in _allowed("dynamodb:GetItem"), "who acts reads it"
    assert not [one for one in _allowed("dynamodb:DeleteItem") if one.endswith(":Decisions")], "nobody deletes any"


def test_the_public_edge_may_log_read_one_secret_and_send_and_nothing_else() -> None:
    statements = _statements(TEMPLATE["Resources"]["SlackGatewayRole"]["Properties"])
    assert [(one["Action"], _names(one["Resource"])) for one in statements] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], {"SlackGatewayLogs"}),
        ("secretsmanager:GetSecretValue", set()),
        ("sqs:SendMessage", {"SlackRequestQueue", "HomeQueue"}),
        ("sqs:SendMessage", {"ApprovalDeskDeadLetters"}),
    ]
    assert "${SlackSigningSecretName}-??????" in str(statements[1]["Resource"])


def test_two_functions_are_public_and_only_so_many_of_each_run_at_once() -> None:
    public = {"SlackGatewayFunction": "SlackConcurrency", "BroadcastGatewayFunction": "BroadcastConcurrency"}
    urls = [(_names(url["TargetFunctionArn"]), url["AuthType"]) for _, url in _of_type("AWS::Lambda::Url")]
    assert sorted(urls, key=str) == sorted([({name}, "NONE") for name in public], key=str)
    anybody = [one for _, one in _of_type("AWS::Lambda::Permission") if one["Principal"] == "*"]
    assert {name for one in anybody for name in _names(one["FunctionName"])} == set(public)
    for name, parameter in public.items():
        gateway = TEMPLATE["Resources"][name]
        assert _names(gateway["Properties"]["ReservedConcurrentExecutions"]) == {parameter}


def test_the_edge_of_broadcast_may_log_read_one_secret_and_put_and_nothing_else() -> None:
    statements = _statements(TEMPLATE["Resources"]["BroadcastGatewayRole"]["Properties"])
    assert [(one["Action"], _names(one["Resource"])) for one in statements] == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], {"BroadcastGatewayLogs"}),
        ("secretsmanager:GetSecretValue", set()),
        (["kinesis:PutRecord", "kinesis:PutRecords"], {"BroadcastStream"}),
        ("sqs:SendMessage", {"BroadcastTallyDeadLetters"}),
    ]
    assert "${BroadcastSecretName}-??????" in str(statements[1]["Resource"])


def test_money_that_is_spent_while_nothing_is_pushed_is_told() -> None:
    alarm = TEMPLATE["Resources"]["BroadcastSilent"]["Properties"]
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    compared = {one["Id"]: one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one}
    assert all(re.search(rf"\b{id}\b", expression) for id in compared)
    assert compared["spent"]["MetricName"] == "SpendUSD", "as spend_meter puts it (telemetry.py)"
    assert compared["spent"]["Dimensions"] == [{"Name": "service", "Value": "spend_meter"}]
    assert _names(compared["pushed"]["Dimensions"]) == {"BroadcastGatewayFunction"}
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 4


def test_without_broadcast_nothing_of_it_is_there() -> None:
    ours = {name for name in TEMPLATE["Resources"] if name.startswith("Broadcast")}
    assert len(ours) >= 15
    assert {name for name in ours if TEMPLATE["Resources"][name].get("Condition") != "HasBroadcast"} == set()
    assert TEMPLATE["Parameters"]["BroadcastSecretName"]["Default"] == ""
    assert TEMPLATE["Outputs"]["BroadcastUrl"]["Condition"] == "HasBroadcast"


def test_only_the_tally_may_ask_the_meter_for_a_reading_and_only_the_gateway_may_put_on_the_stream() -> None:
    assert _allowed("lambda:InvokeFunction") & {
        f"{role}:SpendMeterFunction" for role, _ in _of_type("AWS::IAM::Role")
    } == {"BroadcastTallyRole:SpendMeterFunction", "SchedulerRole:SpendMeterFunction"}
    for action in ("kinesis:PutRecord", "kinesis:PutRecords"):
        assert _allowed(action) == {"BroadcastGatewayRole:BroadcastStream"}


def test_without_slack_nothing_is_public() -> None:
    conditional = {name for name, one in TEMPLATE["Resources"].items() if one.get("Condition") == "HasSlack"}
    edge = {name for name in TEMPLATE["Resources"] if name.startswith("SlackGateway")}
    assert edge <= conditional
    assert TEMPLATE["Outputs"]["SlackRequestUrl"]["Condition"] == "HasSlack"


def _policies_of(kind: str, names: str) -> dict[str, list[dict[str, Any]]]:
    """The statements of each queue's or topic's policy, of which it can have one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _, policy in _of_type(kind):
        for one in _names(policy[names]):
            assert one not in found, f"{one} has two policies; the later one would replace the earlier"
            found[one] = policy["PolicyDocument"]["Statement"]
    return found


def test_every_queue_and_topic_refuses_what_is_not_tls() -> None:
    refusal = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    places = [("Queue", "SQS", "Queues", "sqs:*"), ("Topic", "SNS", "Topics", "sns:Publish")]
    for kind, service, names, action in places:
        policies = _policies_of(f"AWS::{service}::{kind}Policy", names)
        for name, _ in _of_type(f"AWS::{service}::{kind}"):
            (found,) = [one for one in policies[name] if one["Sid"] == "TlsOnly"]
            assert name in _names(found["Resource"]), name
            assert found["Action"] == action
            assert {key: found[key] for key in refusal} == refusal


def test_only_the_gateways_role_may_send_to_the_queue_of_slacks_requests() -> None:
    statements = _policies_of("AWS::SQS::QueuePolicy", "Queues")["SlackRequestQueue"]
    (others,) = [one for one in statements if one["Sid"] != "TlsOnly"]
    assert (others["Effect"], others["Principal"], others["Action"]) == ("Deny", "*", "sqs:SendMessage")
    assert _names(others["Resource"]) == {"SlackRequestQueue"}
    condition, with_slack, without = others["Condition"]["Fn::If"]
    assert (condition, without) == ("HasSlack", {"Ref": "AWS::NoValue"})
    assert with_slack == {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["SlackGatewayRole", "Arn"]}}}


def test_only_the_notifiers_role_may_send_to_the_queue_of_pictures() -> None:
    statements = _policies_of("AWS::SQS::QueuePolicy", "Queues")["PictureQueue"]
    (others,) = [one for one in statements if one["Sid"] != "TlsOnly"]
    assert (others["Effect"], others["Principal"], others["Action"]) == ("Deny", "*", "sqs:SendMessage")
    assert _names(others["Resource"]) == {"PictureQueue"}
    assert others["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["NotifierRole", "Arn"]}}}


def test_the_bucket_and_all_that_is_in_it_refuse_what_is_not_tls() -> None:
    ((_, policy),) = _of_type("AWS::S3::BucketPolicy")
    (refusal,) = policy["PolicyDocument"]["Statement"]
    assert (refusal["Effect"], refusal["Principal"], refusal["Action"]) == ("Deny", "*", "s3:*")
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert refusal["Resource"] == [
        {"Fn::GetAtt": ["ReadingBucket", "Arn"]},
        {"Fn::Sub": "${ReadingBucket.Arn}/*"},
    ]


@pytest.mark.parametrize("function", ["KeyRotationFunction", "KeyRetirementFunction"])
def test_a_claim_on_limits_outlives_every_function_that_sets_them(function: str) -> None:
    """A process that is still running with a PATCH ahead of it must find nobody else at the limits."""
    seconds = TEMPLATE["Resources"][function]["Properties"]["Timeout"]
    assert HELD_FOR.total_seconds() >= seconds + 30
