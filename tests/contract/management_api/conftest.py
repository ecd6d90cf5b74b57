"""One simulated organization, and two clients that ask it: ours and the vendor's."""

from collections.abc import Iterator
from dataclasses import dataclass

import openrouter
import pytest
from pydantic import SecretStr

from management_api import OpenRouter, Retry
from sandbox.openrouter import Simulator

MANAGEMENT = "sk-or-v1-fake-management"
MIDDAY = 1_795_262_400.0
"""2026-11-21 12:00 UTC."""

ORGANIZATION = {
    "credits": 500,
    "members": ["user_fake_ana"],
    "workspaces": [{"name": "Production", "slug": "production", "budgets": {"daily": 50, "monthly": 400}}],
    "guardrails": [{"name": "production", "workspace": "production", "limit_usd": 20, "reset_interval": "daily",
                    "allowed_models": ["anthropic/claude-haiku-4.5"], "keys": ["prod-search-agent"]}],
    "keys": [
        {"name": "prod-search-agent", "workspace": "production", "limit": 100, "limit_reset": "monthly", "usage": 12.5},
        {"name": "prod-triage", "workspace": "production", "expires_at": "2027-06-01T00:00:00Z", "usage": 3},
        {"name": "dev-notebook"},
    ],
    "byok": [{"provider": "anthropic", "key": "sk-ant-fake-1", "workspace": "production", "name": "main",
              "allowed_keys": ["prod-search-agent"]},
             {"provider": "openai", "key": "sk-fake-2", "is_fallback": True}],
}  # fmt: skip


@dataclass(frozen=True)
class Both:
    """The far side and the two clients; `keys` holds every declared key's plaintext by name."""

    simulator: Simulator
    keys: dict[str, str]
    base_url: str
    ours: OpenRouter
    theirs: openrouter.OpenRouter

    def as_key(self, name: str) -> tuple[OpenRouter, openrouter.OpenRouter]:
        """Both clients under an inference key."""
        plaintext = self.keys[name]
        theirs = openrouter.OpenRouter(api_key=plaintext, server_url=self.base_url)
        return self.ours.with_key(SecretStr(plaintext)), theirs

    def hash(self, name: str) -> str:
        (found,) = [key.hash for key in self.simulator.organization.keys if key.name == name]
        return found

    def workspace(self, slug: str) -> str:
        return self.simulator.organization.workspace(slug).id


@pytest.fixture
def both() -> Iterator[Both]:
    simulator = Simulator(MANAGEMENT, clock=lambda: MIDDAY)
    keys = simulator.declare(ORGANIZATION)
    with simulator.serve() as base_url:
        retry = Retry(base=0.001, cap=0.002)
        with OpenRouter(SecretStr(MANAGEMENT), base_url=base_url, retry=retry) as ours:
            theirs = openrouter.OpenRouter(api_key=MANAGEMENT, server_url=base_url)
            yield Both(simulator, keys, base_url, ours, theirs)
