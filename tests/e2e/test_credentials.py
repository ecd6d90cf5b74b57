"""A provider's new key through the built stack: secret, schedule, OpenRouter, Slack; the function under its role."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.credentials import masked
from sandbox.openrouter.resources import add_credential
from sandbox.scenario.organization import founding
from sandbox.scenario.world import World, open_world

FORMER, NEW, REVOKED = "fake-provider-key-1", "fake-provider-key-2", "fake-provider-key-3"
BYOK = """
byok:
  - workspace: platform-production
    provider: anthropic
    secret: providers/anthropic
    probe: {model: anthropic/claude-haiku-4.5, secret: openrouter/prod/search-agent}
    reason: committed spend with the provider
    owner: cloud-platform
    exit: the contract ends
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    account = founding()
    with open_world(tmp_path, account=replace(account, policy=lambda url: account.policy(url) + BYOK)) as opened:
        organization = opened.simulator.organization
        place = "platform-production"
        add_credential(organization, CredentialCreation(provider="anthropic", key=FORMER, workspace_id=place))
        opened.simulator.revoke_provider_key(REVOKED)
        opened.engine.client("secretsmanager").create_secret(Name="providers/anthropic", SecretString=FORMER)
        yield opened


def test_a_new_key_is_put_and_proven_and_one_that_the_provider_refuses_gives_way(world: World) -> None:
    (credential,) = world.simulator.organization.credentials.values()
    secrets = world.engine.client("secretsmanager")
    world.run(world.now + timedelta(minutes=11))
    secrets.put_secret_value(SecretId="providers/anthropic", SecretString=NEW)
    world.run(world.now + timedelta(minutes=11))
    assert (credential.label, credential.trouble) == (masked(NEW), None)
    secrets.put_secret_value(SecretId="providers/anthropic", SecretString=REVOKED)
    world.run(world.now + timedelta(minutes=11))
    assert (credential.label, credential.trouble) == (masked(NEW), None)
    told = [event["detail-type"] for event in world.events(subject="platform-production/anthropic")]
    assert told == ["Credential Rotated", "Credential Rotation Failed"]
    assert any("did not get its new key" in line for line in world.slack_lines())
    assert world.engine.dead_letters() == []
