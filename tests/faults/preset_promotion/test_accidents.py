"""Whatever befalls any outside call, retries and runs bring a promotion to the one end that it can have."""

from collections.abc import Callable

import pytest

from sandbox.openrouter.scripts import Script
from tests.faults.harness import Accident, Wire, case
from tests.faults.preset_promotion.history import granted, requested
from tests.faults.preset_promotion.opening import Worlds
from tests.faults.preset_promotion.promises import BEFORE, CANDIDATE, assert_kept, befall, looked_at, mishaps, run
from tests.faults.preset_promotion.world import PRODUCTION, World
from tests.faults.stage import Photo


def _asked(calls: list[str], accident: Accident) -> list[str]:
    """What people are told: a golden case that the candidate leaves unanswered, twice, blocks it."""
    unanswered = accident.lasting and accident.at == calls.index("openrouter.POST /api/v1/chat/completions")
    return ["Preset Promotion Failed" if unanswered else "Approval Requested"]


def test_any_call_of_a_request_may_fail_and_people_are_asked_once(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = requested(fresh)
    world = fresh(before)
    calls = wire.calls_of(world.request())
    for accident in mishaps(calls):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.request(), accident)
            assert world.kinds() == _asked(calls, accident)
            assert len(world.rows("approval")) == _asked(calls, accident).count("Approval Requested")
            assert world.versions() == [BEFORE]
            assert_kept(world)


def test_any_call_of_a_run_that_finds_a_new_version_may_fail_and_people_are_asked_once(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = requested(fresh)
    world = fresh(before)
    calls = wire.calls_of(world.tick())
    for accident in mishaps(calls):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.tick(), accident)
            assert world.kinds() == _asked(calls, accident)
            assert world.versions() == [BEFORE]
            assert_kept(world)


def test_any_call_of_a_grant_may_fail_and_the_version_is_promoted_once(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = granted(fresh)
    world = fresh(before)
    for accident in mishaps(wire.calls_of(world.granted())):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.granted(), accident)
            assert_kept(world)
            if world.kinds()[-1] == "Preset Rolled Back":
                # The smoke request was the call that failed, and went on failing.
                assert (accident.lasting, accident.name.endswith("/chat/completions")) == (True, True)
                assert world.versions() == [BEFORE, CANDIDATE, BEFORE]
            else:
                assert world.kinds() == ["Approval Requested", "Preset Promoted"]
                assert world.versions() == [BEFORE, CANDIDATE]
                assert world.outcomes() == ["promoted"]


def loses_a_field(world: World) -> None:
    world.simulator.lose_fields("temperature")


def does_not_answer(world: World) -> None:
    world.simulator.organization.outages = dict.fromkeys(("anthropic", "amazon-bedrock", "google-vertex"), 503)


@pytest.mark.parametrize("trouble", [loses_a_field, does_not_answer])
def test_any_call_may_fail_while_a_bad_version_is_taken_back(
    trouble: Callable[[World], None], wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    before = _asked_about(fresh, trouble)
    world = fresh(before)
    for accident in mishaps(wire.calls_of(world.granted())):
        if trouble is does_not_answer and not accident.fault.kills:
            continue  # but for the smoke request the calls are those of the other trouble
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.granted(), accident)
            assert world.serves() == PLAIN
            assert world.kinds()[-2:] == ["Preset Promotion Failed", "Preset Rolled Back"]
            assert world.outcomes()[-1] == "taken back"
            assert "Preset Promoted" not in world.kinds()


# The way back must not lose the field too, so this former config has none.
PLAIN = ("You sort tickets.", {"model": "anthropic/claude-haiku-4.5"})


def _asked_about(fresh: Worlds, trouble: Callable[[World], None]) -> Photo:
    world = fresh()
    world.save(PRODUCTION, *PLAIN)
    looked_at(world)
    run(world, world.request())
    world.decide()
    trouble(world)
    return fresh.photo()


def test_smoke_answers_come_from_the_preset_itself(fresh: Worlds) -> None:
    world = fresh(granted(fresh))
    world.simulator.organization.scripts = [Script("Yes.", prompt="Are you there", system="JSON")]
    run(world, world.granted())
    assert world.serves() == CANDIDATE
