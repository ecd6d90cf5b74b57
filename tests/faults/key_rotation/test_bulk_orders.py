"""Whatever befalls a bulk order, each of its keys is replaced once, none is forgotten, and a stop stops it."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

import key_planning.handler
from governor.approvals.approval import Request, Vote
from governor.keys.bulk_order import KIND, BulkOrder, BulkOrders, Frozen, Word, asker, token_of
from governor.keys.lineage import Lineage
from governor.ledger.dynamodb import DynamoLedger
from tests.faults.clients import client
from tests.faults.harness import Accident, Ended, Fault, Wire, accidents, case, context, deliver, invoke, writes
from tests.faults.key_rotation.opening import Worlds, worlds
from tests.faults.key_rotation.test_batches import BATCH, NAMES, Batch
from tests.faults.key_rotation.world import DECISIONS, World
from tests.faults.stage import Photo

LEADS = ("U0LEAD", "U0SEC", "U0CISO")
POLICY: dict[str, Any] = deepcopy(BATCH)
POLICY["approvals"]["approvers"] = [*LEADS]
ONE, OTHER = "order-1", "order-2"
FAULTS = pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())


@pytest.fixture
def ordered(wire: Wire) -> Iterator[Worlds]:
    with worlds(wire, POLICY) as stage:
        yield stage


class Orders:
    """Bulk orders over the three workloads of a batch."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def stored(self) -> BulkOrders:
        return BulkOrders(DynamoLedger(client("dynamodb"), DECISIONS))

    def approved(self, id: str = ONE) -> None:
        """As the desk leaves it: the list frozen, the request stored, and two who approved it."""
        self.world.wire.begin()
        rows, now = self.world.aws.rows("lineage"), self.world.now
        lineages = [Lineage.of(rows[name]) if name in rows else Lineage(name) for name in NAMES]
        order = self.stored.freeze(BulkOrder(id, "all", "", "leaked", tuple(map(Frozen.at, lineages))), now)
        change = {"scope": "all", "of": "", "because": "leaked", "count": len(NAMES), "lineages": order.digest}
        request = Request(
            id, KIND, "account", "U0OWNER", now, now + timedelta(hours=24), change, LEADS, 2, order.name
        )  # fmt: skip
        approvals = self.world.approvals()
        approvals.ask(request)
        for lead in LEADS[:2]:
            approvals.vote(id, request.digest, Vote(f"{id} {lead}", lead, "approve", now))

    def turn(self, id: str = ONE) -> Callable[[], object]:
        """A delivery of the order's message."""
        return partial(_taken, json.dumps({"bulk": id}))

    def rotation(self, name: str, id: str = ONE) -> Callable[[], object]:
        """A delivery of one rotation's message."""
        return partial(_taken, json.dumps({"workload": name, "why": "asked", "by": asker(id)}))

    def grant(self, id: str = ONE) -> Callable[[], object]:
        evidence = {
            "approval": id, "kind": KIND, "digest": "d", "name": "n", "requested_by": "U0OWNER", "approvers": [],
            "needed": 2, "expires_at": "2026-03-12T02:00:00Z", "change": {},
        }  # fmt: skip
        event = {**self.world.request("Approval Granted", f"grant-{id}", **evidence), "source": "governor"}
        return lambda: key_planning.handler.lambda_handler(event, context())

    def say(self, word: Word, id: str = ONE) -> None:
        self.stored.say(id, word, LEADS[0], self.world.now)

    def work_off(self, rounds: int = 4) -> None:
        """What is in the queue, until it is empty but for orders that wait: each comes again as often as it must."""
        for _ in range(rounds):
            self.world.later(minutes=10)
            if self.world.queued():
                assert invoke(self.world.wire, self.world.work()) == Ended.DONE

    def asked(self) -> dict[str, list[str]]:
        """The versions of each secret that Secrets Manager was asked to make, by workload."""
        secrets = self.world.aws.secretsmanager.secrets
        return {
            name: [id for id, one in secrets[f"openrouter/{name}"].versions.items()
                   if one["version_stages"] == ["AWSPENDING"]]
            for name in NAMES
        }  # fmt: skip

    def assert_asked_once(self, *ids: str) -> None:
        """Of Secrets Manager, for each workload, by one of these orders."""
        for name, found in self.asked().items():
            assert len(found) == 1, f"{name}: asked for {len(found)} rotations"
            assert found[0] in {token_of(name, asker(id)) for id in ids}

    def rotate_all(self) -> None:
        """Secrets Manager's four steps for whatever is pending, and the end of each overlap."""
        batch = Batch(self.world)
        for name, (token,) in self.asked().items():
            for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
                arn = self.world.aws.secretsmanager.secrets[f"openrouter/{name}"].arn
                event = {"Step": step, "SecretId": str(arn), "ClientRequestToken": token}
                assert invoke(self.world.wire, partial(_stepped, event)) == Ended.DONE
        batch.promises_hold()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The evidence of each event of the kind, each id once."""
        heard = {one["Detail"]["id"]: one["Detail"] for one in self.world.told if one["DetailType"] == kind}
        return [one["evidence"] for one in heard.values()]


def _taken(body: str) -> None:
    answer = key_planning.handler.lambda_handler({"Records": [{"messageId": "m", "body": body}]}, context())
    assert isinstance(answer["batchItemFailures"], list)


def _stepped(event: dict[str, str]) -> None:
    from key_rotation import handler

    handler.lambda_handler(event, context())


def at_writes(calls: list[str], fault: Fault) -> Iterator[Accident]:
    """To fail at a read is to fail before the next write."""
    return (one for one in accidents(calls, (fault,)) if one.at in writes(calls))


def approved(stage: Worlds, *ids: str) -> Photo:
    """Orders of which the grant was heard: their messages lie in the queue."""
    batch = Batch(stage(), found=True)
    orders = Orders(batch.world)
    for id in ids or (ONE,):
        orders.approved(id)
        assert invoke(batch.world.wire, orders.grant(id)) == Ended.DONE
    return stage.photo()


@FAULTS
def test_any_write_of_an_orders_turn_may_fail_and_each_key_is_asked_for_once(
    fault: Fault, wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    photo = approved(ordered)
    for accident in at_writes(wire.calls_of(ordered(photo).work()), fault):
        with case(counted, f"turn: {accident}"):
            orders = Orders(ordered(photo))
            invoke(wire, orders.world.work(), accident)
            orders.work_off()
            orders.assert_asked_once(ONE)


@FAULTS
def test_any_write_of_its_rotations_may_fail_and_each_key_is_asked_for_once(
    fault: Fault, wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    """A throttled `RotateSecret` among them, once and lasting."""
    orders = Orders(ordered(approved(ordered)))
    assert invoke(wire, orders.world.work()) == Ended.DONE
    photo = ordered.photo()
    for accident in at_writes(wire.calls_of(ordered(photo).work()), fault):
        with case(counted, f"rotations: {accident}"):
            orders = Orders(ordered(photo))
            invoke(wire, orders.world.work(), accident)
            orders.work_off()
            orders.assert_asked_once(ONE)


def test_any_call_may_fail_when_the_grant_is_heard_and_it_may_be_heard_twice(
    wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    batch = Batch(ordered(), found=True)
    Orders(batch.world).approved()
    photo = ordered.photo()
    for accident in accidents(wire.calls_of(Orders(ordered(photo)).grant())):
        with case(counted, f"grant: {accident}"):
            orders = Orders(ordered(photo))
            assert deliver(wire, orders.grant(), accident) == Ended.DONE
            assert deliver(wire, orders.grant()) == Ended.DONE
            orders.work_off()
            orders.assert_asked_once(ONE)


def test_two_turns_of_an_order_beside_each_other_ask_for_each_key_once(
    wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    photo = approved(ordered)
    for at, name in enumerate(wire.calls_of(Orders(ordered(photo)).turn())):
        with case(counted, f"the other's whole turn before call {at} ({name})"):
            orders = Orders(ordered(photo))
            with wire.beside(orders.turn(), at):
                invoke(wire, orders.turn())
            orders.work_off()
            orders.assert_asked_once(ONE)


def test_two_orders_at_once_replace_each_key_once_and_both_count_it(
    wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    photo = approved(ordered, ONE, OTHER)
    orders = Orders(ordered(photo))
    for id in (ONE, OTHER):
        assert invoke(wire, orders.turn(id)) == Ended.DONE
    both = ordered.photo()
    for at, name in enumerate(wire.calls_of(Orders(ordered(both)).rotation(NAMES[0]))):
        with case(counted, f"the other order's rotation before call {at} ({name})"):
            orders = Orders(ordered(both))
            with wire.beside(orders.rotation(NAMES[0], OTHER), at):
                invoke(wire, orders.rotation(NAMES[0]))
            orders.work_off()
            orders.assert_asked_once(ONE, OTHER)
    orders.rotate_all()
    for _ in range(2):
        for id in (ONE, OTHER):
            assert invoke(wire, orders.turn(id)) == Ended.DONE
    counts = {one["order"]: one["rotated"] for one in orders.told("Bulk Rotation Progressed")}
    assert counts == {ONE: len(NAMES), OTHER: len(NAMES)}
    assert all(len(Batch(orders.world).hashes(name)) == 2 for name in NAMES)


def test_a_single_rotation_beside_an_order_replaces_its_key_once(
    wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    orders = Orders(ordered(approved(ordered)))
    assert invoke(wire, orders.turn()) == Ended.DONE
    photo = ordered.photo()

    def single(world: World) -> None:
        event = world.request("Rotation Requested", "asked", requested_by="U0LEAD")
        event["detail"]["subject"] = NAMES[0]
        key_planning.handler.lambda_handler(event, context())

    for at, name in enumerate(wire.calls_of(Orders(ordered(photo)).rotation(NAMES[0]))):
        with case(counted, f"a person's rotation before call {at} ({name})"):
            orders = Orders(ordered(photo))
            with wire.beside(partial(single, orders.world), at):
                invoke(wire, orders.rotation(NAMES[0]))
            orders.work_off()
            assert [len(found) for found in orders.asked().values()] == [1, 1, 1]


@pytest.mark.parametrize("word", ["stop", "pause"])
def test_a_word_between_any_two_calls_lets_no_more_begin_than_the_one_that_was_at_the_door(
    word: Word, wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    orders = Orders(ordered(approved(ordered)))
    assert invoke(wire, orders.turn()) == Ended.DONE
    photo = ordered.photo()
    for at, name in enumerate(wire.calls_of(ordered(photo).work())):
        with case(counted, f"{word} before call {at} ({name})"):
            orders = Orders(ordered(photo))
            before: list[int] = []

            def said(orders: Orders = orders, before: list[int] = before) -> None:
                orders.say(word)
                before.append(sum(map(len, orders.asked().values())))

            with wire.beside(said, at):
                invoke(wire, orders.world.work())
            orders.work_off()
            begun = sum(map(len, orders.asked().values()))
            assert begun <= before[0] + 1
            orders.world.later(hours=2)
            orders.work_off()
            assert sum(map(len, orders.asked().values())) == begun


def test_an_order_ends_once_and_its_message_with_it_wherever_its_last_turn_dies(
    wire: Wire, ordered: Worlds, counted: list[str]
) -> None:
    orders = Orders(ordered(approved(ordered)))
    orders.work_off()
    orders.rotate_all()
    assert invoke(wire, orders.turn()) == Ended.DONE
    assert orders.told("Bulk Rotation Ended") == []
    orders.world.later(hours=25)
    photo = ordered.photo()
    calls = wire.calls_of(Orders(ordered(photo)).turn())
    for at in writes(calls):
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            with case(counted, f"last turn {fault} {calls[at]}"):
                orders = Orders(ordered(photo))
                invoke(wire, orders.turn(), Accident(at, fault, calls[at]))
                for _ in range(2):
                    assert invoke(wire, orders.turn()) == Ended.DONE
                (ended,) = orders.told("Bulk Rotation Ended")
                assert (ended["rotated"], ended["behind_count"]) == (3, 3)
                assert orders.world.outcome(ONE) == "done"


def test_the_rotations_of_an_order_say_so_and_others_do_not(wire: Wire, ordered: Worlds) -> None:
    orders = Orders(ordered(approved(ordered)))
    orders.work_off()
    orders.rotate_all()
    for _ in range(40):
        orders.world.later(hours=12)
        assert invoke(orders.world.wire, orders.world.tick()) == Ended.DONE
    for kind in ("Rotation Started", "Key Rotated", "Key Retired"):
        assert [one["order"] for one in orders.told(kind)] == [ONE] * len(NAMES)


def test_an_old_key_of_an_order_that_somebody_deletes_is_told_by_itself(wire: Wire, ordered: Worlds) -> None:
    orders = Orders(ordered(approved(ordered)))
    orders.work_off()
    orders.rotate_all()
    lineage = Lineage.of(orders.world.aws.rows("lineage")[NAMES[0]])
    [old] = [key for key in lineage.keys if key.state == "overlap"]
    assert old.order == ONE
    orders.world.simulator.organization.delete_key(old.hash)
    for _ in range(3):
        orders.world.later(minutes=10)
        assert invoke(orders.world.wire, orders.world.tick()) == Ended.DONE
    assert [(one["key"]["hash"], one["order"]) for one in orders.told("Key Retired")] == [(old.hash, "")]
