"""Decisions from many clients at once: exactly one wins, over the ledger in memory and over DynamoDB."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from approval_desk import handler
from governor.approvals.approval import Approval
from tests.faults.approval_desk.world import APPROVERS, World
from tests.faults.harness import Ended, Wire, case, context, invoke
from tests.faults.turns import in_turns
from tests.unit.approval_desk.desk import Desk, click

Fresh = Callable[[], World]
SEEDS = 25


def _delivery(world: World, request: Any) -> Callable[[], object]:
    record = {"messageId": "m1", "body": request.encode(), "attributes": {"ApproximateReceiveCount": "1"}}

    def run() -> None:
        answer = handler.lambda_handler({"Records": [record]}, context())
        if answer["batchItemFailures"]:
            raise RuntimeError("it comes again")

    return run


def _decided(world: World, runs: Sequence[Callable[[], object]], seed: int) -> Approval:
    """All of them beside each other; what failed is delivered again, as the queue would."""
    ended = in_turns(world.wire, runs, seed)
    for run, how in zip(runs, ended, strict=True):
        if how != Ended.DONE:
            assert invoke(world.wire, run) == Ended.DONE
    approval = world.approvals.get("request")
    assert approval
    return approval


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_of_many_approvals_at_once_as_many_count_as_are_needed(
    needed: int, fresh: Fresh, wire: Wire, counted: list[str]
) -> None:
    for seed in range(SEEDS):
        with case(counted, seed):
            world = fresh()
            held = world.arrange(needed)
            runs = [_delivery(world, world.click(user, "approve", held)) for user in APPROVERS[:5]]
            approval = _decided(world, runs, seed)
            assert (approval.state, len(set(approval.approved_by))) == ("granted", needed)
            assert sorted(world.told_once()) == ["Approval Counted"] * (needed - 1) + ["Approval Granted"]


def test_of_yes_and_no_at_once_one_wins_and_the_other_is_told(fresh: Fresh, wire: Wire, counted: list[str]) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(SEEDS):
        with case(counted, seed):
            world = fresh()
            held = world.arrange()
            requests = [world.click(APPROVERS[0], "approve", held), world.reason(APPROVERS[1], held)]
            approval = _decided(world, [_delivery(world, request) for request in requests], seed)
            assert len(approval.votes) == 1
            assert world.told_once() == [f"Approval {approval.state.title()}"]
            answers = [world.slack.told(user)[-1] for user in APPROVERS[:2]]
            assert sum("already" in answer for answer in answers) == 1
            outcomes[approval.state] += 1
    assert set(outcomes) == {"granted", "rejected"}, "the seeds always let the same one win"


def test_a_double_click_at_once_is_one_vote(fresh: Fresh, wire: Wire, counted: list[str]) -> None:
    for seed in range(SEEDS):
        with case(counted, seed):
            world = fresh()
            held = world.arrange(needed=2)
            runs = [_delivery(world, world.click(APPROVERS[0], "approve", held, n)) for n in range(3)]
            approval = _decided(world, runs, seed)
            assert (approval.state, approval.approved_by) == ("pending", (APPROVERS[0],))
            assert world.told_once() == ["Approval Counted"]


def test_threads_over_the_ledger_in_memory_agree_too(counted: list[str]) -> None:
    clients = tuple(f"U0LEAD{number}" for number in range(16))
    for attempt in range(20):
        with case(counted, attempt):
            desk = Desk()
            held = desk.asked(needed=3, approvers=clients)
            start, rules = threading.Barrier(len(clients)), list[str]()

            def one(user: str, desk: Desk = desk, held: Any = held, start: Any = start, rules: Any = rules) -> None:
                start.wait()
                rules.append(desk.does(click(user, "approve", held)))

            threads = [threading.Thread(target=one, args=(user,)) for user in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert Counter(rules) == {"counted": 2, "granted": 1 + len(clients) - 3}
            approval = desk.approvals.get(held["approval"])
            assert approval
            assert len(set(approval.approved_by)) == 3
            told = {event.id: event.detail_type for event in desk.bus.events}
            assert Counter(told.values()) == {"Approval Counted": 2, "Approval Granted": 1}
