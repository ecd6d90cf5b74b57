"""Every call of the desk fails in every way: a bulk order is frozen once, and asked for once as it was frozen."""

from collections.abc import Callable
from functools import partial

import pytest

from governor.approvals.approval import Vote
from governor.keys.bulk_order import KIND, BulkOrders
from governor.ledger.dynamodb import DynamoLedger
from tests.faults.approval_desk.world import APPROVERS, OWNER, World
from tests.faults.clients import client
from tests.faults.harness import Fault, Wire, accidents, case

Fresh = Callable[[], World]
FAULTS = pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
UNREAD = ("secrets-manager.GetSecretValue", "slack.auth.test", "slack.users.info")


def orders() -> BulkOrders:
    return BulkOrders(DynamoLedger(client("dynamodb"), "decisions"))


@FAULTS
def test_an_order_is_frozen_and_asked_for_once_and_the_request_holds_its_digest(
    fault: Fault, wire: Wire, fresh: Fresh, counted: list[str]
) -> None:
    world = fresh()
    request = world.command(OWNER, "rotate all because leaked")
    calls = wire.calls_of(partial(world.run, request))
    for accident in accidents(calls, (fault,)):
        if accident.name in UNREAD:
            continue  # who asks is another test's; nothing is begun before it is known
        with case(counted, f"{accident}"):
            world = fresh()
            world.watch()
            request = world.command(OWNER, "rotate all because leaked")
            world.drain(request, accident)
            world.wire.begin()
            assert world.told_once() == ["Approval Requested"]
            assert world.too_early == []
            (asked,) = world.approvals.pending()
            order = orders().get(asked.request.id)
            assert order
            assert asked.request.kind == KIND
            assert asked.request.change["lineages"] == order.digest
            assert len(order.lineages) == 2


@FAULTS
def test_a_stop_is_written_once_whatever_fails(fault: Fault, wire: Wire, fresh: Fresh, counted: list[str]) -> None:
    def running() -> tuple[World, str]:
        world = fresh()
        world.drain(world.command(OWNER, "rotate all because leaked"))
        (asked,) = world.approvals.pending()
        for lead in APPROVERS[:2]:
            world.approvals.vote(asked.request.id, asked.request.digest, Vote(lead, lead, "approve", world.now))
        return world, asked.request.id

    world, id = running()
    request = world.click(APPROVERS[2], "stop", {"order": id})
    calls = wire.calls_of(partial(world.run, request))
    for accident in accidents(calls, (fault,)):
        if accident.name in UNREAD:
            continue
        with case(counted, f"{accident}"):
            world, id = running()
            request = world.click(APPROVERS[2], "stop", {"order": id})
            world.drain(request, accident)
            world.wire.begin()
            said = orders().said(id)
            assert said
            assert (said.word, said.by, said.turn) == ("stop", APPROVERS[2], 1)
