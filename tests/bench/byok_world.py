"""The world of failover's benches: ten workspaces, each with six provider credentials and steady traffic.

In one of them nobody probes.
"""

from typing import Any

from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.resources import add_credential
from sandbox.openrouter.simulator import Simulator

WORKSPACES, CREDENTIALS = 10, ("anthropic", "anthropic", "anthropic", "openai", "openai", "openai")
MODELS = {"anthropic": "anthropic/claude-haiku-4.5", "openai": "openai/gpt-5-mini"}
REQUEST_USD, REQUESTS = 0.02, 10
"""Of each workload, in each run, at each provider."""
SILENT = "team-0"


def founded(simulator: Simulator) -> dict[str, tuple[str, str]]:
    """Each workspace's key by its slug: hash and plaintext."""
    keys = {}
    for number in range(WORKSPACES):
        slug = f"team-{number}"
        simulator.organization.create_workspace(slug.title(), slug)
        key, plaintext = simulator.create_key(f"prod-{slug}", workspace=slug)
        keys[slug] = key.hash, plaintext
        for order, provider in enumerate(CREDENTIALS):
            made = CredentialCreation(
                provider=provider,
                key=f"fake-{slug}-{order}",
                name=f"{provider} {order}",
                workspace_id=slug,
                is_fallback=order % 3 == 2,
            )
            add_credential(simulator.organization, made)
    return keys


def declared(keys: dict[str, tuple[str, str]], **bounds: float) -> dict[str, Any]:
    """The policy's `workloads` and `byok`. `bounds`: of every probe, in place of the policy's defaults."""
    byok = [
        {
            "workspace": slug, "provider": provider, "expect": {"prioritized": 2, "fallback": 1}, "models": [model],
            "reason": "r", "owner": "o", "exit": "e",
            **({} if slug == SILENT else {"probe": {"model": model, "secret": f"openrouter/{slug}", **bounds}}),
        }
        for slug in keys
        for provider, model in MODELS.items()
    ]  # fmt: skip
    workloads = [
        {"name": f"prod-{slug}", "workspace": slug, "owner": {"slack": "U0OWNER"}, "secret": f"openrouter/{slug}"}
        for slug in keys
    ]
    return {"workloads": workloads, "byok": byok}


def traffic(simulator: Simulator, keys: dict[str, tuple[str, str]]) -> None:
    for _, plaintext in keys.values():
        for model in MODELS.values():
            for _ in range(REQUESTS):
                assert simulator.ask(plaintext, REQUEST_USD, model=model).status == 200
