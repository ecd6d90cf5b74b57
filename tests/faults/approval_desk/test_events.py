"""A decision sent as an event, and the run that ends what nobody decided: whatever call fails, once."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from approval_desk import handler
from tests.faults.approval_desk.world import APPROVERS, World
from tests.faults.harness import Ended, Fault, accidents, case, context, deliver

SAMPLES = Path(__file__).resolve().parents[3] / "events" / "approval_desk"
Fresh = Callable[[], World]


def _run(event: Any) -> Callable[[], object]:
    return lambda: handler.lambda_handler(event, context())


def _decided(world: World) -> Any:
    event = json.loads((SAMPLES / "approval_decided.json").read_text())
    event["detail"]["evidence"] |= {**world.arrange(), "by": APPROVERS[0]}
    world.watch()
    return event


def _overdue(world: World) -> Any:
    world.arrange()
    world.now += timedelta(hours=1, minutes=1)
    return json.loads((SAMPLES / "run.json").read_text())


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_a_decision_sent_as_an_event_counts_once(fault: Fault, fresh: Fresh, counted: list[str]) -> None:
    world = fresh()
    for accident in accidents(world.wire.calls_of(_run(_decided(world))), (fault,)):
        with case(counted, accident):
            world = fresh()
            run = _run(_decided(world))
            assert deliver(world.wire, run, accident, after=handler.build.cache_clear) == Ended.DONE
            assert deliver(world.wire, run) == Ended.DONE
            assert world.votes() == [(APPROVERS[0], "approve")]
            assert world.told_once() == ["Approval Granted"]
            assert world.too_early == []


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_what_nobody_decided_is_told_and_written_off(fault: Fault, fresh: Fresh, counted: list[str]) -> None:
    world = fresh()
    for accident in accidents(world.wire.calls_of(_run(_overdue(world))), (fault,)):
        with case(counted, accident):
            world = fresh()
            run = _run(_overdue(world))
            assert deliver(world.wire, run, accident, after=handler.build.cache_clear) == Ended.DONE
            approval = world.approvals.get("request")
            assert approval
            assert approval.state == "expired"
            assert world.told_once() == ["Approval Expired"]
            told = len(world.told)
            assert deliver(world.wire, run) == Ended.DONE
            assert len(world.told) == told, "the next run says nothing"


def test_a_yes_beside_the_run_that_ends_it_is_one_or_the_other(fresh: Fresh, counted: list[str]) -> None:
    world = fresh()
    held = world.arrange()
    world.now += timedelta(hours=1, minutes=1)
    tick = json.loads((SAMPLES / "run.json").read_text())
    for at in range(len(world.wire.calls_of(_run(tick)))):
        with case(counted, at):
            world = fresh()
            held = world.arrange()
            world.now += timedelta(hours=1, minutes=1)
            request = world.click(APPROVERS[0], "approve", held)

            def vote(world: World = world, request: Any = request) -> None:
                world.run(request)

            with world.wire.beside(vote, at):
                assert deliver(world.wire, _run(tick)) == Ended.DONE
            assert world.votes() == []
            assert world.told_once() == ["Approval Expired"]
            assert "expired" in world.slack.told(APPROVERS[0])[-1]
