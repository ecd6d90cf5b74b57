"""How a bulk order goes on: what begins next, where each lineage stands, and what holds it up."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from governor.approvals.approval import Kind, Request, Vote
from governor.approvals.store import Approvals
from governor.events import DetailType, Event
from governor.events.evidence import Cause
from governor.keys.bulk_order import KIND, BulkOrder, BulkOrders, Frozen, Word, asker, token_of
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import Asked, Lineage, LineageKey, Lineages, Rotation
from governor.ledger import MemoryLedger
from governor.policy import Policy
from governor.secrets import SecretUnavailable
from governor.secrets.versions import SecretVersions
from key_planning.ports import Ports
from key_planning.service import KeyPlanning
from key_planning.settings import Message, Ordered, received

NOW = datetime(2026, 3, 11, 2, 44, tzinfo=UTC)
LEADS = ("U0LEAD", "U0SEC", "U0CISO")
ID = "order-1"
NAMES = tuple(f"prod-{number:02}" for number in range(30))


class Secrets:
    """Remembers what was asked of Secrets Manager, by token; `throttled` secrets refuse."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.throttled: set[str] = set()

    def rotate(self, secret: str, token: str, _arn: str, _days: int) -> None:
        if secret in self.throttled:
            raise SecretUnavailable(f"secret {secret}: throttled")
        self.asked[token] = secret


class Queue:
    """The rotations' queue: what was sent, and how soon a message comes back."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, str]] = []
        self.soon: list[str] = []

    def send(self, bodies: Sequence[str]) -> None:
        self.bodies += [json.loads(body) for body in bodies]

    def back_after(self, receipt: str, _seconds: int) -> bool:
        self.soon.append(receipt)
        return True


class World:
    """An order over thirty workloads, each with a key in use, that two approved."""

    def __init__(self, approved_by: Sequence[str] = LEADS[:2], by: str = "U0OWNER", at_once: int = 2) -> None:
        self.now, self.events = NOW, list[Event]()
        self.ledger, self.decisions = MemoryLedger(), MemoryLedger()
        self.approvals, self.orders = Approvals(self.ledger, self.decisions), BulkOrders(self.decisions)
        self.lineages, self.secrets, self.queue = Lineages(self.ledger), Secrets(), Queue()
        self.policy = self._policy(at_once)
        for name in NAMES:
            self.lineages.write(Lineage(name, (LineageKey(f"{name}-old".ljust(64, "0"), name, "current", NOW),)))
        frozen = tuple(Frozen.at(self.lineages.get(name)) for name in NAMES)
        self.order = self.orders.freeze(BulkOrder(ID, "workspace", "p", "leaked", frozen), NOW)
        self.ask(by, self.order.digest)
        for number, one in enumerate(approved_by):
            self.approvals.vote(ID, self.request.digest, Vote(f"v{number}", one, "approve", NOW))

    @staticmethod
    def _policy(at_once: int = 2, names: Sequence[str] = NAMES, approvers: Sequence[str] = LEADS) -> Policy:
        workloads = [
            {"name": name, "workspace": "p", "owner": {"slack": "U0OWNER"}, "secret": f"openrouter/{name}"}
            for name in names
        ]
        approvals = {"channel": "C0GOVERNOR", "approvers": [*approvers]}
        more = {"rotations": {"at_once": at_once}, "approvals": approvals}
        return Policy.model_validate({"version": 1, "workloads": workloads, **more})

    def ask(self, by: str, digest: str, kind: Kind = KIND) -> None:
        change = {"scope": "workspace", "of": "p", "because": "leaked", "count": 30, "lineages": digest}
        self.request = Request(
            ID, kind, "p", by, NOW, NOW + timedelta(hours=24), change, (*LEADS, "U0OWNER"), 2, "workspace p"
        )
        self.approvals.ask(self.request)

    @property
    def planning(self) -> KeyPlanning:
        return KeyPlanning(
            Ports(
                self.policy, cast(SecretVersions, self.secrets), self.lineages, CauseStore(self.ledger), self,
                self.queue,
                "arn", self.approvals, self.orders, lambda: self.now, logging.getLogger("key_planning"),
            )
        )  # fmt: skip

    def publish(self, events: Sequence[Event]) -> None:
        self.events += [one for one in events if one.id not in {other.id for other in self.events}]

    def turn(self, received: int = 1) -> bool:
        """One delivery of the order's message; whether it goes back."""
        body = json.dumps({"bulk": ID})
        return bool(self.planning.act([Message("order", body, "receipt", received)]).later)

    def deliver(self, workload: str) -> str:
        """One delivery of a rotation's message: `asked`, `later` or `dropped`."""
        body = json.dumps({"workload": workload, "why": "asked", "by": asker(ID)})
        before = dict(self.secrets.asked)
        if self.planning.act([Message("m", body)]).later:
            return "later"
        return "asked" if self.secrets.asked != before else "dropped"

    def sent(self) -> list[str]:
        """The workloads that were put on the queue since this was last asked."""
        found, self.queue.bodies = [one["workload"] for one in self.queue.bodies if "workload" in one], []
        return found

    def begins(self, name: str, by: str = asker(ID), minutes: float = 0) -> None:
        at = self.now - timedelta(minutes=minutes)
        lineage = self.lineages.get(name)
        self.lineages.write(replace(lineage, rotation=Rotation(token_of(name, by), "asked", at), asked=None))

    def ends(self, name: str, by: str = asker(ID)) -> None:
        """A rotation that came to its end: a new key, the old one in overlap."""
        lineage, token = self.lineages.get(name), token_of(name, by)
        old = [replace(key, state="overlap", since=self.now, until=self.now + timedelta(hours=24))
               for key in lineage.keys if key.state == "current"]  # fmt: skip
        new = LineageKey(f"{name}-{by}".ljust(64, "1"), name, "current", self.now, token=token)
        self.lineages.write(replace(lineage, keys=(*old, new), rotation=None, asked=None))

    def held(self, name: str, cause: Cause = "runaway") -> None:
        CauseStore(self.ledger).write(CauseRow(name, cause, "disabled", "t", ("h",), NOW))

    def says(self, word: Word, by: str = LEADS[0]) -> None:
        self.orders.say(ID, word, by, self.now)

    @property
    def told(self) -> dict[str, Any]:
        """The evidence of the newest event."""
        return dict(self.events[-1].evidence)

    @property
    def state(self) -> str:
        approval = self.approvals.get(ID)
        assert approval
        return approval.state


def test_the_event_of_a_grant_puts_the_orders_message_on_the_queue_and_does_nothing_else() -> None:
    world = World()
    world.planning.act(Ordered(ID))
    assert world.queue.bodies == [{"bulk": ID}]
    assert world.events == []


def test_the_sample_of_a_grant_is_an_order() -> None:
    path = Path(__file__).parents[3] / "events" / "key_planning" / "approval_granted.json"
    assert isinstance(received(json.loads(path.read_text())), Ordered)


def test_the_list_is_sent_in_its_order_a_few_more_than_can_run_and_the_message_is_soon_back() -> None:
    world = World()
    assert world.turn()
    assert world.sent() == [*NAMES[:14]]
    assert world.queue.soon == ["receipt"]
    assert world.turn()
    assert world.sent() == []
    for name in NAMES[:5]:
        world.ends(name)
    assert world.turn()
    assert world.sent() == [*NAMES[14:19]]


def test_a_rotation_is_asked_for_once_however_often_its_message_comes() -> None:
    world = World()
    world.turn()
    assert world.deliver(NAMES[0]) == "asked"
    assert world.deliver(NAMES[0]) == "dropped"  # the same token: the same rotation
    world.begins(NAMES[0])
    assert world.deliver(NAMES[0]) == "dropped"
    world.ends(NAMES[0])
    assert world.deliver(NAMES[0]) == "dropped"
    assert list(world.secrets.asked) == [token_of(NAMES[0], asker(ID))]
    assert world.lineages.get(NAMES[0]).asked is None


def test_no_more_run_at_once_than_the_policy_says_and_one_that_is_stuck_counts_no_more() -> None:
    world = World()
    world.turn()
    for name in NAMES[:2]:
        world.begins(name)
    assert world.deliver(NAMES[2]) == "later"
    world.now += timedelta(minutes=16)
    assert world.deliver(NAMES[2]) == "asked"


def test_what_a_single_rotation_or_another_order_replaced_meanwhile_is_done_and_not_replaced_again() -> None:
    world = World()
    world.turn()
    world.begins(NAMES[0], by="a person")
    assert world.deliver(NAMES[0]) == "dropped"
    world.ends(NAMES[0], by="a person")
    assert world.deliver(NAMES[0]) == "dropped"
    world.turn()
    assert world.told["rotated"] == 1
    assert world.secrets.asked == {}


def test_a_key_that_a_person_gave_back_is_left_as_it_is_and_counts_as_failed() -> None:
    world = World()
    world.turn()
    world.ends(NAMES[0])
    old, new = world.lineages.get(NAMES[0]).keys
    back = (replace(old, state="current"), replace(new, state="overlap"))
    world.lineages.write(replace(world.lineages.get(NAMES[0]), keys=back))
    assert world.deliver(NAMES[0]) == "dropped"
    world.turn()
    assert (world.told["failed"], world.told["failing"]) == (1, [NAMES[0]])


def test_a_secret_that_throttles_keeps_its_message_and_fails_in_time_while_the_others_go_on() -> None:
    world = World()
    world.turn()
    world.secrets.throttled.add(f"openrouter/{NAMES[0]}")
    assert world.deliver(NAMES[0]) == "later"
    assert world.deliver(NAMES[1]) == "asked"
    world.now += timedelta(minutes=20)
    world.turn()
    assert NAMES[0] in world.told["failing"]
    world.secrets.throttled.clear()
    assert world.deliver(NAMES[0]) == "asked"


@pytest.mark.parametrize("cause", ["runaway", "budget", "operator"])
def test_what_a_cause_holds_when_its_turn_comes_is_passed_over(cause: Cause) -> None:
    world = World()
    world.held(NAMES[0], cause)
    world.turn()
    assert world.sent()[0] == NAMES[1]
    assert world.told["passed_over"] == [NAMES[0]]
    world.held(NAMES[1], cause)
    assert world.deliver(NAMES[1]) == "dropped"


def test_what_leaked_is_rotated_although_its_cause_holds_it() -> None:
    world = World()
    world.held(NAMES[0], "exposed")
    world.turn()
    assert world.sent()[0] == NAMES[0]
    assert world.deliver(NAMES[0]) == "asked"


def test_who_left_the_policy_is_passed_over_and_who_came_to_it_is_not_in_the_order() -> None:
    world = World()
    world.policy = world._policy(names=(*NAMES[1:], "prod-new"))
    world.turn()
    assert world.sent()[0] == NAMES[1]
    assert world.told["passed_over"] == [NAMES[0]]
    assert world.deliver("prod-new") == "dropped"


def test_a_pause_keeps_what_waits_and_a_resume_lets_it_go() -> None:
    world = World()
    world.turn()
    world.begins(NAMES[0])
    world.says("pause")
    assert world.deliver(NAMES[1]) == "later"
    assert world.turn()
    assert (world.told["state"], world.told["said_by"]) == ("paused", LEADS[0])
    world.ends(NAMES[0])
    world.turn()
    assert (world.told["state"], world.told["rotated"]) == ("paused", 1)
    world.says("resume")
    assert world.deliver(NAMES[1]) == "later"  # until the order's own turn has read it
    world.turn()
    assert world.deliver(NAMES[1]) == "asked"


def test_a_stop_lets_what_has_begun_finish_and_nothing_else_begin() -> None:
    world = World()
    world.turn()
    world.begins(NAMES[0])
    world.says("stop")
    assert world.deliver(NAMES[1]) == "dropped"
    assert world.turn()
    assert (world.told["state"], world.told["running"]) == ("stopped", 1)
    world.ends(NAMES[0])
    assert world.turn()
    assert world.told["state"] == "draining"
    world.says("resume")
    assert world.deliver(NAMES[1]) == "dropped"
    world.now += timedelta(hours=25)
    assert not world.turn()
    assert (world.told["state"], world.told["rotated"], world.told["waiting"]) == ("ended", 1, 29)
    assert world.state == "done"


def test_three_failures_halt_it_and_a_resume_forgives_those_and_no_others() -> None:
    world = World(at_once=10)
    world.turn()
    for name in NAMES[:3]:
        world.begins(name, minutes=16)
    world.turn()
    assert (world.told["state"], world.told["failing"]) == ("halted", [*NAMES[:3]])
    assert world.deliver(NAMES[3]) == "later"
    world.says("resume")
    world.turn()
    assert world.told["state"] == "running"
    assert world.deliver(NAMES[3]) == "asked"
    for name in NAMES[4:7]:
        world.begins(name, minutes=16)
    world.turn()
    assert world.told["state"] == "halted"


def test_the_report_names_who_still_uses_an_old_key_once_the_overlaps_are_over() -> None:
    world = World()
    world.turn()
    for name in NAMES:
        world.ends(name)
    assert world.turn()
    assert world.told["state"] == "draining"
    assert world.queue.soon == ["receipt"]  # of the first turn: a drain takes a day
    for name in NAMES[1:]:
        lineage = world.lineages.get(name)
        quiet = tuple(replace(key, state="quarantined") if key.state == "overlap" else key for key in lineage.keys)
        world.lineages.write(replace(lineage, keys=quiet))
    world.now += timedelta(hours=23)
    assert world.turn()
    world.now += timedelta(hours=2)
    assert not world.turn()
    ended = world.events[-1]
    assert ended.detail_type is DetailType.BULK_ROTATION_ENDED
    assert (ended.evidence["rotated"], ended.evidence["behind_count"]) == (30, 1)
    assert ended.evidence["behind"] == [{"name": NAMES[0], "last_used_at": None}]
    assert world.state == "done"
    assert not world.turn()
    assert len([one for one in world.events if one.detail_type is DetailType.BULK_ROTATION_ENDED]) == 1


def test_people_are_told_when_something_changed_and_not_otherwise() -> None:
    world = World()
    world.turn()
    world.turn()
    assert len(world.events) == 1
    world.ends(NAMES[0])
    world.turn()
    assert [one.evidence["rotated"] for one in world.events] == [0, 1]


def test_a_message_that_was_lost_is_sent_again_after_half_an_hour_without_any_change() -> None:
    world = World()
    world.turn()
    assert len(world.sent()) == 14
    world.now += timedelta(minutes=29)
    world.turn()
    assert world.sent() == []
    world.now += timedelta(minutes=2)
    world.turn()
    assert world.sent() == [*NAMES[:14]]


def test_after_three_days_nothing_new_begins() -> None:
    world = World()
    world.turn()
    world.now += timedelta(days=3, minutes=1)
    assert not world.turn()
    assert (world.told["state"], world.told["waiting"]) == ("ended", 30)
    assert world.deliver(NAMES[0]) == "dropped"


def test_it_does_not_end_while_a_rotation_that_is_stuck_may_yet_be_finished() -> None:
    world = World()
    world.turn()
    for name in NAMES[1:]:
        world.ends(name)
    world.begins(NAMES[0])
    world.now += timedelta(minutes=20)
    assert world.turn()
    assert (world.told["state"], world.told["failed"]) == ("draining", 1)
    world.ends(NAMES[0])
    assert world.turn()
    assert (world.told["state"], world.told["rotated"]) == ("draining", 30)


def test_a_secret_that_throttled_to_the_last_is_still_asked_for() -> None:
    world = World()
    world.turn()
    for name in NAMES[1:]:
        world.ends(name)
    world.secrets.throttled.add(f"openrouter/{NAMES[0]}")
    assert world.deliver(NAMES[0]) == "later"
    world.now += timedelta(minutes=20)
    assert world.turn()
    assert world.told["state"] == "draining"
    world.secrets.throttled.clear()
    assert world.deliver(NAMES[0]) == "asked"


def test_its_message_is_replaced_before_it_would_be_a_dead_letter() -> None:
    world = World()
    assert world.turn(received=900)
    world.queue.bodies.clear()
    assert not world.turn(received=901)
    assert {"bulk": ID} in world.queue.bodies


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("the list", "the list that was approved is not the one that is stored"),
        ("no list", "the list that was approved is not the one that is stored"),
        ("late", "more than six hours ago"),
        ("an approver left", "1 of those approved it"),
        ("who asked", "1 of those approved it"),
    ],
)
def test_a_yes_that_does_not_fit_is_void_and_nothing_begins(spoil: str, why: str) -> None:
    world = World(by=LEADS[0]) if spoil == "who asked" else World()
    match spoil:
        case "the list":
            row = world.decisions.get("bulk", ID)
            assert row
            lineages = [["prod-00", "another key"], *row.data["lineages"][1:]]
            world.decisions._rows["bulk", ID] = replace(row, data={**row.data, "lineages": lineages})
        case "no list":
            del world.decisions._rows["bulk", ID]
        case "late":
            world.now += timedelta(hours=6, minutes=1)
        case "an approver left":
            world.policy = world._policy(approvers=[LEADS[0], "U0NEW", "U0OTHER"])
        case "who asked":
            # As if somebody who can write the table of decisions had let the asker's own yes count.
            row = world.decisions.get("decision", ID)
            assert row
            votes = [{"id": "v0", "by": LEADS[0], "verdict": "approve", "at": "2026-03-11T02:44:00Z", "comment": ""},
                     *row.data["votes"]]  # fmt: skip
            state = {"state": "granted", "decided_at": "2026-03-11T02:44:00Z", "votes": votes}
            world.decisions._rows["decision", ID] = replace(row, data={**row.data, **state})
    assert not world.turn()
    assert world.sent() == []
    (ended,) = world.events
    assert (ended.detail_type, ended.evidence["state"]) == (DetailType.BULK_ROTATION_ENDED, "void")
    assert why in ended.reason
    assert world.state == "failed"
    assert world.deliver(NAMES[0]) == "dropped"


def test_a_forged_grant_or_one_of_another_kind_does_nothing() -> None:
    world = World(approved_by=())
    assert not world.turn()
    assert world.deliver(NAMES[0]) == "dropped"
    once = World(approved_by=LEADS[:1])
    assert not once.turn()
    assert (world.events, world.sent(), once.events, once.sent()) == ([], [], [], [])


def test_a_rotation_that_was_noted_and_never_asked_for_is_asked_for_by_the_next_delivery() -> None:
    world = World()
    world.turn()
    lineage = world.lineages.get(NAMES[0])
    world.lineages.write(replace(lineage, asked=Asked("asked", asker(ID), world.now)))
    assert world.deliver(NAMES[0]) == "asked"


def test_who_asked_approved_and_paused_is_told_by_the_rows() -> None:
    world = World()
    world.says("pause", by="U0CISO")
    world.turn()
    assert world.told["requested_by"] == "U0OWNER"
    assert world.told["approved_by"] == [*LEADS[:2]]
    assert world.told["said_by"] == "U0CISO"
