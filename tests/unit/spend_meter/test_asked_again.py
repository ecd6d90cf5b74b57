"""A disable that the kill switch withheld for now is asked again, once, when it is due."""

from datetime import timedelta
from typing import Any

from governor.clock import format_instant
from governor.events import Event
from governor.ledger import ABSENT, Put

WORKLOAD = {
    "name": "agent",
    "workspace": "platform",
    "owner": {"slack": "U0AGENT"},
    "secret": "openrouter/agent",
    "key": {"limit_usd": 200, "limit_reset": "monthly"},
    "rotation": {"every": "60d"},
    "budget": {"disable_at": 0.9},
}


def withheld(world: Any, event: Event, again: timedelta, cause: str, subject: str) -> None:
    """As the kill switch notes it."""
    sk = f"{subject}#due#{cause}"
    row = world.ledger.get("detector", sk)
    data: dict[str, Any] = {"kind": "due", "subject": subject, "cause": cause, "trigger": event.id}
    data |= {"again_at": format_instant(world.at + again), "at": format_instant(world.at), "asked": 0}
    world.ledger.commit(Put("detector", sk, data, row.version if row else ABSENT))


def over_its_cap(world: Any) -> str:
    world.with_policy(workloads=[WORKLOAD])
    hash = str(world.account.add("agent", limit=500.0, limit_remaining=500.0, limit_reset="monthly"))
    world.tick()
    world.account.spend(hash, 190)
    world.tick()
    return hash


def test_a_runaway_that_was_not_borne_out_is_told_again_on_the_next_reading(world: Any) -> None:
    hash = world.account.add("loop")
    world.tick()
    world.accustom(hash)
    world.burn(hash, 500, minutes=3)
    (confirmed,) = world.bus.of("Runaway Confirmed")
    withheld(world, confirmed, timedelta(0), "runaway", hash)

    world.burn(hash, 500, minutes=1)
    assert len(world.bus.of("Runaway Confirmed")) == 2

    world.burn(hash, 500, minutes=5)
    assert len(world.bus.of("Runaway Confirmed")) == 2


def test_a_budget_whose_disable_waits_is_told_again_when_it_is_due_and_only_then(world: Any) -> None:
    over_its_cap(world)
    (reached,) = world.bus.of("Budget Threshold Reached")
    assert reached.evidence["disable"] is True
    withheld(world, reached, timedelta(hours=12), "budget", "agent")

    for _ in range(10):
        world.tick()
    assert len(world.bus.of("Budget Threshold Reached")) == 1
    for hours in (12, 13, 14):
        world.tick(minutes=60 * hours)

    (_, again) = world.bus.of("Budget Threshold Reached")
    assert again.evidence["disable"] is True
    assert again.evidence["threshold"] == 0.9


def test_a_disable_that_is_withheld_each_day_is_asked_each_day(world: Any) -> None:
    over_its_cap(world)
    for day in range(1, 4):
        withheld(world, world.bus.of("Budget Threshold Reached")[-1], timedelta(hours=24), "budget", "agent")
        for _ in range(5):
            world.tick(minutes=6 * 60)
        assert len(world.bus.of("Budget Threshold Reached")) == 1 + day


def test_nothing_is_asked_again_once_the_period_is_over_or_no_key_lives(world: Any) -> None:
    hash = over_its_cap(world)
    withheld(world, world.bus.of("Budget Threshold Reached")[-1], timedelta(minutes=5), "budget", "agent")
    world.account.keys[hash]["disabled"] = True
    for _ in range(10):
        world.tick()
    world.account.keys[hash] |= {"disabled": False, "usage_monthly": 0.0}
    world.tick(at=world.at.replace(month=12, day=1))

    assert len(world.bus.of("Budget Threshold Reached")) == 1


def test_nothing_is_asked_again_while_a_human_says_that_the_spend_is_meant(world: Any) -> None:
    over_its_cap(world)
    withheld(world, world.bus.of("Budget Threshold Reached")[-1], timedelta(minutes=1), "budget", "agent")
    until = {"kind": "expected", "until": format_instant(world.at + timedelta(hours=2))}
    world.ledger.commit(Put("detector", "agent#expected", until, ABSENT))

    for _ in range(10):
        world.tick()

    assert len(world.bus.of("Budget Threshold Reached")) == 1
