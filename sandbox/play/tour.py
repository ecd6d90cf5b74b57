"""The tour: eight steps that anybody can follow. Each says what will happen, does it, and points at where it shows.

What a step tells afterwards is read from the running stack; where the stack did otherwise, it tells that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.openrouter.identities import hash_of
from sandbox.play.driver import MINUTE, Story
from sandbox.play.organization import ORDERS, SECRETS
from sandbox.play.stories import to_three, until
from sandbox.play.troubles import Stage
from sandbox.scenario.organization import EMBEDDINGS, REPORTS, SEARCH
from sandbox.scenario.publishing import PRODUCTION, PROMPT, SLUG, served
from sandbox.scenario.world import World

SOON, LATER = timedelta(minutes=15), timedelta(minutes=45)


@dataclass(frozen=True)
class Step:
    """`will`: what is going to happen, before. `look`: the id of the page's part where it shows, and its name there.

    `person`: whose eyes the page takes for it, where something is shown to one person only. `picture`: how the
    alternative text of the picture begins that shows it best, if there is one.
    """

    title: str
    will: str
    look: str
    play: Callable[[Stage], Story]
    person: str = ""
    picture: str = ""


def watches(stage: Stage) -> Story:
    world, before = stage.world, _said(stage)
    yield timedelta(milliseconds=20)  # what is due by now
    began = len(world.metered())
    for _ in range(5):
        yield MINUTE
    ticks, keys = len(world.metered()) - began, len(world.simulator.organization.keys)
    quiet = "Slack stayed quiet." if _said(stage) == before else "Slack was told of something."
    return f"In five minutes the meter read all {keys} keys {ticks} times. {quiet}"


def runs_away(stage: Stage) -> Story:
    world = stage.world
    yield from to_three(stage)
    before, started = world.spent(SEARCH), world.now
    stage.begin("loop", SEARCH)
    stopped = yield from until(stage, lambda: bool(world.key(SEARCH).disabled), SOON)
    yield MINUTE
    if not stopped:
        return f"The key is still enabled after fifteen minutes. {_newest(world, SEARCH)}"
    told = _evidence(world, "Key Disabled", SEARCH)
    minutes = (world.now - started) / MINUTE - 1
    return (
        f"The key was disabled {minutes:.0f} minutes after the loop began. The loop spent "
        f"${world.spent(SEARCH) - before:.2f}. Left alone until 08:00 it would have come to "
        f"${told.get('by_morning_usd') or 0:,.0f}."
    )


def asks_for_it(stage: Stage) -> Story:
    world = stage.world
    _end(stage, "loop", SEARCH)
    world.click("U0INTERN", "Restore key", holding=SEARCH)
    yield MINUTE
    world.click("U0INTERN", "Approve", holding=SEARCH)
    yield MINUTE
    said = world.slack.told("U0INTERN")
    state = "still disabled" if world.key(SEARCH).disabled else "enabled, which it should not be"
    return f"Ines asked, then tried to approve it herself. She read: “{said[-1] if said else ''}” The key is {state}."


def is_approved(stage: Stage) -> Story:
    world = stage.world
    refused = world.asked_with(world.api_key(SECRETS[SEARCH]))
    world.click("U0LEAD", "Approve", holding=SEARCH)
    back = yield from until(stage, lambda: not world.key(SEARCH).disabled, SOON)
    yield MINUTE
    answer = world.asked_with(world.api_key(SECRETS[SEARCH]))
    if not back:
        return f"The key is still disabled after fifteen minutes. {_newest(world, SEARCH)}"
    return f"Lena approved, and the key is back. A request with it was answered {refused} before, and {answer} now."


def leaks(stage: Stage) -> Story:
    world = stage.world
    leaked, started = world.api_key(SECRETS[REPORTS]), world.now
    stage.begin("leaked_key", REPORTS)
    rotated = len(world.events("Key Rotated", subject=REPORTS))
    replaced = yield from until(stage, lambda: len(world.events("Key Rotated", subject=REPORTS)) > rotated, SOON)
    yield MINUTE
    held = world.api_key(SECRETS[REPORTS])
    if not replaced or held == leaked:
        return f"The secret still holds the leaked key after fifteen minutes. {_newest(world, REPORTS)}"
    minutes = (world.now - started) / MINUTE
    name = world.simulator.organization.key(hash_of(held)).name
    return (
        f"Within {minutes:.0f} minutes the leaked key was disabled and {name} made, proven and put into the secret. "
        f"The old key is answered {world.asked_with(leaked)}, the new one {world.asked_with(held)}."
    )


def provider_key_dies(stage: Stage) -> Story:
    world = stage.world
    chosen, started = f"{ORDERS}/primary", world.now
    stage.begin("dead_provider_key", chosen)
    credential = world.simulator.organization.credentials[stage.credentials[chosen]]
    benched = yield from until(stage, lambda: bool(credential.settings["disabled"]), LATER)
    yield MINUTE
    if not benched:
        return "The dead provider key is still tried first after 45 minutes. It should have been taken out."
    minutes = (world.now - started) / MINUTE - 1
    return (
        f"After {minutes:.0f} minutes the dead key was found by two refused probes and taken out of the chain. "
        "The second key of our own serves, so nothing is paid with credits."
    )


def preset_is_edited(stage: Stage) -> Story:
    world, before = stage.world, served(stage.world)
    stage.begin("preset_edit")
    told = len(world.events("Preset Drifted", subject=SLUG))
    drifted = yield from until(stage, lambda: len(world.events("Preset Drifted", subject=SLUG)) > told, SOON)
    if not drifted:
        return "Nobody was told of the edit within fifteen minutes."
    yield MINUTE
    world.click("U0SEC", "Revert", holding=SLUG)
    yield from until(stage, lambda: served(world)[1] == before[1], SOON)
    yield MINUTE
    version, config = served(world)
    organization = world.simulator.organization
    prompt = organization.preset(organization.workspace(PRODUCTION).id, SLUG).designated.system_prompt
    same = "the approved text again" if prompt == PROMPT else "another text than was approved"
    return f"Samir clicked Revert. Production serves version {version}: {same}, temperature {config['temperature']}."


def slack_goes_down(stage: Stage) -> Story:
    world, before, lines = stage.world, _said(stage), _lines(stage, EMBEDDINGS)
    stage.begin("slack_down")
    stage.begin("loop", EMBEDDINGS)
    stopped = yield from until(stage, lambda: bool(world.key(EMBEDDINGS).disabled), SOON)
    for _ in range(2):
        yield MINUTE
    unsaid = _said(stage) - before
    _end(stage, "loop", EMBEDDINGS)
    _end(stage, "slack_down")
    yield from until(stage, lambda: _lines(stage, EMBEDDINGS) > lines, LATER)
    yield MINUTE
    threads, lost = _lines(stage, EMBEDDINGS) - lines, len(world.engine.dead_letters())
    disabled = "The key was disabled all the same" if stopped else "The key is still enabled"
    return (
        f"While Slack was down it took {unsaid or 'no'} {'message' if unsaid == 1 else 'messages'}. {disabled}. "
        f"Once Slack was back, {threads} {'thread' if threads == 1 else 'threads'} told of it. "
        f"{'No event was' if not lost else f'{lost} events were'} lost; the timeline has them all."
    )


STEPS = (
    Step(
        "It reads every key, every minute",
        "Five minutes pass on a quiet night. Governor reads what every key has spent. It says nothing, because nothing "
        "is wrong.",
        "money", watches,
    ),
    Step(
        "Three in the morning: an agent loops",
        "The time goes to 03:00. Then an agent calls itself without end on the key of prod-search-agent, at $500 an "
        "hour, while everybody sleeps.",
        "slack", runs_away, picture=f"Spend of {SEARCH}",
    ),
    Step(
        "Somebody wants the key back",
        "The agent is stopped. Ines, who is new in the team, clicks “Restore key” in Slack. Then she tries to approve "
        "it herself.",
        "slack", asks_for_it, "U0INTERN",
    ),
    Step(
        "A second person says yes",
        "Lena, an approver, clicks “Approve”. The key is enabled again, and the same message says who did it.",
        "keys", is_approved, "U0LEAD",
    ),
    Step(
        "A key turns up in public",
        "A scanner reports that the key of prod-finance-reports is in a public repository. It is disabled first; then "
        "its service gets a new one.",
        "lineages", leaks,
    ),
    Step(
        "A provider key of our own dies",
        "The provider refuses the first key of prod-orders. OpenRouter goes on serving, so nobody would notice until "
        "the invoice.",
        "chains", provider_key_dies,
    ),
    Step(
        "Somebody edits what production says",
        "The production preset is changed by hand, with nobody's yes. Governor tells of it; Samir clicks “Revert”.",
        "presets", preset_is_edited, "U0SEC",
    ),
    Step(
        "Slack is down, and nothing is lost",
        "Slack fails. At the same time another key runs away. Then Slack comes back.",
        "timeline", slack_goes_down,
    ),
)  # fmt: skip


def view() -> list[dict[str, Any]]:
    return [
        {"title": one.title, "will": one.will, "look": one.look, "person": one.person, "picture": one.picture}
        for one in STEPS
    ]


def _said(stage: Stage) -> int:
    """Messages in the channel, replies included."""
    return sum(1 + len(one["replies"]) for one in stage.world.slack.messages("C0GOVERNOR"))


def _lines(stage: Stage, name: str) -> int:
    """Threads whose first message names it."""
    return sum(name in line for line in stage.world.slack_lines())


def _newest(world: World, subject: str) -> str:
    """What Governor said of it last, where it did otherwise than the step foretold."""
    told = world.events(subject=subject)
    return f"Governor says: {told[-1]['detail-type']}. {told[-1]['detail']['reason']}" if told else "Nobody was told."


def _evidence(world: World, detail_type: str, subject: str) -> dict[str, Any]:
    told = world.events(detail_type, subject=subject)
    return dict(told[-1]["detail"]["evidence"]) if told else {}


def _end(stage: Stage, name: str, target: str = "") -> None:
    for one in [one for one in stage.standing if one.name == name and target in ("", one.target)]:
        stage.end(one.id)
