"""What `governor plan` said of an evening, and what the deployed stack does on the same traffic: event by event.

The plan is made of the analytics of a twin organization that nobody watched. The stack runs the built functions, each
under its own role, minute by minute.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from cli.account import read_account
from cli.output import Output
from cli.replay.asking import Asking
from cli.replay.play import Play
from cli.replay.source import Source
from governor.clock import parse_instant
from management_api import OpenRouter
from sandbox.openrouter import Simulator
from sandbox.scenario import world as worlds
from sandbox.scenario.organization import INSTALLED, REPORTS, SANDBOX, SEARCH, TRIAGE, founding
from sandbox.traffic import Loop
from tests.faults.harness import InProcess
from tools.policy import compile_text

MINUTE = timedelta(minutes=1)
HOURS = 2
END = INSTALLED + timedelta(hours=HOURS)
LOOPS = {SEARCH: (12, 70, 500.0), TRIAGE: (20, 50, 400.0), SANDBOX: (35, 90, 300.0), REPORTS: (5, 115, 4.0),
         "dev-ana-agent": (60, 85, 30.0)}  # fmt: skip
"""Who runs away: from which minute after the installation, until which, and how fast (USD an hour)."""
TOLD = {"Budget Threshold Reached", "Runaway Suspected", "Runaway Confirmed", "Runaway Ended", "Key Disabled",
        "Disable Withheld"}  # fmt: skip

type Seen = tuple[datetime, str, str, str]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What the stack publishes."""
    with worlds.open_world(tmp_path_factory.mktemp("stack")) as world:
        _run_away(world.traffic)
        world.run(END, maintenance=timedelta(hours=1))
        assert not world.engine.dead_letters()
        return sorted(
            (
                parse_instant(event["detail"]["occurred_at"]).replace(second=0, microsecond=0),
                event["detail-type"],
                event["detail"]["subject"],
                event["detail"]["id"],
            )
            for event in world.events()
            if event["detail-type"] in TOLD
        )


@pytest.fixture(scope="module")
def planned() -> Iterator[list[Seen]]:
    """What the plan says of the twin."""
    account = founding()
    clock = [(account.installed - account.history).timestamp()]
    twin = Simulator(worlds.MANAGEMENT_KEY, clock=lambda: clock[0], credits=1_000_000.0)
    traffic, _ = worlds._found(twin, account)
    _run_away(traffic)
    first = int(INSTALLED.timestamp()) // 60
    for minute in range(first, first + HOURS * 60):
        clock[0] = minute * 60.0
        for one in traffic.values():
            habit, loops = one.between(minute, minute + 1)
            for usd in (habit, loops):
                if usd > 0:
                    twin.spend(one.hash, usd, requests=max(1, int(usd * 50)), byok=None)
    clock[0] = END.timestamp()
    transport = InProcess(twin.app)
    client = OpenRouter(SecretStr(worlds.MANAGEMENT_KEY), base_url="http://localhost/api/v1", transport=transport)
    policy, _ = compile_text("policy.yaml", account.policy("https://openrouter.ai/api/v1"))
    found = read_account(client, Output(), END)
    # The stack's first run comes a minute after it is installed: what was spent by then is where its counters start.
    start = INSTALLED + MINUTE
    history = Source(Asking(client.analytics), found.keys, None, Output(), 0.0).fetch(start, END).history
    events = Play(policy, found, history, start, END).run().events
    yield sorted(
        (event.occurred_at.replace(second=0, microsecond=0), event.detail_type.value, event.subject, event.id)
        for event in events
        if event.detail_type.value in TOLD
    )
    transport.dispose()


def _run_away(traffic: dict[str, worlds.Traffic]) -> None:
    first = int(INSTALLED.timestamp()) // 60
    for name, (start, end, usd_per_hour) in LOOPS.items():
        traffic[name].loops.append(Loop(usd_per_hour, first + start, end=first + end))


def test_the_plan_and_the_stack_agree_event_by_event(done: list[Seen], planned: list[Seen]) -> None:
    assert planned == done


def test_the_evening_has_all_that_a_plan_tells_of(done: list[Seen]) -> None:
    assert {kind for _, kind, _, _ in done} == TOLD
