"""A role that is taken over: what its credentials reach, tried in the built stack against everything there is.

Each function's credentials try every event, row, secret, queue and prefix; what they reached must be what
`tests/ownership.py` and `governor.events.publishers` say is theirs, and no more. docs/security.md tells what that
means.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from botocore.exceptions import ClientError
from slack_sdk.signature import SignatureVerifier

from governor.events import SOURCE, DetailType
from governor.events.publishers import PUBLISHES, REDELIVERS
from governor.events.redelivery import REDACTED_SOURCE
from sandbox.engine import Engine
from sandbox.scenario.seconds import PARAMETERS
from sandbox.scenario.seconds import SECRETS as BROADCAST
from sandbox.scenario.world import SIGNING_SECRET, SLACK_TOKEN, open_world
from tests.ownership import DECISIONS, FUNCTIONS, LEDGER, OBJECT_READERS, OBJECT_WRITERS, SECRETS

REFUSALS = {"AccessDenied", "AccessDeniedException", "403", "AuthorizationError"}
SECRET_OF = {
    "ManagementKeySecretName": "governor/openrouter-management-key",
    "SlackSecretName": "governor/slack",
    "SlackSigningSecretName": "governor/slack-signing",
    "BroadcastSecretName": "governor/broadcast",
    "WebhookSecretName": "governor/webhook",
    "WorkloadSecretPrefix": "openrouter/prod/search-agent",
    "ProviderSecretPrefix": "providers/anthropic",
    "PresetSecretPrefix": "presets/staging",
}
UNRELATED = "somebody-else/database"
PARAMETER = "/openrouter/prod/search-agent"
QUEUES = {
    "SlackRequestQueue": {"slack_gateway"},
    "NoticeQueue": set[str](),
    "RotationQueue": {"key_planning"},
    "ApprovalDeskDeadLetters": {"slack_gateway", "approval_desk"},
    "WebhookQueue": set[str](),
}
SENDERS = ({"Effect": "Allow", "Action": ["events:PutEvents", "sqs:SendMessage"], "Resource": "*"},)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    webhook = {"WebhookSecretName": "governor/webhook", "WebhookUrl": "https://receiver.invalid/"}
    own = {**BROADCAST, "governor/webhook": json.dumps({"secret": "fake"})}
    with open_world(tmp_path_factory.mktemp("taken-over"), {**PARAMETERS, **webhook}, own_secrets=own) as world:
        secrets = world.engine.client("secretsmanager")
        for name in ("providers/anthropic", "presets/staging", UNRELATED):
            secrets.create_secret(Name=name, SecretString=json.dumps({"api_key": "fake"}))
        for prefix in OBJECT_WRITERS:
            world.engine.client("s3").put_object(Bucket=_bucket(world.engine), Key=f"{prefix}kept", Body=b"kept")
        world.engine.client("ssm").put_parameter(Name=PARAMETER, Value="fake", Type="SecureString")
        yield world.engine


def _client(engine: Engine, function: str, service: str) -> Any:
    return engine.client_as(function.title().replace("_", "") + "Function", service)


def _bucket(engine: Engine) -> str:
    return str(engine.outputs["ReadingBucket"])


def _reaches(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether the call was allowed; any error but a refusal is an error of the test."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in REFUSALS:
            return False
        raise
    return True


def _puts(engine: Engine, client: Any, *entries: tuple[str, str]) -> bool:
    detail = json.dumps({"subject": "prod-search-agent", "evidence": {}})
    bus = engine.outputs["EventBusName"]
    return _reaches(
        client.put_events,
        Entries=[
            {"EventBusName": bus, "Source": source, "DetailType": kind, "Detail": detail} for source, kind in entries
        ],
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_publishes_its_own_events_and_no_other(engine: Engine, function: str) -> None:
    client = _client(engine, function, "events")
    assert {kind for kind in DetailType if _puts(engine, client, (SOURCE, kind))} == PUBLISHES[function]
    # Nor can it pass for somebody outside, or hide a foreign event behind one of its own.
    assert not [kind for kind in DetailType if _puts(engine, client, ("operator", kind))]
    again = {kind for kind in DetailType if _puts(engine, client, (REDACTED_SOURCE, kind))}
    assert again == REDELIVERS.get(function, frozenset()), "requests put back without the credential in them"
    own = [(SOURCE, kind) for kind in PUBLISHES[function]]
    foreign = next((SOURCE, kind) for kind in DetailType if kind not in PUBLISHES[function])
    assert not _puts(engine, client, *own[:1], foreign)


def _key(pattern: str) -> str:
    return pattern.replace("*", "prod-search-agent")


def _row(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "taken-over"}}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_writes_its_own_rows_and_no_other(engine: Engine, function: str) -> None:
    client, table = _client(engine, function, "dynamodb"), engine.outputs["LedgerTable"]
    own = {pk for pk, owned in LEDGER.items() if function in owned.writers}
    assert {pk for pk in LEDGER if _reaches(client.put_item, TableName=table, Item=_row(_key(pk)))} == own
    removes = {"byok", "byok#told"} & own
    assert {pk for pk in LEDGER if _reaches(client.delete_item, TableName=table, Key=_row(_key(pk)))} == removes
    for foreign in set(LEDGER) - own:
        items = [{"Put": {"TableName": table, "Item": _row(_key(pk))}} for pk in (*sorted(own)[:1], foreign)]
        assert not _reaches(client.transact_write_items, TransactItems=items), foreign
    assert not _reaches(client.put_item, TableName=table, Item=_row("of-nobody"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_reads_the_rows_it_needs_and_no_other(engine: Engine, function: str) -> None:
    client, table = _client(engine, function, "dynamodb"), engine.outputs["LedgerTable"]

    def reads(pk: str) -> bool:
        by_key = _reaches(client.get_item, TableName=table, Key=_row(_key(pk)))
        values = {":pk": {"S": _key(pk)}}
        query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
        return _reaches(client.query, TableName=table, **query) or by_key

    assert {pk for pk in LEDGER if reads(pk)} == {pk for pk, owned in LEDGER.items() if function in owned.all_readers}
    assert not _reaches(client.scan, TableName=table)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_decides_nothing_unless_it_is_the_desk(engine: Engine, function: str) -> None:
    client, table = _client(engine, function, "dynamodb"), engine.outputs["DecisionsTable"]
    assert _reaches(client.put_item, TableName=table, Item=_row("decision")) == (function in DECISIONS.writers)
    values = {":pk": {"S": "decision"}}
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    read = _reaches(client.get_item, TableName=table, Key=_row("decision"))
    assert (_reaches(client.query, TableName=table, **query) or read) == (function in DECISIONS.all_readers)
    assert not _reaches(client.delete_item, TableName=table, Key=_row("decision"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_reads_its_own_secrets_and_no_other(engine: Engine, function: str) -> None:
    client = _client(engine, function, "secretsmanager")
    read = {name for name, id in SECRET_OF.items() if _reaches(client.get_secret_value, SecretId=id)}
    assert read == {name for name, owned in SECRETS.items() if function in owned.all_readers}
    assert not _reaches(client.get_secret_value, SecretId=UNRELATED)
    parameters = _client(engine, function, "ssm")
    assert _reaches(parameters.get_parameter, Name=PARAMETER) == (function == "key_retirement")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_writes_no_secret_unless_it_makes_keys(engine: Engine, function: str) -> None:
    client = _client(engine, function, "secretsmanager")
    writes = {
        name
        for name, id in SECRET_OF.items()
        if _reaches(client.put_secret_value, SecretId=id, SecretString="{}", VersionStages=["TAKEN_OVER"])
    }
    assert writes == {name for name, owned in SECRETS.items() if function in owned.writers}
    assert not [id for id in SECRET_OF.values() if _reaches(client.delete_secret, SecretId=id)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_sends_into_its_own_queues_and_no_other(engine: Engine, function: str) -> None:
    client = _client(engine, function, "sqs")
    for queue, senders in QUEUES.items():
        sent = _reaches(client.send_message, QueueUrl=engine.physical(queue), MessageBody="{}")
        assert sent == (function in senders), queue
    mailed = _reaches(_client(engine, function, "sns").publish, TopicArn=engine.outputs["AlertTopicArn"], Message="x")
    assert mailed == (function in ("notifier", "account_review"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_reaches_its_own_objects_and_no_other(engine: Engine, function: str) -> None:
    client, bucket = _client(engine, function, "s3"), _bucket(engine)
    for prefix in ("readings/", "pages/", "reviews/", "others/"):
        written = _reaches(client.put_object, Bucket=bucket, Key=f"{prefix}taken-over", Body=b"x")
        assert written == (function in OBJECT_WRITERS.get(prefix, ())), prefix
        read = _reaches(client.get_object, Bucket=bucket, Key=f"{prefix}kept")
        assert read == (function in OBJECT_READERS.get(prefix, ())), prefix
        assert not _reaches(client.delete_object, Bucket=bucket, Key=f"{prefix}kept"), prefix


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_runs_no_other_function_and_changes_no_role(engine: Engine, function: str) -> None:
    client = _client(engine, function, "lambda")
    name = engine.physical("KillSwitchFunction")
    assert not _reaches(client.invoke, FunctionName=name, Payload=b"{}", InvocationType="Event")
    assert not _reaches(client.update_function_configuration, FunctionName=name, Timeout=1)
    assert not _reaches(_client(engine, function, "iam").list_roles)
    assert not _reaches(_client(engine, function, "events").list_rules, EventBusName=engine.outputs["EventBusName"])


def test_anyone_with_put_events_sends_requests_and_nothing_in_our_name(engine: Engine) -> None:
    client = engine.client_of("anyone", SENDERS, "events")
    assert not [kind for kind in DetailType if _puts(engine, client, (SOURCE, kind))]
    assert not _puts(engine, client, ("operator", "Key Exposed"), (SOURCE, "Approval Granted"))
    for kind in ("Key Exposed", "Rotation Requested", "Approval Decided"):
        assert _puts(engine, client, ("operator", kind)), kind


def test_anyone_with_send_message_puts_nothing_into_the_queue_of_slacks_requests(engine: Engine) -> None:
    client = engine.client_of("anyone", SENDERS, "sqs")
    assert not _reaches(client.send_message, QueueUrl=engine.physical("SlackRequestQueue"), MessageBody="{}")


def _answered(engine: Engine, secret: str) -> int:
    """The HTTP status of a command in an approver's name, signed with `secret`."""
    form = {"command": "/governor", "text": "help", "team_id": "T0SANDBOX", "user_id": "U0LEAD"}
    place = {"channel_id": "C0GOVERNOR", "trigger_id": "1.2.fake", "response_url": "http://localhost:9/"}
    body, now = urlencode({**form, **place}), str(int(engine.now().timestamp()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": str(SignatureVerifier(secret).generate_signature(timestamp=now, body=body)),
    }
    return httpx.post(engine.outputs["SlackRequestUrl"], content=body, headers=headers, timeout=30).status_code


def test_a_leaked_bot_token_signs_no_click(engine: Engine) -> None:
    assert _answered(engine, SLACK_TOKEN) == 401
    assert _answered(engine, SIGNING_SECRET) == 200, "the same command, signed with what the gateway alone may read"
