"""How rotation's worlds begin: a member's key in use, with a guardrail, an allowlist and a filter that name it."""

import json
from contextlib import AbstractContextManager
from typing import Any

import httpx

import credential_rotation.handler
import key_planning.handler
import key_retirement.handler
import key_rotation.handler
import kill_switch.handler
from tests.doubles.tables import create_tables
from tests.faults.clients import client
from tests.faults.harness import Wire
from tests.faults.key_rotation.world import (
    ALLOWED,
    CAP,
    DECISIONS,
    ENVIRONMENT,
    MANAGEMENT_KEY,
    MEMBER,
    PLACE,
    POLICY,
    QUEUE,
    SECRET,
    START,
    WORKLOAD,
    World,
)
from tests.faults.stage import Ground, Play, Stage, staged

_HANDLERS: tuple[Any, ...] = (
    key_rotation.handler,
    key_retirement.handler,
    key_planning.handler,
    credential_rotation.handler,
    kill_switch.handler,
)

type Worlds = Stage[World]


def worlds(wire: Wire, policy: dict[str, Any] = POLICY) -> AbstractContextManager[Worlds]:
    return staged(wire, Play(_HANDLERS, ENVIRONMENT, policy, MANAGEMENT_KEY, START, _opening, World))


def _opening(ground: Ground) -> dict[str, Any]:
    client("sqs").create_queue(QueueName=QUEUE)
    create_tables(client("dynamodb"), DECISIONS)
    simulator = ground.simulator
    place = simulator.organization.create_workspace("Platform production", PLACE)
    place.settings["is_observability_broadcast_enabled"] = True
    simulator.organization.members[MEMBER] = "org:member"
    key, plaintext = simulator.create_key(
        WORKLOAD, workspace=PLACE, limit=CAP, limit_reset="monthly", creator_user_id=MEMBER, external_user="tenant-7"
    )
    client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps({"api_key": plaintext}))
    opened: Any = ground.aws.secretsmanager.secrets[SECRET]
    opened.last_changed_date = int(START.timestamp())
    _point_at(key.hash, place.id, ground.transport)
    return {"first": key.hash, "plaintext": plaintext}


def _point_at(hash: str, workspace_id: str, transport: httpx.BaseTransport) -> None:
    """A guardrail with a budget, an allowlist and a filter that name the key; a guardrail of its member."""
    web = httpx.Client(
        transport=transport,
        base_url="https://openrouter.ai/api/v1",
        headers={"Authorization": f"Bearer {MANAGEMENT_KEY}"},
    )
    guardrail = web.post(
        "/guardrails",
        json={"name": "production", "workspace_id": workspace_id, "limit_usd": CAP, "reset_interval": "monthly"},
    ).raise_for_status().json()["data"]["id"]  # fmt: skip
    web.post(f"/guardrails/{guardrail}/assignments/keys", json={"key_hashes": [hash]}).raise_for_status()
    people = web.post(
        "/guardrails",
        json={
            "name": "people", "workspace_id": workspace_id, "limit_usd": 10 * CAP, "reset_interval": "monthly",
            "allowed_models": [ALLOWED],
        },
    ).raise_for_status().json()["data"]["id"]  # fmt: skip
    web.post(f"/guardrails/{people}/assignments/members", json={"member_user_ids": [MEMBER]}).raise_for_status()
    web.post(
        "/byok",
        json={
            "provider": "anthropic", "key": "fake-provider-key", "workspace_id": workspace_id,
            "allowed_api_key_hashes": [hash], "allowed_user_ids": [MEMBER],
        },
    ).raise_for_status()  # fmt: skip
    web.post(
        "/observability/destinations",
        json={
            "type": "webhook", "name": "cost", "workspace_id": workspace_id, "privacy_mode": True,
            "config": {"url": "https://example.com/hook", "method": "POST", "headers": {}},
            "api_key_hashes": [hash],
        },
    ).raise_for_status()  # fmt: skip
