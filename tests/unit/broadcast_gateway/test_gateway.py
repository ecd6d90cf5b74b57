"""Who is let in, what it costs to refuse the others, and what is put on the stream."""

import base64
import gzip
import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from broadcast_gateway import handler
from broadcast_gateway.decide import MAX_BODY, MAX_INFLATED, Refused, admit
from governor.broadcast.header_token import HeaderToken, TokenUnavailable
from governor.broadcast.messages import Pushed
from tests.unit.broadcast_gateway.otlp import NOW, TOKEN, attribute, event, request

SECRET, STREAM = "governor/broadcast", "pushed"


class Account:
    """AWS with the secret and the stream, as the gateway finds them."""

    def __init__(self) -> None:
        self.secrets = boto3.client("secretsmanager", region_name="us-east-1")
        self.kinesis = boto3.client("kinesis", region_name="us-east-1")
        self.secrets.create_secret(Name=SECRET, SecretString=json.dumps({"token": TOKEN}))
        self.kinesis.create_stream(StreamName=STREAM, ShardCount=1)

    def records(self) -> list[Pushed]:
        (shard,) = self.kinesis.describe_stream(StreamName=STREAM)["StreamDescription"]["Shards"]
        start = self.kinesis.get_shard_iterator(
            StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [Pushed.decode(one["Data"]) for one in self.kinesis.get_records(ShardIterator=start)["Records"]]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake",
        "BROADCAST_SECRET": SECRET, "STREAM_NAME": STREAM,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with mock_aws():
        handler.build.cache_clear()
        yield Account()
        handler.build.cache_clear()


def answer(given: dict[str, Any]) -> int:
    status: int = handler.lambda_handler(given, None)["statusCode"]
    return status


def test_a_genuine_delivery_is_put_on_the_stream(account: Account) -> None:
    assert answer(event(request())) == 200
    assert account.records() == [Pushed.of("gen-1", "prod-search-agent", 0.25, NOW)]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_packed_delivery_is_unpacked(account: Account, method: str) -> None:
    packed = base64.b64encode(gzip.compress(json.dumps(request()).encode())).decode()
    given = event(packed, method=method, headers={"content-encoding": "gzip"}, isBase64Encoded=True)
    assert answer(given) == 200
    assert len(account.records()) == 1


def test_a_token_that_does_not_fit_is_refused_before_anything_is_looked_into(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr("broadcast_gateway.service.unpacked", opened.append)
    for token in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ünïcode" * 8, "x" * 5_000):
        assert answer(event("{", token=token or None)) == 401
    assert opened == []
    assert account.records() == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"method": "GET"}, 405),
        ({"rawPath": "/v1/traces"}, 404),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-encoding": "br"}}, 415),
        ({"body": "x" * (MAX_BODY + 1)}, 413),
        ({"body": {"not": "text"}}, 413),
    ],
)
def test_what_openrouter_does_not_send_costs_no_call(changes: dict[str, Any], status: int) -> None:
    given = event("{}") | changes if "method" not in changes else event("{}", **changes)
    if "headers" in changes:
        given = event("{}", **changes)
    with pytest.raises(Refused) as refused:
        admit(given)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"x" * (MAX_INFLATED + 1)), 413),
        (gzip.compress(b" " * 30_000_000), 413),
        (gzip.compress(b"{}")[:-4], 400),
        (gzip.compress(b"{}") + b"more", 400),
        (b"not packed", 400),
    ],
    ids=["a byte too long", "a bomb", "cut off", "with more behind it", "not packed"],
)
def test_a_packed_body_never_becomes_more_than_its_bound(account: Account, body: bytes, status: int) -> None:
    given = event(base64.b64encode(body).decode(), headers={"content-encoding": "gzip"}, isBase64Encoded=True)
    assert answer(given) == status
    assert account.records() == []


def test_a_body_that_is_no_base64_is_refused(account: Account) -> None:
    assert answer(event("%%%", isBase64Encoded=True)) == 400


def test_a_connection_test_needs_the_token_and_is_answered_with_200(account: Account) -> None:
    assert answer(event("", headers={"x-test-connection": "true"})) == 200
    assert answer(event({"resourceSpans": []})) == 200
    assert answer(event("", token=None, headers={"x-test-connection": "true"})) == 401
    assert account.records() == []


def test_a_delivery_with_a_prompt_is_taken_and_nothing_of_it_is_kept(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    body = request()
    root = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    root["attributes"].append(attribute("span.input", "a secret question"))
    assert answer(event(body)) == 200
    assert account.records() == [Pushed(content=True)]
    assert "secret question" not in caplog.text


def test_no_line_of_the_log_holds_a_header_or_a_body(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    for given in (event("{"), event("[]"), event("secret-body", token="secret-token" * 4), event(request(usd=-1.0))):
        answer(given)
    assert "secret" not in caplog.text
    assert TOKEN not in caplog.text


def test_a_stream_that_takes_nothing_is_answered_with_500(account: Account) -> None:
    account.kinesis.delete_stream(StreamName=STREAM)
    assert answer(event(request())) == 500


def test_a_token_is_rotated_without_a_delivery_refused(account: Account) -> None:
    assert answer(event(request())) == 200
    new = "fake-new-broadcast-token-" + "y" * 20
    secret = json.dumps({"token": new, "former": TOKEN})
    account.secrets.put_secret_value(SecretId=SECRET, SecretString=secret)
    clock = [0.0]
    token = HeaderToken(account.secrets, SECRET, lambda: clock[0])
    assert token.fits(TOKEN)
    assert token.fits(new)
    account.secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps({"token": new}))
    clock[0] = 301
    assert token.fits(new)
    assert not token.fits(TOKEN)


def test_forged_tokens_cost_one_read_of_the_secret_a_minute(account: Account) -> None:
    reads: list[str] = []

    class Counting:
        def get_secret_value(self, SecretId: str, VersionStage: str) -> Any:
            reads.append(SecretId)
            return account.secrets.get_secret_value(SecretId=SecretId, VersionStage=VersionStage)

    clock = [0.0]
    client: Any = Counting()
    token = HeaderToken(client, SECRET, lambda: clock[0])
    for second in range(120):
        clock[0] = float(second)
        assert not any(token.fits(f"forged-{second}-{n}") for n in range(10))
    assert len(reads) == 2


@pytest.mark.parametrize("text", ["", "{}", '{"token": 1}', '{"token": "short"}', '["x"]', "[" * 100_000])
def test_a_secret_of_the_wrong_shape_lets_nobody_in_and_is_not_told(account: Account, text: str) -> None:
    account.secrets.put_secret_value(SecretId=SECRET, SecretString=text or " ")
    token = HeaderToken(account.secrets, SECRET, lambda: 0.0)
    with pytest.raises(TokenUnavailable) as error:
        token.fits("")
    assert "short" not in str(error.value)


def test_while_the_secret_cannot_be_read_the_token_that_is_held_is_used(account: Account) -> None:
    clock = [0.0]
    token = HeaderToken(account.secrets, SECRET, lambda: clock[0])
    assert token.fits(TOKEN)
    account.secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    clock[0] = 1_000.0
    assert token.fits(TOKEN)
    assert not token.fits(TOKEN + "x")
