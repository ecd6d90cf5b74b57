"""An account that nobody wrote a policy for is adopted, and a week runs: what `governor plan` says of that week and
what the deployed stack did in it agree event by event.

`import`, `plan`, owners and modes filled in, `plan` again, the policy deployed: the built stack, every function under
its own role. A twin of the organization lives the same week unwatched, and is planned over afterwards.

To be affordable, what keys spend by habit comes every tenth minute, and the meter is woken then, at midnight, and every
minute from the beginning of each trouble until half an hour after its end: 1,700 runs instead of 10,080. The minutes
that are left out have no spend in either world. The plan leaves out no minute.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.replay.play import next_morning
from governor.clock import parse_instant
from governor.events import Event
from sandbox.openrouter import Simulator
from sandbox.scenario import world as worlds
from sandbox.scenario.organization import (
    EMBEDDINGS,
    INSTALLED,
    REPORTS,
    SANDBOX,
    SEARCH,
    TRIAGE,
    Founding,
    KeyOfOrganization,
    founding,
)
from sandbox.traffic import Loop
from tests.unit.cli.terminal import MANAGEMENT, Ran, Terminal

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
END = INSTALLED + timedelta(days=7)
CHAT, ODD = "prod-chat-agent", "Ana's old key"
EVERY, WITHIN = 10, 4
"""Minutes from one portion of a habit's spend to the next, and the minute of the ten in which it comes."""
TROUBLES = (
    (SEARCH, 2 * 60 + 10, 50, 500.0),
    (TRIAGE, 37 * 60, 50, 400.0),
    (SANDBOX, 52 * 60, 40, 300.0),
    (REPORTS, 58 * 60, 150, 4.0),
    (CHAT, 111 * 60, 40, 6.0),
    (SEARCH, 140 * 60, 50, 500.0),
    (EMBEDDINGS, 147 * 60, 90, 120.0),
    (ODD, 156 * 60, 45, 30.0),
)
"""Whose key runs away, at which minute of the week, for how many minutes, and how fast (USD an hour)."""
TAIL = 30
"""Minutes for which a trouble is watched closely after its end."""
PLANNED = {"Budget Threshold Reached", "Runaway Suspected", "Runaway Confirmed", "Runaway Ended", "Key Disabled",
           "Disable Withheld", "Key Restored"}  # fmt: skip
ELSE = {"Approval Requested", "Approval Granted", "Approval Expired", "Account Reviewed"}
"""What the stack publishes besides: it asks people, hears what they say, and reviews the account on Monday."""

type Seen = tuple[str, str, str, str]


@dataclass
class InPortions(worlds.Traffic):
    """A habit whose spend of ten minutes comes in one of them."""

    def between(self, start: int, end: int) -> tuple[float, float]:
        habit = sum(
            self.habit.minute_spend(each)
            for minute in range(start, end)
            if minute % EVERY == WITHIN
            for each in range(minute - EVERY + 1, minute + 1)
        )
        return habit * self.scale, sum(one.minute_spend(minute) for one in self.loops for minute in range(start, end))


@dataclass(frozen=True)
class Adopted:
    """`dry`, `owned`: what the plan said before and after people filled in the policy. `week`: what it says of it."""

    dry: Ran
    owned: Ran
    week: Any


def test_the_plan_of_the_week_and_the_deployed_stack_agree_event_by_event(adopted: Adopted, done: list[Seen]) -> None:
    assert [one for one in adopted.week if one[1] in PLANNED] == done


def test_the_week_has_all_that_a_plan_tells_of_and_the_month_ends_in_it(adopted: Adopted, done: list[Seen]) -> None:
    assert {kind for _, kind, _, _ in done} == PLANNED
    assert len(done) >= 30
    reports = [at for at, kind, subject, _ in done if (kind, subject) == ("Budget Threshold Reached", REPORTS)]
    assert any(at < "2026-02-01" for at in reports)


def test_the_first_plan_arms_nothing_and_the_second_has_no_blank(adopted: Adopted) -> None:
    assert "would be disabled" not in adopted.dry.stdout.partition("THE PAST")[0]
    assert adopted.dry.json["past"]["totals"]["disables"] == 0
    assert adopted.owned.json["gaps"] == []
    assert {one["name"] for one in adopted.owned.json["past"]["workloads"]} >= {SEARCH, TRIAGE, CHAT}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adopted") / "policy.yaml"


@pytest.fixture(scope="module")
def adopted(policy: Path) -> Adopted:
    """The twin: imported, planned, filled in, planned; then the week passes unwatched, and is planned over."""
    clock = [(INSTALLED - founding().history).timestamp()]
    twin = Simulator(MANAGEMENT, clock=lambda: clock[0], credits=1_000_000.0)
    twin.organization.analytics.days_of_minutes = 9
    traffic = _found(twin)
    clock[0] = INSTALLED.timestamp()
    terminal = Terminal(twin)
    assert terminal.run("import", policy, "--propose-caps").code == 0
    plan = ("plan", policy, "--json", "--cache", policy.parent / "cache")
    dry = terminal.run(*plan)
    _fill_in(policy)
    assert terminal.run("policy", "check", policy, "--account", "--strict").code == 0
    owned = terminal.run(*plan, "--days", 7)
    first = int(INSTALLED.timestamp()) // 60
    for minute in range(first, first + 7 * 24 * 60):
        clock[0] = minute * 60.0
        for one in traffic.values():
            for usd in one.between(minute, minute + 1):
                if usd > 0:
                    twin.spend(one.hash, usd, requests=max(1, int(usd * 50)), byok=None)
    clock[0] = END.timestamp()
    week = terminal.run("plan", policy, "--json", "--days", 7, "--by-minute", "--no-cache")
    assert week.json["past"]["analytics"]["hours_known_by_hour"] == 0
    events = week.json["past"]["events"]
    return Adopted(dry, owned, sorted(_seen(one["at"], one["type"], one["subject"], one["id"]) for one in events))


@pytest.fixture(scope="module")
def done(policy: Path, adopted: Adopted, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What the stack published in the week."""
    with worlds.open_world(tmp_path_factory.mktemp("stack"), account=_account(policy.read_text())) as world:
        world.traffic = _troubled(world.traffic)
        _live(world)
        assert not world.engine.dead_letters()
        published = world.events()
    assert {one["detail-type"] for one in published} <= PLANNED | ELSE
    return sorted(
        _seen(one["detail"]["occurred_at"], one["detail-type"], one["detail"]["subject"], one["detail"]["id"])
        for one in published
        if one["detail-type"] in PLANNED
    )


def _account(policy: str = "") -> Founding:
    """Eleven keys of the demo's organization: ten with names by the convention, and one without."""
    whole = founding()
    chosen = [*whole.keys[:9], next(one for one in whole.keys if one.name == CHAT)]
    keys = (*dict.fromkeys(chosen), KeyOfOrganization(ODD, None, "sporadic development", 1.20))
    return replace(whole, keys=keys, secrets={}, policy=_at(policy))


def _at(policy: str) -> Callable[[str], str]:
    """The policy, for the simulator's own address."""
    return lambda url: policy.replace("version: 1\n", f'version: 1\naccount: {{base_url: "{url}"}}\n', 1)


def _found(simulator: Simulator) -> dict[str, worlds.Traffic]:
    return _troubled(worlds._found(simulator, _account())[0])


def _troubled(traffic: dict[str, worlds.Traffic]) -> dict[str, worlds.Traffic]:
    first = int(INSTALLED.timestamp()) // 60
    made: dict[str, worlds.Traffic] = {
        name: InPortions(one.hash, one.habit, one.scale) for name, one in traffic.items()
    }
    for name, start, minutes, usd_per_hour in TROUBLES:
        made[name].loops.append(Loop(usd_per_hour, first + start, end=first + start + minutes))
    return made


def _fill_in(policy: Path) -> None:
    """What people write: whose each workload is, where Governor speaks, and what it may do."""
    text = policy.read_text().replace("UFILLINTHEOWNER", "U0LEAD")
    text = text.replace("\n# alerts:", "\nalerts:").replace("\n# approvals:", "\napprovals:")
    for name, written in (
        (SEARCH, "runaway: {mode: disable}"),
        (TRIAGE, "tier: 0\n    runaway: {mode: disable}"),
        (EMBEDDINGS, "runaway: {mode: disable}"),
        (CHAT, "budget: {alert_at: [0.5, 0.8], disable_at: 1.0}"),
    ):
        text = text.replace(f"  - name: {name}\n", f"  - name: {name}\n    {written}\n")
    policy.write_text(text)


def _seen(at: str, kind: str, subject: str, id: str) -> Seen:
    """A restore's id is of the click that asked for it, and no plan knows that."""
    when = parse_instant(at).replace(second=0, microsecond=0).isoformat()
    return when, kind, subject, "" if kind == "Key Restored" else id


def _live(world: worlds.World) -> None:
    """The week. At 08:00 somebody gives back what may be given back by then, as the plan supposes."""
    given: set[str] = set()
    while world.now < END:
        following = _next(world.now)
        world.run(following, every=following - world.now, maintenance=6 * HOUR)
        if world.now.hour == 8 and world.now.minute == 0:
            for id, subject in _to_give_back(world):
                if id not in given:
                    given.add(id)
                    world.command("U0LEAD", f"restore {subject}")


def _next(now: datetime) -> datetime:
    """When the meter is woken next."""
    minutes = (now - INSTALLED) // MINUTE
    if any(start <= minutes + EVERY and minutes < start + length + TAIL for _, start, length, _ in TROUBLES):
        return now + MINUTE
    portion = now + MINUTE * ((WITHIN + 1 - minutes - 1) % EVERY + 1)
    whole = [INSTALLED + HOUR * at for at in range(0, 7 * 24 + 1, 8)]  # midnight, and when people look
    return min([portion, *(one for one in whole if one > now)])


def _to_give_back(world: worlds.World) -> list[tuple[str, str]]:
    """The disables whose morning has come: (id, subject)."""
    triggers = {one["detail"]["id"]: one for one in world.events()}
    found = []
    for told in world.events("Key Disabled"):
        morning = next_morning(Event.received(triggers[told["detail"]["evidence"]["trigger"]]))
        if morning is not None and morning <= int(world.now.timestamp()) // 60:
            found.append((told["detail"]["id"], told["detail"]["subject"]))
    return found
