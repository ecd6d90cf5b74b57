"""How failover's worlds begin: a workload's key, two prioritized credentials, and one that a person disabled."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3

import byok_failover.handler
from governor.aws import AWS
from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.resources import add_credential
from tests.faults.harness import Wire
from tests.faults.key_rotation.world import ENVIRONMENT, MANAGEMENT_KEY, PLACE, SECRET, START, WORKLOAD, World
from tests.faults.stage import REGION, Ground, Play, Session, Stage, client, staged

BUCKET, DECISIONS = "readings", "decisions"
_AWS = boto3.session.Session

type Worlds = Stage[World]


@contextmanager
def worlds(wire: Wire, policy: dict[str, Any]) -> Iterator[Worlds]:
    environment = {**ENVIRONMENT, "READING_BUCKET": BUCKET, "DECISIONS_TABLE_NAME": DECISIONS}
    play = Play((byok_failover.handler,), environment, policy, MANAGEMENT_KEY, START, _opening, World)
    with staged(wire, play) as stage:

        def wait(seconds: float) -> None:
            assert stage.world
            stage.world.later(seconds=seconds)

        with (
            mock.patch("byok_failover.handler.time", SimpleNamespace(sleep=wait)),
            mock.patch("boto3.session.Session", _Session),
        ):
            yield stage


class _Session(Session):
    """The stage's, but that S3 is asked under a name: moto lets nobody replace an object without one."""

    def client(self, service: str, **options: Any) -> Any:
        return _s3() if service == "s3" else super().client(service, **options)


@cache
def _s3() -> Any:
    return _AWS(region_name=REGION).client("s3", config=AWS)


def _opening(ground: Ground) -> dict[str, Any]:
    _s3().create_bucket(Bucket=BUCKET)
    client("dynamodb").create_table(
        TableName=DECISIONS,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    organization = ground.simulator.organization
    organization.create_workspace("Platform production", PLACE)
    key, plaintext = ground.simulator.create_key(WORKLOAD, workspace=PLACE)
    client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps({"api_key": plaintext}))
    for name, off in (("first", False), ("second", False), ("by hand", True)):
        made = CredentialCreation(
            provider="anthropic", key=f"fake-{name}-key", name=name, workspace_id=PLACE, disabled=off
        )
        add_credential(organization, made)
    return {"first": key.hash, "plaintext": plaintext}
