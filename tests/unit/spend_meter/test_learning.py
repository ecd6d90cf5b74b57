"""A cold subject's baseline is asked of analytics, a few at a time, and again later when it fails."""

from typing import Any

import pytest

from governor.keys.lineage import Lineage, LineageKey, Lineages
from spend_meter.codec import Codec
from spend_meter.history import History
from spend_meter.learning import Attempt, due
from tests.unit.spend_meter.test_run import WORKLOAD


def history(world: Any, subject: str) -> History:
    return History.from_bytes(Codec().decode(world.stored()).habits[subject])


def test_an_old_key_knows_its_habits_a_run_after_it_first_spent(world: Any) -> None:
    one = world.account.add("old")
    world.tick()

    world.accustom(one, usd_a_day=5.0)

    assert Codec().decode(world.stored()).learning == {}
    assert history(world, one).maxima(1440)[0] == 5.0


def test_five_subjects_are_asked_about_in_one_run(world: Any) -> None:
    hashes = [world.account.add(f"k{number}") for number in range(12)]
    world.tick()
    for hash in hashes:
        world.account.spend(hash, 0.01)
    world.tick()
    world.account.asked.clear()

    counts = []
    for _ in range(4):
        world.tick()
        counts.append(world.account.asked.count("/analytics/query"))
        world.account.asked.clear()

    assert counts == [5, 5, 2, 0]


def test_a_failed_question_is_asked_again_later_and_less_often(world: Any) -> None:
    one = world.account.add("old")
    world.tick()
    world.account.failing = lambda request: 500 if request.url.path.endswith("/analytics/query") else None
    world.account.spend(one, 0.01)
    world.tick()
    world.account.asked.clear()

    for _ in range(60):
        world.tick()

    assert world.account.asked.count("/analytics/query") == 3  # at once, after 10 minutes, after 20 more
    assert history(world, one).days_seen == 0


def test_a_key_is_learned_within_an_hour_after_a_bad_night_of_analytics(world: Any) -> None:
    one = world.account.add("old")
    world.tick()
    world.account.failing = lambda request: 500 if request.url.path.endswith("/analytics/query") else None
    world.account.spend(one, 0.01)
    for _ in range(8 * 60):
        world.tick()

    world.account.failing = lambda request: None
    for _ in range(60):
        world.tick()

    assert Codec().decode(world.stored()).learning == {}
    assert history(world, one).days_seen == 28


def test_subjects_about_which_every_question_fails_hold_up_no_new_one() -> None:
    failing = {f"failing-{number}": Attempt(next_at=number, count=9) for number in range(1000)}

    assert due({**failing, "new": Attempt(next_at=5000, count=0)}, 5000)[0] == "new"


@pytest.mark.parametrize(("counted", "habit"), [(True, 5.0), (False, 1.0)])
def test_byok_spend_is_learned_where_the_keys_limit_counts_it(world: Any, counted: bool, habit: float) -> None:
    one = world.account.add("old", include_byok_in_limit=counted)
    world.account.spend(one, 3, kind="byok_usage")
    world.tick()
    world.accustom(one, usd_a_day=1.0, byok_usd_a_day=4.0)

    assert Codec().decode(world.stored()).learning == {}
    assert history(world, one).maxima(1440)[0] == habit


def test_a_lineage_of_keys_that_count_differently_is_asked_about_twice(world: Any) -> None:
    world.with_policy(workloads=[{**WORKLOAD, "key": {"include_byok_in_limit": False}}])
    old = world.account.add("prod-agent#1", include_byok_in_limit=True)
    world.account.add("prod-agent#2")
    world.tick()
    world.account.asked.clear()
    world.accustom(old, usd_a_day=1.0, byok_usd_a_day=4.0)

    assert world.account.asked.count("/analytics/query") == 2
    # The double answers every question with all rows: 1 + 4 for the one key, 1 for the other.
    assert history(world, "prod-agent").maxima(1440)[0] == 6.0


def test_an_answer_that_left_a_key_out_teaches_nothing(world: Any) -> None:
    one = world.account.add("old")
    world.tick()
    world.account.warnings = ["api_key_id ... could not be resolved"]
    world.accustom(one)

    assert history(world, one).days_seen == 0
    assert one in Codec().decode(world.stored()).learning


@pytest.mark.parametrize("renamed", [False, True])
def test_a_workload_whose_first_spend_is_by_a_key_made_today_knows_what_its_older_key_spent(
    world: Any, renamed: bool
) -> None:
    world.with_policy(workloads=[{**WORKLOAD, "runaway": {"mode": "disable"}}])
    world.remember()
    world.account.add("prod-agent")
    world.tick()
    new = world.account.add("prod-agent#1", made=world.at)
    keys = tuple(LineageKey(hash, "prod-agent", "overlap", world.at) for hash in world.account.keys)
    Lineages(world.ledger).write(Lineage("prod-agent", keys))
    world.tick(minutes=5)
    if renamed:
        world.account.keys[new]["name"] = "batch"
    world.accustom(new)

    assert history(world, "prod-agent").days_seen == 28
    world.burn(new, 500, minutes=3)
    assert [event.subject for event in world.bus.of("Runaway Confirmed")] == ["prod-agent"]


def test_a_workload_whose_older_key_could_not_be_read_is_asked_about_once_it_can_be(world: Any) -> None:
    world.with_policy(workloads=[WORKLOAD])
    world.account.workspaces["ws-2"] = "other"
    old = world.account.add("prod-agent", workspace="ws-2")
    world.tick()
    new = world.account.add("prod-agent#1", made=world.at)
    keys = tuple(LineageKey(hash, "prod-agent", "overlap", world.at) for hash in (old, new))
    Lineages(world.ledger).write(Lineage("prod-agent", keys))
    world.account.failing = lambda request: 500 if request.url.params.get("workspace_id") == "ws-2" else None
    world.tick(minutes=5)
    world.accustom(new)
    assert history(world, "prod-agent").days_seen == 0

    world.account.failing = lambda request: None
    for _ in range(12):
        world.tick()
    assert history(world, "prod-agent").days_seen == 28


def test_a_workload_that_spends_first_when_its_older_key_is_deleted_knows_what_that_one_spent(world: Any) -> None:
    """A rotation before it ever spent made a stranger of it, whose loops were suspected and never stopped."""
    world.with_policy(workloads=[{**WORKLOAD, "runaway": {"mode": "disable"}}])
    world.remember()
    old = world.account.add("prod-agent")
    world.tick()
    world.tick()
    new = world.account.add("prod-agent#1", made=world.at)
    Lineages(world.ledger).write(Lineage("prod-agent", (LineageKey(new, "prod-agent#1", "current", world.at),)))
    del world.account.keys[old]
    world.account.analytics = []
    world.tick(minutes=5)

    assert Codec().decode(world.stored()).learning == {}
    world.burn(new, 500, minutes=3)
    assert history(world, "prod-agent").days_seen == 28
    assert [event.subject for event in world.bus.of("Runaway Confirmed")] == ["prod-agent"]


def test_a_key_made_today_has_nothing_to_be_asked_about(world: Any) -> None:
    world.tick()
    one = world.account.add("new", made=world.at)
    world.account.spend(one, 1)
    world.tick()

    assert Codec().decode(world.stored()).learning == {}
