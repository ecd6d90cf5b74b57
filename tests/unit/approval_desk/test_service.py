"""Once, whatever dies in between; answered to whoever did it, and nothing depends on the answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approval_desk.settings import Decided
from governor.approvals.evidence import ApprovalDecided
from governor.events import DetailType
from governor.keys.lineage import Lineage, LineageKey, Lineages, Rotation
from governor.ledger import Delete, LedgerConflict, MemoryLedger, Put
from governor.slack.channel import SlackError, SlackRefused, SlackUnavailable
from tests.unit.approval_desk.desk import ANYBODY, LEAD, NOW, OWNER, SEC, WORKLOAD, Desk, click, command


@pytest.fixture
def desk() -> Desk:
    return Desk()


def _decided(held: dict[str, str], by: str, verdict: Any = "approve") -> Decided:
    return Decided("event-1", ApprovalDecided(**held, verdict=verdict, by=by))


def test_an_interaction_that_comes_again_does_nothing_and_says_nothing(desk: Desk) -> None:
    request = command(LEAD, f"disable {WORKLOAD}")
    for _ in range(3):
        assert desk.does(request) == "disable"
    assert len(desk.bus.events) == 1
    assert len(desk.slack.told) == 1


def test_a_double_click_is_two_interactions_and_one_decision(desk: Desk) -> None:
    held = desk.asked(needed=2)
    assert desk.does(click(LEAD, "approve", held, n=1)) == "counted"
    assert desk.said == "Your approval counts. 1 more is needed."
    assert desk.does(click(LEAD, "approve", held, n=2)) == "counted_already"
    assert desk.does(click(SEC, "approve", held, n=3)) == "granted"
    assert desk.does(click(SEC, "approve", held, n=4)) == "granted"
    assert desk.said == "This was approved already."
    assert desk.bus.kinds() == [DetailType.APPROVAL_COUNTED, DetailType.APPROVAL_GRANTED]


def test_a_late_click_is_refused(desk: Desk) -> None:
    held = desk.asked()
    desk.now += timedelta(hours=24)
    assert desk.does(click(LEAD, "approve", held, at=desk.now)) == "expired"
    assert desk.state() == "pending"


def test_a_button_of_an_altered_request_is_refused(desk: Desk) -> None:
    held = desk.asked()
    assert desk.does(click(LEAD, "approve", {**held, "digest": "0" * 64})) == "changed"
    assert desk.does(click(LEAD, "approve", {"approval": "gone", "digest": "0" * 64})) == "unknown"


def test_rejecting_asks_why_and_the_reason_is_in_the_event(desk: Desk) -> None:
    held = desk.asked()
    assert desk.does(click(LEAD, "reject", held)) == "asked_why"
    (view,) = desk.slack.views
    assert desk.slack.told == []
    assert desk.state() == "pending"
    assert view["private_metadata"] == (
        f'{{"approval":"{held["approval"]}","digest":"{held["digest"]}","channel":"C0"}}'
    )
    modal = click(LEAD, "reject", {**held, "channel": "C0", "reason": "not now"}, kind="modal")
    assert desk.does(modal) == "rejected"
    assert desk.slack.told[-1] == (LEAD, "Rejected; nothing is done.")
    (event,) = desk.bus.events
    assert (event.detail_type, event.evidence["comment"]) == (DetailType.APPROVAL_REJECTED, "not now")


def test_whoever_may_not_reject_is_not_asked_why(desk: Desk) -> None:
    assert desk.does(click(OWNER, "reject", desk.asked())) == "not_an_approver"
    assert desk.slack.views == []
    assert "not among the approvers" in desk.said


def test_whoever_asked_may_take_it_back(desk: Desk) -> None:
    held = desk.asked()
    assert desk.does(click(ANYBODY, "reject", {**held, "channel": "C0"}, kind="modal")) == "rejected"


def test_a_modal_that_slack_does_not_open_is_told_and_decides_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(*_: object) -> None:
        raise SlackRefused("expired_trigger_id", "")

    monkeypatch.setattr(desk.slack, "open_view", expired)
    assert desk.does(click(LEAD, "reject", desk.asked())) == "not_asked_why"
    assert "Click Reject again" in desk.said
    assert desk.state() == "pending"


SCENES: dict[str, Callable[[Desk], Any]] = {
    "a vote": lambda desk: click(LEAD, "approve", desk.asked()),
    "a rejection": lambda desk: click(LEAD, "reject", {**desk.asked(), "reason": "no"}, kind="modal"),
    "an order": lambda desk: command(LEAD, f"disable {WORKLOAD}"),
    "a request": lambda desk: command(OWNER, f"restore {WORKLOAD}"),
    "an event": lambda desk: command(OWNER, f"rotate {WORKLOAD}"),
    "a snooze": lambda desk: click(OWNER, "expected", {"subject": WORKLOAD}),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_a_bus_that_does_not_answer_means_again_and_then_it_is_told_once(desk: Desk, scene: Any) -> None:
    desk.disabled("runaway")
    request = scene(desk)
    desk.bus.broken = 2
    for _ in range(2):
        with pytest.raises(RuntimeError):
            desk.does(request)
    assert desk.slack.told == []
    desk.does(request)
    assert len(desk.bus.events) == 1
    assert len(desk.slack.told) == 1


def test_an_order_goes_on_though_what_it_lifts_is_lifted_already(desk: Desk) -> None:
    """It died between the event and the note of it, and the kill switch was quicker than the retry."""
    desk.disabled("runaway")
    request = command(LEAD, f"restore {WORKLOAD}")
    desk.does(request)
    del desk.ledger._rows["interaction", request.id]
    del desk.ledger._rows[f"subject#{WORKLOAD}", "cause#runaway"]
    assert desk.does(request) == "restore"
    assert len(desk.bus.events) == 1


@pytest.mark.parametrize(
    ("error", "deliveries", "raises"),
    [
        (SlackUnavailable("no answer"), 1, True),
        (SlackUnavailable("no answer"), 3, False),
        (SlackRefused("used_url", ""), 1, False),
    ],
)
def test_an_answer_that_does_not_arrive_undoes_and_repeats_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: SlackError, deliveries: int, raises: bool
) -> None:
    def fails(*_: object) -> None:
        raise error

    request = command(LEAD, f"disable {WORKLOAD}")
    with monkeypatch.context() as patched:
        patched.setattr(desk.slack, "respond", fails)
        if raises:
            with pytest.raises(SlackError):
                desk.does(request, deliveries)
        else:
            desk.does(request, deliveries)
    assert len(desk.bus.events) == 1
    desk.does(request, deliveries + 1)
    assert len(desk.bus.events) == 1
    assert len(desk.slack.told) == raises


def test_a_decision_sent_as_an_event_counts_where_the_policy_believes_it(desk: Desk) -> None:
    assert desk.desk.decided(_decided(desk.asked(), ANYBODY)) == "own_request"
    assert desk.desk.decided(_decided(desk.asked(), "U0STRANGER")) == "not_an_approver"
    assert desk.desk.decided(_decided(desk.asked(), LEAD)) == "granted"
    assert desk.desk.decided(_decided(desk.asked(), LEAD)) == "in_hand"
    assert desk.bus.kinds() == [DetailType.APPROVAL_GRANTED]
    closed = Desk(approvals={"channel": "C0GOVERNOR", "approvers": [LEAD], "by_event": False})
    assert closed.desk.decided(_decided(closed.asked(), LEAD)) == "by_event"
    assert closed.bus.events == []


def test_what_nobody_decided_in_time_ends_once(desk: Desk) -> None:
    desk.asked()
    assert desk.desk.expire() == 0
    desk.now += timedelta(hours=24, minutes=1)
    desk.bus.broken = 1
    with pytest.raises(RuntimeError):
        desk.desk.expire()
    assert [desk.desk.expire(), desk.desk.expire()] == [1, 0]
    assert desk.bus.kinds() == [DetailType.APPROVAL_EXPIRED]
    assert desk.state() == "expired"


def test_status_and_keys_are_read_from_the_ledger(desk: Desk) -> None:
    desk.types(ANYBODY, "status")
    assert desk.said.count("nothing") == 3
    desk.disabled("runaway", "budget")
    desk.asked(needed=2)
    held = LineageKey("a" * 64, f"{WORKLOAD}#1", "current", NOW - timedelta(days=40))
    old = replace(held, hash="b" * 64, state="overlap", since=NOW - timedelta(hours=3))
    rotation = Rotation("token", "due", NOW - timedelta(minutes=5))
    Lineages(desk.ledger).write(Lineage(WORKLOAD, (held, old), rotation))
    desk.types(ANYBODY, " status ")
    assert f"• `{WORKLOAD}`: budget for 60 min, runaway for 60 min" in desk.said
    assert f"• `{WORKLOAD}`: due, begun 5 min ago" in desk.said
    assert f"• restore `{WORKLOAD}`, asked by <@{ANYBODY}> 0 min ago, 0 of 2" in desk.said
    desk.types(LEAD, "keys")
    assert f"• `{WORKLOAD}`: current for 40 d; its former key: overlap for 3 h" in desk.said
    assert "• `prod-plain-agent`: no key of Governor's" in desk.said


class Contended(MemoryLedger):
    """Refuses the next write and keeps nothing of it, as DynamoDB does while a transaction holds the row."""

    contended = True

    def commit(self, *writes: Put | Delete) -> None:
        if self.contended:
            self.contended = False
            raise LedgerConflict("another write of it is under way")
        super().commit(*writes)


def test_a_person_is_answered_although_the_note_of_it_was_refused_once(desk: Desk) -> None:
    request = command(LEAD, "status")
    ports = replace(desk.desk.ports, ledger=Contended())
    desk.desk = replace(desk.desk, ports=ports)
    with pytest.raises(LedgerConflict):
        desk.does(request)
    desk.does(request)
    assert len(desk.slack.told) == 1
