"""Every error code that AWS's own service models list for the calls that Governor makes has a known end.

botocore carries those models. Each adapter is called with a client that answers each code of its operation. A code is
either translated (the exception stands here), or it passes through and is left to the retries of Lambda, Scheduler or
SQS; then `LEFT` says why that is right.
"""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import getLogger
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.stub import Stubber
from pydantic import SecretStr

from governor.account.pace import AccountPace
from governor.broadcast.messages import Pushed, Tip
from governor.broadcast.meter_tips import MeterTips
from governor.broadcast.stream import PushedStream
from governor.events import DetailType, Event, EventBus
from governor.ledger import Delete, LedgerConflict, Put
from governor.ledger.dynamodb import DynamoLedger
from governor.secrets import SecretsManager, SecretUnavailable
from governor.secrets.copies import AwsSecretCopies
from governor.secrets.provider_secrets import SecretsManagerTexts
from governor.secrets.secrets_manager_versions import SecretsManagerVersions
from governor.secrets.versions import RotationUnfinished, SecretMissing, VersionTaken, WorkloadSecret
from governor.slack.signature import SigningSecretUnavailable, SlackSignature
from governor.storage.pages import S3Pages
from governor.storage.readings import ReadingConflict
from governor.storage.s3_readings import S3ReadingStore
from governor.topic import AlertTopic
from governor.work_queue import WorkQueue

ROOT = Path(__file__).resolve().parents[3]
SESSION = get_session()
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = WorkloadSecret(SecretStr("sk-or-v1-fake"), "h", "n")
PUSHED = Pushed("a" * 64, "b" * 64, 0.1, 1)
EVENT = Event(DetailType.KEY_DISABLED, "id", "a", NOW, "it burned", {})

NOTHING = type(None)
"""The call answers as if the thing is not there."""

UNMODELLED = ("AccessDeniedException", "ThrottlingException", "ServiceUnavailable", "ExpiredTokenException")
"""Codes that AWS lists for every service (its "common errors") and in no service's model."""

CONFIGURATION = "The deployment is at fault, and a person mends it: the dead letter and the Errors alarm tell of it."
BUSY = "The service is busy or failed. boto3 has tried twice; the invocation is repeated later."
NEVER = "Governor sends nothing that can cause it. If it happens, it is a defect, and the Errors alarm tells of it."

LEFT: Mapping[str, str] = {
    **dict.fromkeys(("AccessDeniedException", "ExpiredTokenException", "AuthorizationError"), CONFIGURATION),
    **dict.fromkeys(
        (
            "InternalError", "InternalException", "InternalServerError", "KMSThrottling", "KmsThrottled",
            "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "ServiceUnavailable",
            "ThrottlingException", "TransactionInProgressException",
        ),
        BUSY,
    ),
    # The table, bucket, queue or topic is gone, or its KMS key is disabled or refused.
    **dict.fromkeys(
        (
            "InvalidAddress", "InvalidSecurity", "KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound",
            "KMSOptInRequired", "KmsAccessDenied", "KmsDisabled", "KmsInvalidKeyUsage", "KmsInvalidState",
            "KmsNotFound", "KmsOptInRequired", "NotFound", "QueueDoesNotExist", "ResourceNotFoundException",
        ),
        CONFIGURATION,
    ),
    # Archived objects, appended objects, uploads in parts, customer keys, local indexes, mobile push, batches of our
    # own making with ids that we number, and a token that boto3 makes anew for each transaction.
    **dict.fromkeys(
        (
            "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "EncryptionTypeMismatch",
            "EndpointDisabled",
            "IdempotentParameterMismatchException", "InvalidBatchEntryId", "InvalidObjectState", "InvalidParameter",
            "InvalidRequest", "InvalidWriteOffset", "ItemCollectionSizeLimitExceededException",
            "ParameterValueInvalid", "PlatformApplicationDisabled", "TooManyEntriesInBatchRequest", "TooManyParts",
            "UnsupportedOperation", "ValidationException",
        ),
        NEVER,
    ),
    # Of the stream and of the invocation of the meter, both of Broadcast: a delivery or a tip that fails comes again.
    **dict.fromkeys(
        (
            "EC2ThrottledException", "EC2UnexpectedException", "EFSIOException", "ENINotReadyException",
            "InternalFailureException", "KMSThrottlingException", "ResourceConflictException",
            "ResourceNotReadyException", "ServiceException", "SnapStartNotReadyException",
            "SnapStartRegenerationFailureException", "SnapStartTimeoutException", "TooManyRequestsException",
        ),
        BUSY,
    ),
    **dict.fromkeys(
        (
            "CodeArtifactUserDeletedException", "CodeArtifactUserFailedException",
            "CodeArtifactUserPendingException", "EC2AccessDeniedException", "EFSMountConnectivityException",
            "EFSMountFailureException", "EFSMountTimeoutException", "ENILimitReachedException",
            "InvalidSecurityGroupIDException", "InvalidSubnetIDException", "InvalidZipFileException",
            "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException",
            "S3FilesMountConnectivityException", "S3FilesMountFailureException", "S3FilesMountTimeoutException",
            "ServiceQuotaExceededException", "SnapStartException", "SubnetIPAddressLimitReachedException",
        ),
        CONFIGURATION,
    ),
    **dict.fromkeys(
        (
            "DryRunOperationException", "DurableExecutionAlreadyStartedException", "InvalidArgumentException",
            "InvalidParameterValueException", "InvalidRequestContentException", "InvalidRuntimeException",
            "ModeNotSupportedException", "NoPublishedVersionException", "RecursiveInvocationException",
            "RequestTooLargeException", "SerializedRequestEntityTooLargeException", "UnsupportedMediaTypeException",
        ),
        NEVER,
    ),
    "TransactionCanceledException": "Without reasons that speak of a conflict, a row is throttled or too large.",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One use of an operation. `codes`: what a code becomes; any other becomes `other`, or passes through (None)."""

    service: str
    operation: str
    call: Callable[[Any], Any]
    codes: Mapping[str, type] = field(default_factory=dict)
    other: type | None = None

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}"


def _ledger(client: Any) -> DynamoLedger:
    return DynamoLedger(client, "ledger")


def _copies(client: Any) -> AwsSecretCopies:
    return AwsSecretCopies(client, client, lambda region: client)


CONFLICTS: Mapping[str, type] = {
    "ConditionalCheckFailedException": LedgerConflict,
    "TransactionConflictException": LedgerConflict,
    "ReplicatedWriteConflictException": LedgerConflict,
}
MISSING: Mapping[str, type] = {"ResourceNotFoundException": SecretMissing}
ABSENT: Mapping[str, type] = {"ResourceNotFoundException": NOTHING, "ParameterNotFound": NOTHING}

CASES = [
    Case("dynamodb", "GetItem", lambda c: _ledger(c).get("p", "s")),
    Case("dynamodb", "Query", lambda c: _ledger(c).rows("p")),
    Case("dynamodb", "PutItem", lambda c: _ledger(c).commit(Put("p", "s", {})), CONFLICTS),
    Case("dynamodb", "DeleteItem", lambda c: _ledger(c).commit(Delete("p", "s", 1)), CONFLICTS),
    Case("dynamodb", "UpdateItem", lambda c: AccountPace(c, "t", 20.0, getLogger("pace")).slow(1.0), {}, NOTHING),
    Case("dynamodb", "TransactWriteItems", lambda c: _ledger(c).commit(Put("p", "s", {}), Put("p", "t", {}))),
    Case("s3", "GetObject", lambda c: S3ReadingStore(c, "b").get(), {"NoSuchKey": NOTHING}),
    Case(
        "s3", "PutObject", lambda c: S3ReadingStore(c, "b").put(b"", '"tag"'),
        dict.fromkeys(("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"), ReadingConflict),
    ),
    Case("s3", "PutObject", lambda c: S3Pages(c, "b").put("page.md", "text")),
    Case(
        "secretsmanager", "DescribeSecret", lambda c: SecretsManagerVersions(c).describe("s"), MISSING,
        SecretUnavailable,
    ),
    Case("secretsmanager", "DescribeSecret", lambda c: SecretsManagerTexts(c).current("s"), MISSING, SecretUnavailable),
    Case(
        "secretsmanager", "DescribeSecret", lambda c: _copies(c).current_in("s", "eu-west-1"), ABSENT,
        SecretUnavailable,
    ),
    Case(
        "secretsmanager", "GetSecretValue", lambda c: SecretsManagerVersions(c).put_at("s"), MISSING,
        SecretUnavailable,
    ),
    Case(
        "secretsmanager", "GetSecretValue", lambda c: SecretsManagerTexts(c).text("s", "t" * 32), ABSENT,
        SecretUnavailable,
    ),
    Case("secretsmanager", "GetSecretValue", lambda c: SecretsManager(c).field("s", "f"), {}, SecretUnavailable),
    Case(
        "secretsmanager", "GetSecretValue", lambda c: SlackSignature(c, "s", lambda: 0.0).is_valid(b"", "1", "v0="),
        {}, SigningSecretUnavailable,
    ),
    Case(
        "secretsmanager", "CreateSecret", lambda c: SecretsManagerVersions(c).create("s", SECRET),
        {"ResourceExistsException": NOTHING}, SecretUnavailable,
    ),
    Case(
        "secretsmanager", "PutSecretValue", lambda c: SecretsManagerVersions(c).put_pending("s", "t" * 32, SECRET),
        {"ResourceExistsException": VersionTaken}, SecretUnavailable,
    ),
    Case(
        "secretsmanager", "UpdateSecretVersionStage",
        lambda c: SecretsManagerVersions(c).move("s", "AWSCURRENT", to="t" * 32, off=None), MISSING, SecretUnavailable,
    ),
    Case(
        "secretsmanager", "RotateSecret", lambda c: SecretsManagerVersions(c).rotate("s", "t" * 32, "arn", 60),
        {**MISSING, "InvalidRequestException": RotationUnfinished}, SecretUnavailable,
    ),
    Case(
        "secretsmanager", "ReplicateSecretToRegions", lambda c: _copies(c).replicate("s", "eu-west-1"), ABSENT,
        SecretUnavailable,
    ),
    Case("ssm", "GetParameter", lambda c: _copies(c).parameter("/p"), ABSENT, SecretUnavailable),
    Case("ssm", "PutParameter", lambda c: _copies(c).put_parameter("/p", SECRET), {}, SecretUnavailable),
    Case("events", "PutEvents", lambda c: EventBus(c, "bus").publish([EVENT])),
    Case("kinesis", "PutRecord", lambda c: PushedStream(c, "stream").put([PUSHED])),
    Case("kinesis", "PutRecords", lambda c: PushedStream(c, "stream").put([PUSHED, PUSHED])),
    Case("lambda", "Invoke", lambda c: MeterTips(c, "meter").tip(Tip(("a" * 64,)))),
    Case("sqs", "SendMessageBatch", lambda c: WorkQueue(c, "url").send(["{}"])),
    Case("sqs", "ChangeMessageVisibility", lambda c: WorkQueue(c, "url").back_after("r", 20) or None, {}, NOTHING),
    Case("sns", "Publish", lambda c: AlertTopic(c, "arn:aws:sns:us-east-1:123456789012:t").send("subject", "body")),
]  # fmt: skip

STATUS = {"PreconditionFailed": 412, "ConditionalRequestConflict": 409, "NoSuchKey": 404}


def _listed(case: Case) -> set[str]:
    """The codes of the operation in AWS's model, those common to all services, and those that this test names."""
    model = SESSION.get_service_model(case.service).operation_model(case.operation)
    modelled = {str(shape.metadata.get("error", {}).get("code", shape.name)) for shape in model.error_shapes}
    return modelled | set(UNMODELLED) | (set(case.codes) if case.service == "s3" else set())


PAIRS = [(case, code) for case in CASES for code in sorted(_listed(case))]


@pytest.mark.parametrize(("case", "code"), PAIRS, ids=[f"{case}-{code}" for case, code in PAIRS])
def test_every_error_code_that_aws_lists_has_a_known_end(case: Case, code: str) -> None:
    client: Any = boto3.client(case.service, region_name="us-east-1")  # type: ignore[call-overload]  # by name
    with Stubber(client) as stubber:
        stubber.add_client_error(xform_name(case.operation), code, "refused", STATUS.get(code, 400))
        if case.operation == "RotateSecret" and code == "InvalidRequestException":
            # Another version is pending: the code then means a rotation that is unfinished.
            described = {"ARN": "a" * 20, "Name": "s", "VersionIdsToStages": {"u" * 32: ["AWSPENDING"]}}
            stubber.add_response("describe_secret", described)
        expected = case.codes.get(code, case.other)
        if expected is NOTHING:
            assert case.call(client) is None
        elif expected is not None:
            with pytest.raises(expected):
                case.call(client)
        else:
            with pytest.raises(ClientError):
                case.call(client)
            assert code in LEFT, f"{case}: say what {code} becomes, or why it may pass through"


def test_no_reason_is_left_over_for_a_code_that_nothing_answers() -> None:
    passing = {code for case, code in PAIRS if code not in case.codes and case.other is None}
    assert set(LEFT) == passing


@pytest.mark.parametrize("reason", ["TransactionConflict", "ConditionalCheckFailed"])
def test_a_transaction_that_another_stands_in_the_way_of_is_a_conflict(reason: str) -> None:
    client = boto3.client("dynamodb", region_name="us-east-1")
    with Stubber(client) as stubber:
        reasons = {"CancellationReasons": [{"Code": "None"}, {"Code": reason}]}
        stubber.add_client_error(
            "transact_write_items", "TransactionCanceledException", modeled_fields=reasons, expected_params=None
        )
        with pytest.raises(LedgerConflict):
            DynamoLedger(client, "ledger").commit(Put("p", "s", {}), Put("p", "t", {}))


def _calls() -> set[tuple[str, str]]:
    """Every operation of AWS that a module calls: a method whose name is an operation of a service it has a type of."""
    found = set()
    for path in [*ROOT.glob("layers/*/src/**/*.py"), *ROOT.glob("functions/*/*/*.py")]:
        text = path.read_text()
        calls = [one.func for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Call)]
        called = {one.attr for one in calls if isinstance(one, ast.Attribute)}
        called |= set(re.findall(r'get_paginator\("(\w+)"\)', text))
        for service in set(re.findall(r"mypy_boto3_(\w+)", text)):
            operations = SESSION.get_service_model(service).operation_names
            found |= {(service, name) for name in operations if xform_name(name) in called}
    return found


def test_no_call_of_aws_is_without_a_case() -> None:
    # Powertools reads a secret for `SecretsManager`; its cases are among those of GetSecretValue.
    assert _calls() == {(case.service, case.operation) for case in CASES}


def test_only_modules_that_say_whose_client_they_hold_call_aws() -> None:
    """So that the test above sees every call: a boto3 client is typed where it is kept, and handlers call none."""
    for path in ROOT.glob("functions/*/*/*.py"):
        assert not re.search(r'\.client\("\w+"[^)]*\)\.', path.read_text()), path
