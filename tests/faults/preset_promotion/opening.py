"""How promotion's worlds begin: one preset, the same in two workspaces, and the key of each in its secret."""

import json
from contextlib import AbstractContextManager
from typing import Any

from preset_promotion import handler
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Wire
from tests.faults.preset_promotion.world import (
    ENVIRONMENT,
    FORMER,
    FORMER_PROMPT,
    PRODUCTION,
    SCRIPTS,
    SECRETS,
    STAGING,
    START,
    World,
    policy,
)
from tests.faults.stage import Ground, Play, Stage, staged

type Worlds = Stage[World]


def worlds(wire: Wire, **changes: Any) -> AbstractContextManager[Worlds]:
    """`changes`: fields of the policy's one preset."""
    play = Play((handler,), ENVIRONMENT, policy(**changes), "sk-or-v1-fake-management-key", START, _opening, World)
    return staged(wire, play)


def _opening(ground: Ground) -> dict[str, Any]:
    create_tables(client("dynamodb"), "decisions")
    organization = ground.simulator.organization
    organization.scripts = list(SCRIPTS)
    for place, (secret, plaintext) in zip((STAGING, PRODUCTION), SECRETS.items(), strict=True):
        organization.create_workspace(place.replace("-", " ").title(), place)
        ground.simulator.create_key(f"presets-{place}", workspace=place, plaintext=plaintext)
        client("secretsmanager").create_secret(Name=secret, SecretString=json.dumps({"api_key": plaintext}))
        World(ground).save(place, FORMER_PROMPT, FORMER)
    return {}
