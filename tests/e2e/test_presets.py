"""A preset's way to production through the built stack: Slack in, Slack out, every function under its own role."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.openrouter.scripts import Script
from sandbox.scenario.organization import TRIAGE, founding
from sandbox.scenario.world import CHANNEL, World, open_world

SLUG, PRODUCTION, STAGING = "support-triage", "platform-production", "platform-staging"
MODEL = "anthropic/claude-haiku-4.5"
SECRET_WORDS = "The magic word is xylophone."
LONG = "\n".join([SECRET_WORDS, *(f"Rule {number}: be kind." for number in range(1200))])
"""More than 20,000 characters."""
DEV, LEAD, MACHINE = "user_fake_dev", "user_fake_lead", "user_fake_machine"
"""U0DEV and U0LEAD at OpenRouter, and whom the policy does not know."""
PRESETS = f"""
people: {{U0DEV: {DEV}, U0LEAD: {LEAD}}}
presets:
  - slug: {SLUG}
    from: {STAGING}
    to: {PRODUCTION}
    from_secret: presets/staging
    to_secret: presets/production
    approvers: [U0LEAD, U0SEC]
    prompts: shown
    checks:
      certified: [{MODEL}]
      golden:
        usd: 0.5
        cases:
          - {{name: refund, prompt: "I want my money back.", contains: [billing]}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    account = founding()
    staging = next(key.name for key in account.keys if key.workspace == STAGING)
    secrets = {**account.secrets, "presets/production": TRIAGE, "presets/staging": staging}
    chosen = replace(account, policy=lambda url: account.policy(url) + PRESETS, secrets=secrets)
    with open_world(tmp_path, account=chosen) as opened:
        opened.simulator.organization.scripts = [Script("queue: billing", prompt="money back")]
        for place in (STAGING, PRODUCTION):
            save(opened, place, SECRET_WORDS, {"model": MODEL, "temperature": 0.2})
        yield opened


def save(world: World, place: str, prompt: str, config: dict[str, Any], member: str = DEV) -> None:
    """A member edits the preset there."""
    organization = world.simulator.organization
    workspace = organization.workspace(place)
    key = next(key for key in organization.keys if key.workspace_id == workspace.id)
    organization.add_preset_version(key, SLUG, prompt, config, member=member)


def served(world: World) -> dict[str, Any]:
    organization = world.simulator.organization
    return organization.preset(organization.workspace(PRODUCTION).id, SLUG).designated.config


def _replies(world: World) -> list[str]:
    return [reply["text"] for message in world.slack.messages(CHANNEL) for reply in message["replies"]]


def wait(world: World, minutes: int = 3) -> None:
    world.run(world.now + timedelta(minutes=minutes))


def test_asked_by_command_approved_by_another_promoted_rolled_back_and_drift_reverted(world: World) -> None:
    wait(world, 11)
    save(world, STAGING, LONG, {"model": MODEL, "temperature": 0.9})
    assert world.slack.command("U0DEV", f"promote {SLUG}").status == 200
    wait(world)
    assert world.slack.click("U0DEV", "Approve").status == 200
    wait(world)
    assert served(world)["temperature"] == 0.2
    world.slack.click("U0LEAD", "Approve")
    world.slack.click("U0LEAD", "Approve")
    wait(world)
    assert served(world)["temperature"] == 0.9
    world.slack.click("U0LEAD", "Roll back")
    wait(world)
    assert served(world)["temperature"] == 0.2
    save(world, PRODUCTION, "Edited by hand.", {"model": MODEL, "temperature": 1.5})
    wait(world, 11)
    world.slack.click("U0SEC", "Revert")
    wait(world)
    assert served(world)["temperature"] == 0.2
    told = [event["detail-type"] for event in world.events(subject=SLUG) if event["detail-type"].startswith("Preset")]
    assert told == [
        "Preset Promotion Requested", "Preset Promoted", "Preset Rolled Back", "Preset Drifted", "Preset Rolled Back",
    ]  # fmt: skip
    (request,) = world.events("Approval Requested", subject=SLUG)
    assert request["detail"]["evidence"]["file"].startswith("https://")
    assert any("is promoted" in line for line in world.slack_lines() + _replies(world))
    # The policy lets the file show prompts; nothing else may.
    files = [file["content"].decode() for file in world.slack.workspace.files.values()]
    assert any("xylophone" in text and "+Rule 1199: be kind." in text for text in files)
    written = [str(world.events()), world.engine.logs("PresetPromotionFunction"), str(world.slack.messages(CHANNEL))]
    assert not [text for text in written if "xylophone" in text]
    assert world.engine.dead_letters() == []


def test_the_author_of_a_version_cannot_approve_it_and_an_unknown_author_takes_two(world: World) -> None:
    wait(world, 11)
    save(world, STAGING, "Sort tickets, kindly.", {"model": MODEL, "temperature": 0.5}, member=LEAD)
    world.slack.command("U0DEV", f"promote {SLUG}")
    wait(world)
    assert any("*Author:* <@U0LEAD>" in str(message) for message in world.slack.messages(CHANNEL))
    world.slack.click("U0LEAD", "Approve")
    wait(world)
    assert world.slack.told("U0LEAD")[-1] == "You saved this version yourself: somebody else must approve it."
    assert served(world)["temperature"] == 0.2
    world.slack.click("U0SEC", "Approve")
    wait(world)
    assert served(world)["temperature"] == 0.5
    save(world, STAGING, "Sort tickets, briefly.", {"model": MODEL, "temperature": 0.7}, member=MACHINE)
    world.slack.command("U0DEV", f"promote {SLUG}")
    wait(world)
    asked = world.events("Approval Requested", subject=SLUG)[-1]["detail"]["evidence"]
    assert (asked["author"], asked["needed"]) == ("", 2)
    assert any("So 2 approvals are needed" in str(message) for message in world.slack.messages(CHANNEL))
    world.slack.click("U0LEAD", "Approve")
    wait(world, 11)
    assert served(world)["temperature"] == 0.5
    assert any("1 of 2 approvals are in (<@U0LEAD>)" in line for line in world.slack_lines())
    world.slack.click("U0SEC", "Approve")
    wait(world)
    assert served(world)["temperature"] == 0.7
    assert world.engine.dead_letters() == []


def test_whoever_edits_production_by_hand_cannot_adopt_it_alone_and_nobodys_edit_takes_two(world: World) -> None:
    wait(world, 11)
    save(world, PRODUCTION, "Edited by a lead.", {"model": MODEL, "temperature": 1.1}, member=LEAD)
    wait(world, 11)
    world.slack.click("U0LEAD", "Adopt")
    wait(world)
    assert world.slack.told("U0LEAD")[-1] == "The approvers are asked in the channel."
    world.slack.click("U0LEAD", "Approve")
    wait(world)
    assert world.events("Preset Promoted", subject=SLUG) == []
    world.slack.click("U0SEC", "Approve")
    wait(world)
    (adopted,) = world.events("Preset Promoted", subject=SLUG)
    assert (adopted["detail"]["evidence"]["how"], adopted["detail"]["evidence"]["approved_by"]) == ("adopt", ["U0SEC"])
    save(world, PRODUCTION, "Edited by nobody.", {"model": MODEL, "temperature": 1.2}, member=MACHINE)
    wait(world, 11)
    world.slack.click("U0LEAD", "Adopt")
    wait(world)
    assert len(world.events("Preset Promoted", subject=SLUG)) == 1
    assert any("1 of 2 approvals are in (<@U0LEAD>)" in line for line in world.slack_lines())
    world.slack.click("U0SEC", "Approve")
    wait(world)
    assert world.events("Preset Promoted", subject=SLUG)[-1]["detail"]["evidence"]["approved_by"] == ["U0LEAD", "U0SEC"]
    assert world.engine.dead_letters() == []
