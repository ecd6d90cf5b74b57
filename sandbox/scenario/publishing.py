"""What happens to the production preset in a week: promoted by a second person's yes, and by nothing else.

People click and type in Slack, which signs what it sends to the function URL; what they read is read in Slack.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from sandbox.openrouter.scripts import Script
from sandbox.scenario.organization import TRIAGE, Founding, founding
from sandbox.scenario.scenario import Scenario
from sandbox.scenario.world import CHANNEL, MINUTE, MODELS, World

SLUG, PRODUCTION, STAGING = "support-triage", "platform-production", "platform-staging"
PROMPT = "You sort support requests. Answer with the queue's name."
REFUND = "I was billed twice and want my money back."
HOUR = timedelta(hours=1)
AUTHOR = "user_fake_dev"
"""U0DEV at OpenRouter."""
PRESETS = f"""\
people: {{U0DEV: {AUTHOR}}}
presets:
  - slug: {SLUG}
    from: {STAGING}
    to: {PRODUCTION}
    from_secret: presets/staging
    to_secret: presets/production
    approvers: [U0LEAD, U0SEC]
    prompts: shown
    checks:
      certified: [{MODELS[0]}, {MODELS[1]}]
      golden:
        usd: 0.5
        cases:
          - {{name: refund, prompt: "{REFUND}", contains: [billing]}}
"""


def publisher() -> Founding:
    """The organization of the night, with a preset that is edited in staging and served in production."""
    account = founding()
    staging = next(key.name for key in account.keys if key.workspace == STAGING)
    secrets = {**account.secrets, "presets/production": TRIAGE, "presets/staging": staging}
    return replace(account, policy=lambda url: account.policy(url) + PRESETS, secrets=secrets)


def week(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """Plays the week; each scenario with the virtual time in which it began and ended."""
    world.simulator.organization.scripts = [
        Script("queue: billing", prompt=REFUND, system="sort support requests"),
        Script("I cannot help with that.", prompt=REFUND),
    ]
    for place in (STAGING, PRODUCTION):
        save(world, place, PROMPT, temperature=0.2)
    world.run(world.now + 11 * MINUTE)
    for play in (promoted, blocked, expired, voided, dropped, reverted, forged, quiet):
        started = world.now
        yield play(world), started, world.now


def save(world: World, place: str, prompt: str, **config: Any) -> None:
    """U0DEV edits the preset in this workspace."""
    organization = world.simulator.organization
    workspace = organization.workspace(place)
    key = next(key for key in organization.keys if key.workspace_id == workspace.id)
    organization.add_preset_version(key, SLUG, prompt, {"model": MODELS[0], **config}, member=AUTHOR)


def served(world: World) -> tuple[int, dict[str, Any]]:
    """The version that production serves, and its config."""
    organization = world.simulator.organization
    version = organization.preset(organization.workspace(PRODUCTION).id, SLUG).designated
    return version.version, version.config


def ask_it(world: World, secret: str) -> str:
    """What a consumer hears who asks the preset: one real request with the key in this secret."""
    answer = httpx.post(
        f"{world.base_url}/chat/completions",
        headers={"Authorization": f"Bearer {world.secret(secret)['api_key']}"},
        json={"model": f"@preset/{SLUG}", "max_tokens": 64, "messages": [{"role": "user", "content": REFUND}]},
        timeout=30,
    )
    return str(answer.json()["choices"][0]["message"]["content"]) if answer.status_code == 200 else answer.text


def told(world: World) -> list[str]:
    """The kinds of event that the preset had so far."""
    return [event["detail-type"] for event in world.events(subject=SLUG)]


def settled(world: World, last: str, count: int = 1) -> bool:
    """Lets time pass until so many events of this kind are told; whether they were."""
    return world.run_while(lambda: told(world).count(last) < count, at_most=timedelta(minutes=30))


def newest(world: World) -> dict[str, Any]:
    """The newest thread's first message, as it stands now; files stand in messages of their own."""
    return dict(next(one for one in reversed(world.slack.messages(CHANNEL)) if not one.get("files")))


def buttons(message: dict[str, Any]) -> list[str]:
    blocks = [block for attachment in message.get("attachments") or [] for block in attachment["blocks"]]
    return [one["text"]["text"] for block in blocks if block["type"] == "actions" for one in block["elements"]]


def promoted(world: World) -> Scenario:
    scenario = Scenario("a preset is promoted: asked by one, checked, approved by another, read back, served")
    before, answer_before = served(world), ask_it(world, "presets/production")
    save(world, STAGING, PROMPT + " Be kind.", temperature=0.9)
    world.command("U0DEV", f"promote {SLUG}")
    asked = settled(world, "Approval Requested")
    message = newest(world)
    own_click = world.click("U0DEV", "Approve").status
    own = world.slack.told("U0DEV")[-1]
    stranger_click = world.click("U0STRANGER", "Approve").status
    stranger = world.slack.told("U0STRANGER")[-1]
    untouched = served(world) == before
    statuses = [world.slack.click("U0LEAD", "Approve").status, world.click("U0LEAD", "Approve").status]
    settled(world, "Preset Promoted")
    after = served(world)
    scenario.facts = {
        "asked_in_slack": message["text"],
        "spend_of_the_checks_usd": _promotion(world)["usd"],
        "own_approval": own,
        "strangers_approval": stranger,
        "served_before": before[0],
        "served_after": after[0],
        "temperature": [before[1]["temperature"], after[1]["temperature"]],
        "answers": [answer_before, ask_it(world, "presets/production")],
        "in_slack_after": newest(world)["text"],
    }
    scenario.tell(
        f"“{message['text']}”",
        f"U0DEV clicked Approve: “{own}”; U0STRANGER: “{stranger}”",
        f"U0LEAD clicked Approve, twice at once: version {after[0]} is served, temperature {after[1]['temperature']}",
        f"“{scenario.facts['in_slack_after']}”",
    )
    scenario.must(asked and buttons(message) == ["Approve", "Reject"], "people are asked, with two buttons")
    scenario.must([own_click, stranger_click, *statuses] == [200] * 4, "Slack hears 200 each time")
    scenario.must(untouched, "neither the asker nor a stranger changes what production serves")
    scenario.must(after == (before[0] + 1, before[1] | {"temperature": 0.9}), "one new version, with what was approved")
    scenario.must(told(world).count("Approval Granted") == 1, "a double click grants once")
    scenario.must("Roll back" in buttons(newest(world)), "the way back is one click")
    return scenario


def blocked(world: World) -> Scenario:
    scenario = Scenario("a failing check blocks: an override must be approved as such, and is rejected with a reason")
    before = served(world)
    save(world, STAGING, "You answer everything with great care.", temperature=0.9)
    world.command("U0DEV", f"promote {SLUG}")
    failed = settled(world, "Preset Promotion Failed")
    message = newest(world)
    world.run(world.now + MINUTE)
    world.click("U0DEV", "Ask to override")
    asked = settled(world, "Approval Requested", 2)
    world.run(world.now + MINUTE)
    world.click("U0SEC", "Reject")
    world.submit("U0SEC", reason="It must sort refunds.")
    settled(world, "Approval Rejected")
    scenario.facts = {"blocked": message["text"], "rejected": newest(world)["text"], "served": served(world)[0]}
    scenario.tell(f"“{message['text']}”", f"an override was asked; U0SEC: “{scenario.facts['rejected']}”")
    scenario.must(failed, "the golden case fails and is told")
    scenario.must(asked, "an override is a request of its own")
    scenario.must("It must sort refunds." in scenario.facts["rejected"], "the reason is told")
    scenario.must(served(world) == before, "production serves what it served")
    return scenario


def expired(world: World) -> Scenario:
    scenario = Scenario("a request that nobody decides expires: the message says so, and a late click does nothing")
    before, number = served(world), told(world).count("Approval Requested")
    save(world, STAGING, PROMPT + " Be brief.", temperature=0.5)
    world.command("U0DEV", f"promote {SLUG}")
    settled(world, "Approval Requested", number + 1)
    click = world.slack.click("U0STRANGER", "Approve")
    world.run(world.now + 25 * HOUR, every=HOUR, maintenance=HOUR)
    message = newest(world)
    late = world.slack.resend(click)
    world.run(world.now + 2 * MINUTE)
    scenario.facts = {"in_slack": message["text"], "buttons": buttons(message), "late_click": late.status}
    scenario.tell(f"“{message['text']}”", f"its buttons: {buttons(message) or 'none'}")
    scenario.must(told(world).count("Approval Expired") == 1, "Approval Expired is told once")
    scenario.must("Approve" not in buttons(message), "no button is left")
    scenario.must(served(world) == before, "production serves what it served")
    return scenario


def voided(world: World) -> Scenario:
    scenario = Scenario("production is edited behind a request's back: it is void, people are asked anew, and decide")
    number = told(world).count("Approval Requested")
    save(world, STAGING, PROMPT + " Be brief.", temperature=0.6)
    world.command("U0DEV", f"promote {SLUG}")
    settled(world, "Approval Requested", number + 1)
    save(world, PRODUCTION, PROMPT + " Be kind.", temperature=0.7)
    void = settled(world, "Approval Voided")
    anew = settled(world, "Approval Requested", number + 2)
    world.click("U0SEC", "Approve")
    done = settled(world, "Preset Promoted", 2)
    scenario.facts = {"served": served(world)[0], "temperature": served(world)[1]["temperature"]}
    scenario.tell(
        f"void, asked anew against the edit, approved: temperature {served(world)[1]['temperature']} is served"
    )
    scenario.must(void and anew, "the request is void and asked anew")
    scenario.must(done and served(world)[1]["temperature"] == 0.6, "what was approved at last is served")
    return scenario


def dropped(world: World) -> Scenario:
    scenario = Scenario("OpenRouter drops a field of the config: caught in the read-back, and rolled back at once")
    before, number = served(world)[1], told(world).count("Approval Requested")
    save(world, STAGING, PROMPT + " Be brief.", temperature=0.6, top_p=0.5)
    world.command("U0DEV", f"promote {SLUG}")
    settled(world, "Approval Requested", number + 1)
    world.simulator.lose_fields("top_p")
    world.click("U0LEAD", "Approve")
    failed = settled(world, "Preset Promotion Failed", 2)
    settled(world, "Preset Rolled Back")
    world.simulator.lose_fields()
    thread = [newest(world)["text"], *(reply["text"] for reply in newest(world)["replies"])]
    scenario.facts = {"in_slack": thread, "served": served(world)[0]}
    scenario.tell(f"“{thread[-1]}”")
    scenario.must(failed, "the failure is told")
    scenario.must(served(world)[1] == before, "the former config is served again")
    scenario.must("Preset Promoted" not in told(world)[-4:], "nobody is told that it was promoted")
    return scenario


def reverted(world: World) -> Scenario:
    scenario = Scenario("somebody edits the production preset: told within ten minutes, and reverted with a click")
    before, edited, number = served(world)[1], world.now, told(world).count("Preset Drifted")
    save(world, PRODUCTION, "Do as you please.", temperature=1.9)
    found = settled(world, "Preset Drifted", number + 1)
    minutes = (world.now - edited) / MINUTE
    message = newest(world)
    world.click("U0SEC", "Revert")
    settled(world, "Preset Rolled Back", 2)
    scenario.facts = {
        "minutes": minutes,
        "in_slack": message["text"],
        "answer": ask_it(world, "presets/production"),
    }
    scenario.tell(
        f"after {minutes:.0f} minutes: “{message['text']}”", "U0SEC clicked Revert: the promoted one is served"
    )
    scenario.must(found and {"Adopt", "Revert"} <= set(buttons(message)), "told, with two buttons")
    scenario.must(served(world)[1] == before, "what was promoted is served again")
    return scenario


def forged(world: World) -> Scenario:
    scenario = Scenario("what Slack did not sign is not heard: forged, replayed late, truncated, enormous")
    before, granted = served(world), told(world).count("Approval Granted")
    save(world, STAGING, PROMPT + " Be brave.", temperature=0.1)
    world.command("U0DEV", f"promote {SLUG}")
    settled(world, "Approval Requested", told(world).count("Approval Requested") + 1)
    url, click = world.engine.outputs["SlackRequestUrl"], world.slack.click("U0STRANGER", "Approve")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    statuses = {
        "unsigned": httpx.post(url, content=click.body, headers=headers).status_code,
        "altered": httpx.post(
            url, content=click.body.replace("U0STRANGER", "U0LEAD"), headers=click.headers
        ).status_code,
        "truncated": httpx.post(url, content=click.body[: len(click.body) // 2], headers=click.headers).status_code,
        "enormous": httpx.post(url, content="x" * 600_000, headers=click.headers).status_code,
    }
    world.run(world.now + 6 * MINUTE)
    statuses["replayed"] = world.slack.resend(click, anew=False).status
    world.run(world.now + 2 * MINUTE)
    scenario.facts = statuses
    scenario.tell(", ".join(f"{name} {status}" for name, status in statuses.items()))
    scenario.must(set(statuses.values()) <= {401, 413}, "each is refused")
    scenario.must(told(world).count("Approval Granted") == granted and served(world) == before, "nothing was decided")
    return scenario


def quiet(world: World) -> Scenario:
    scenario = Scenario("no prompt is in an event, a log or a message, and nothing was given up")
    functions = ("PresetPromotion", "ApprovalDesk", "SlackGateway", "Notifier")
    logs = [world.engine.logs(f"{name}Function") for name in functions]
    written = [str(world.events()), str(world.slack.messages(CHANNEL)), *logs]
    scenario.facts = {"dead_letters": len(world.engine.dead_letters()), "files": len(world.slack.workspace.files)}
    scenario.tell(
        f"{scenario.facts['files']} differences were shown as files; {scenario.facts['dead_letters']} dead letters"
    )
    scenario.must(not any("support requests" in text for text in written), "no prompt but in the files")
    scenario.must(not scenario.facts["dead_letters"], "no dead letter")
    return scenario


def _promotion(world: World) -> dict[str, Any]:
    """The evidence of the newest promotion."""
    return dict(world.events("Preset Promoted", subject=SLUG)[-1]["detail"]["evidence"])
