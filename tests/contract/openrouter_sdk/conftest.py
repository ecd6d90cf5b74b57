"""A served simulator with one of everything, and the vendor's SDK pointed at it twice: management and inference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from openrouter import OpenRouter

from sandbox.openrouter import Simulator
from sandbox.openrouter.bodies import CredentialCreation, DestinationCreation
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.destinations import Destination
from sandbox.openrouter.guardrails import Guardrail
from sandbox.openrouter.keys import Key
from sandbox.openrouter.resources import add_credential, add_destination
from sandbox.openrouter.server import serve
from sandbox.openrouter.workspaces import Workspace

MANAGEMENT = "sk-or-v1-fake-management"
NOW = 1_795_000_000.0
"""2026-11-18 11:06:40 UTC."""


@dataclass(frozen=True)
class Account:
    """`admin` calls with the management key, `caller` with the plaintext of `key`."""

    simulator: Simulator
    admin: OpenRouter
    caller: OpenRouter
    key: Key
    plaintext: str
    workspace: Workspace
    guardrail: Guardrail
    credential: Credential
    destination: Destination


class Stage:
    """Serves whichever simulator is on it: a server of their own would cost each case a third of a second."""

    simulator: Simulator

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.simulator.app(scope, receive, send)


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with serve(stage, 0) as port:
        yield stage, f"http://localhost:{port}/api/v1"


@pytest.fixture
def account(stage: tuple[Stage, str]) -> Iterator[Account]:
    simulator = Simulator(MANAGEMENT, clock=lambda: NOW, seed=7, credits=100.0)
    organization = simulator.organization
    workspace = organization.create_workspace("Platform", "platform", is_observability_broadcast_enabled=True)
    key, plaintext = simulator.create_key("prod-search-agent", workspace="platform", limit=50.0, limit_reset="monthly")
    guardrail = organization.create_guardrail("platform", workspace="platform", limit_usd=20.0, reset_interval="daily")
    organization.assign(guardrail, [key.hash])
    organization.members["user_fake_ana"] = "org:member"
    organization.assign(guardrail, ["user_fake_ana"], members=True)
    workspace.put_budget("monthly", 80.0, organization.ids.uuid("budget"), NOW)
    credential = add_credential(
        organization,
        CredentialCreation(key="fake-raw-mistral", provider="mistral", workspace_id=workspace.id, name="agreement"),
    )
    destination = add_destination(
        organization,
        DestinationCreation(
            type="webhook",
            name="tap",
            config={"url": "http://localhost:9/tap"},
            workspace_id=workspace.id,
            enabled=False,
        ),
    )
    simulator.spend(key.hash, 3.5, requests=7, model="openai/gpt-5.1", app="search", user="user_42")
    simulator.spend(key.hash, 1.5, at=NOW - 2 * 86_400, requests=3)
    stage[0].simulator, url = simulator, stage[1]
    with (
        OpenRouter(api_key=MANAGEMENT, server_url=url) as admin,
        OpenRouter(api_key=plaintext, server_url=url) as caller,
    ):
        yield Account(simulator, admin, caller, key, plaintext, workspace, guardrail, credential, destination)
