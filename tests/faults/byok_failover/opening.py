"""How failover's worlds begin: a workload's key, two prioritized credentials, and one that a person disabled."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import byok_failover.handler
from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.resources import add_credential
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Wire
from tests.faults.key_rotation.world import ENVIRONMENT, MANAGEMENT_KEY, PLACE, SECRET, START, WORKLOAD, World
from tests.faults.stage import Ground, Play, Stage, staged

BUCKET, DECISIONS = "readings", "decisions"

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
        ):
            yield stage


def _opening(ground: Ground) -> dict[str, Any]:
    client("s3").create_bucket(Bucket=BUCKET)
    create_tables(client("dynamodb"), DECISIONS)
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
