"""The thin AWS adapters against moto: what they send is what a reader gets."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from governor.clock import utc_now
from governor.events import DetailType, Event, EventBus, PublishFailed, event_id
from governor.secrets import SecretMalformed, SecretsManager
from redaction import REDACTED
from tests.credentials import PASTED, core


def _event(number: int) -> Event:
    identity = event_id(DetailType.KEY_DISABLED, "a", number)
    return Event(DetailType.KEY_DISABLED, identity, "a", utc_now(), "it burned", {"number": number})


@mock_aws
def test_every_event_reaches_the_bus_in_batches_of_ten() -> None:
    events, queues = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="governor")
    url = queues.create_queue(QueueName="heard")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="governor", EventPattern='{"source": ["governor"]}')
    events.put_targets(Rule="all", EventBusName="governor", Targets=[{"Id": "heard", "Arn": arn}])

    EventBus(events, "governor").publish([_event(number) for number in range(23)])

    heard = set()
    while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            heard.add(json.loads(message["Body"])["detail"]["evidence"]["number"])
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert heard == set(range(23))


def test_an_event_the_bus_did_not_take_is_an_error() -> None:
    class Refusing:
        def put_events(self, **_: object) -> dict[str, object]:
            return {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]}

    with pytest.raises(PublishFailed, match=r"1 events refused by bus governor: .*ThrottlingException"):
        EventBus(Refusing(), "governor").publish([_event(1), _event(2)])  # type: ignore[arg-type]  # a bus that refuses


class Weighing:
    """EventBridge's limit: a request's entries may weigh 256 KB together, or none of them is taken."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, object]:  # boto3's name
        weight = sum(14 + sum(len(entry[part]) for part in ("Source", "DetailType", "Detail")) for entry in Entries)
        assert weight <= 262_144
        self.taken += [json.loads(entry["Detail"]) for entry in Entries]
        return {"FailedEntryCount": 0}


def test_heavy_events_go_in_requests_that_the_bus_takes() -> None:
    bus, events = Weighing(), [replace(_event(number), evidence={"text": "x" * 60_000}) for number in range(9)]
    EventBus(bus, "governor").publish(events)  # type: ignore[arg-type]  # a bus that weighs
    assert [taken["id"] for taken in bus.taken] == [event.id for event in events]


def test_the_bus_is_given_no_credential_whoever_published_it() -> None:
    key = PASTED["openrouter"]
    bus: Any = Weighing()
    pasted = replace(_event(1), reason=f"rotated {key}", evidence={"keys": [{"name": key}], key: 1})
    EventBus(bus, "governor").publish([pasted])
    (taken,) = bus.taken
    assert core(key) not in json.dumps(taken)
    assert taken["reason"] == f"rotated {REDACTED}"
    assert taken["evidence"]["keys"] == [{"name": REDACTED}]


@mock_aws
def test_a_replaced_secret_is_seen_when_asked_for_fresh() -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="governor/key", SecretString='{"api_key": "sk-or-v1-fake-one"}')
    secrets = SecretsManager(client)
    assert secrets.field("governor/key", "api_key").get_secret_value() == "sk-or-v1-fake-one"
    client.put_secret_value(SecretId="governor/key", SecretString='{"api_key": "sk-or-v1-fake-two"}')
    assert secrets.field("governor/key", "api_key").get_secret_value() == "sk-or-v1-fake-one"
    assert secrets.field("governor/key", "api_key", fresh=True).get_secret_value() == "sk-or-v1-fake-two"


@mock_aws
def test_a_secret_that_is_not_json_is_named() -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="governor/key", SecretString="sk-or-v1-fake-bare")
    with pytest.raises(SecretMalformed, match="secret governor/key"):
        SecretsManager(client).field("governor/key", "api_key")
