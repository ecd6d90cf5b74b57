"""What a plan says of the past and what the product does on the same traffic are the same, event by event.

The product: the spend meter and the kill switch, run minute by minute over the simulator. The plan: the replay, on what
the simulator's analytics say of that traffic afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from cli.output import Output
from cli.replay.asking import Asking
from cli.replay.play import Play, Played
from cli.replay.source import Source
from governor.events import DetailType, Event
from governor.policy import Policy
from tests.contract.cli.organization import BATCH, BOT, DAY, DESK, SPIKY, START, Demo, Product

HOURS = 6
LOOP, LOOP_USD_PER_HOUR = range(47, 107), 600.0
"""Minutes after the start in which the bot runs away, and how fast."""

POLICY = Policy.model_validate(
    {
        "version": 1,
        "defaults": {"budget": {"alert_at": [0.5, 0.8], "disable_at": 1.0}, "runaway": {"mode": "disable"}},
        "workloads": [
            {"name": BOT, "workspace": "production", "owner": {"slack": "U0BOT"}, "runaway": {"mode": "disable"}},
            {"name": DESK, "workspace": "production", "owner": {"slack": "U0DESK"}, "tier": 0,
             "key": {"limit_usd": 40, "limit_reset": "daily"}},
        ],
    }
)  # fmt: skip
ORGANIZATION = {
    "workspaces": [{"name": "Production", "slug": "production", "budgets": {"monthly": 1500}}],
    "guardrails": [
        {"name": "batches", "workspace": "production", "limit_usd": 30, "reset_interval": "daily", "keys": [BATCH]}
    ],
    "keys": [
        {"name": BOT, "workspace": "production"},
        {"name": DESK, "workspace": "production"},
        {"name": BATCH, "workspace": "production"},
        {"name": SPIKY, "limit": 25, "limit_reset": "daily"},
    ],
}


def spent_in(name: str, minutes_after: int, dice: Random) -> float:
    """USD of a key in a minute after the start."""
    if name == BOT:
        loop = LOOP_USD_PER_HOUR / 60 if minutes_after in LOOP else 0.0
        return loop + (0.02 if dice.random() < 0.3 else 0.0)
    if name == DESK:
        return 0.11 + 0.1 * dice.random()
    if name == BATCH:
        return 0.0 if not 120 <= minutes_after < 300 else 0.25 + 0.1 * dice.random()
    return 9.0 if minutes_after % 97 == 5 else 0.0


def past_of(demo: Demo) -> None:
    """Forty days of habit, by the hour."""
    dice = Random(1)
    for day in range(40, 0, -1):
        for hour in range(24):
            at = START.timestamp() - day * DAY + hour * 3600 + 600
            demo.spend(BOT, 0.3 + 0.3 * dice.random(), at)
            if 8 <= hour < 18:
                demo.spend(DESK, 2.0 * dice.random(), at)
            if hour == 2:
                demo.spend(BATCH, 18.0, at)


def traffic(demo: Demo, after_each_minute: Callable[[], object]) -> None:
    """Six hours of it; what a disabled key asks for is refused."""
    dice = Random(7)
    for minute in range(HOURS * 60):
        for name in (BOT, DESK, BATCH, SPIKY):
            usd = spent_in(name, minute, dice)
            if usd:
                demo.spend(name, usd, demo.now + 20)
        demo.now += 60
        after_each_minute()


def product_on(demo: Demo, policy: Policy) -> list[Event]:
    """The product watches: a run at the end of each minute of traffic."""
    product = Product(demo, policy)
    product.tick()
    traffic(demo, product.tick)
    return product.bus.events


def plan_on(demo: Demo, policy: Policy, matters_usd: float = 0.0) -> Played:
    account = demo.account()
    start, end = START, START + timedelta(hours=HOURS)
    source = Source(Asking(demo.client.analytics), account.keys, None, Output(), matters_usd)
    return Play(policy, account, source.fetch(start, end).history, start, end).run()


@pytest.fixture(scope="module")
def demo() -> Iterator[Callable[[], Demo]]:
    """Makes organizations, each with the same forty days behind it."""
    with ExitStack() as stack:

        def make() -> Demo:
            made = Demo()
            stack.callback(made.close)
            made.declare(ORGANIZATION)
            past_of(made)
            return made

        yield make


@pytest.fixture(scope="module")
def both(demo: Callable[[], Demo]) -> tuple[list[Event], Played]:
    """The product on an organization that it watches, and the plan for its twin, which nobody watched."""
    unwatched = demo()
    traffic(unwatched, lambda: None)
    return product_on(demo(), POLICY), plan_on(unwatched, POLICY)


def test_every_event_of_the_product_is_in_the_plan_at_the_same_minute(both):
    done, planned = both

    assert [_seen(event) for event in done] == [_seen(event) for event in planned.events]


def _seen(event: Event) -> tuple[str, str, datetime, str, str]:
    return event.detail_type.value, event.subject, event.occurred_at.astimezone(UTC), event.reason, event.id


def test_the_demo_has_all_that_a_plan_tells_of(both):
    done, _ = both
    kinds = {event.detail_type for event in done}

    assert kinds >= {
        DetailType.BUDGET_THRESHOLD_REACHED,
        DetailType.RUNAWAY_SUSPECTED,
        DetailType.RUNAWAY_CONFIRMED,
        DetailType.KEY_DISABLED,
        DetailType.DISABLE_WITHHELD,
    }


def test_what_is_known_by_the_hour_only_gives_the_same_decisions_within_the_hour(demo):
    """Analytics kept no minutes: the same keys are decided on, for the same reasons, and the plan knows how coarse."""
    unwatched = demo()
    traffic(unwatched, lambda: None)
    # The simulator forgets minutes once there is traffic two days later.
    unwatched.spend(BOT, 0.01, unwatched.now + 3 * DAY)
    account = unwatched.account()
    end = START + timedelta(hours=HOURS)
    fetched = Source(Asking(unwatched.client.analytics), account.keys, None, Output(), 0.0).fetch(START, end)
    done, planned = product_on(demo(), POLICY), Play(POLICY, account, fetched.history, START, end).run()

    assert fetched.by_minute == 0
    assert fetched.by_hour > HOURS
    assert any("tells no minutes" in note for note in fetched.notes)
    asked = (DetailType.KEY_DISABLED, DetailType.DISABLE_WITHHELD)
    decided = {_decided(event): event.occurred_at for event in done if event.detail_type in asked}
    guessed = {_decided(event): event.occurred_at for event in planned.events if event.detail_type in asked}
    assert guessed.keys() == decided.keys()
    assert all(abs(guessed[one] - decided[one]) <= timedelta(hours=1) for one in decided)


def _decided(event: Event) -> tuple[str, str, str, str]:
    evidence = event.evidence
    return event.detail_type.value, event.subject, evidence["cause"], evidence["rule"]


def test_minutes_that_are_left_out_would_have_decided_nothing(demo, monkeypatch):
    """Three days of habit with two loops, played as they are and minute by minute: the same to the last event."""
    past = demo()
    for day, name, usd in ((2, BOT, 9.0), (1, SPIKY, 4.0)):
        for minute in range(40):
            past.spend(name, usd, START.timestamp() - day * DAY - 5 * 3600 + minute * 60)
    account, start = past.account(), START - timedelta(days=3)
    history = Source(Asking(past.client.analytics), account.keys, None, Output()).fetch(start, START).history
    ticks: list[int] = []
    tick = Play._tick

    def counted(play: Play, minute: int) -> None:
        ticks.append(minute)
        tick(play, minute)

    monkeypatch.setattr(Play, "_tick", counted)

    left_out = Play(POLICY, account, history, start, START).run()
    played = len(ticks)
    monkeypatch.setattr(Play, "_is_still", lambda self, minute: False)
    whole = Play(POLICY, account, history, start, START).run()

    assert [_seen(event) for event in left_out.events] == [_seen(event) for event in whole.events]
    assert left_out.refused == whole.refused
    assert {event.detail_type for event in whole.events} >= {DetailType.RUNAWAY_SUSPECTED, DetailType.KEY_DISABLED}
    assert played * 2 < len(ticks) - played == 3 * 1440 + 1
