"""A bulk order from the words to the request, and the words that hold it up."""

from datetime import timedelta

import pytest

from approval_desk.settings import Decided
from governor.approvals.evidence import ApprovalDecided
from governor.events import DetailType
from governor.keys.bulk_order import BulkOrder
from governor.keys.causes import CauseRow, CauseStore
from governor.keys.lineage import Asked, Lineages
from tests.unit.approval_desk.desk import ANYBODY, LEAD, NOW, OWNER, POLICY, SEC, WORKLOAD, ZERO, Desk

CISO, ADMIN = "U0CISO", "arn:aws:iam::123456789012:user/lead"
APPROVALS = {**POLICY["approvals"], "approvers": [LEAD, SEC, CISO]}
WORDS = "rotate workspace production because the vault leaked"


@pytest.fixture
def desk() -> Desk:
    desk = Desk(approvals=APPROVALS, people={LEAD: {"aws": [ADMIN]}})
    desk.rotated()
    desk.rotated(ZERO)
    return desk


def asked(desk: Desk, user: str = OWNER, words: str = WORDS) -> dict[str, str]:
    """The value of the request's buttons."""
    assert desk.types(user, words) == "bulk_rotation", desk.said
    evidence = desk.bus.events[-1].evidence
    return {"approval": evidence["approval"], "digest": evidence["digest"]}


def granted(desk: Desk) -> str:
    """The id of an order that two approved."""
    held = asked(desk)
    assert desk.clicks(LEAD, "approve", **held) == "counted"
    assert desk.clicks(SEC, "approve", **held) == "granted"
    return held["approval"]


def frozen(desk: Desk, id: str) -> BulkOrder:
    order = desk.desk.ports.orders.get(id)
    assert order
    return order


def test_the_list_is_frozen_before_anybody_is_asked_and_the_request_holds_its_digest(desk: Desk) -> None:
    held = asked(desk)
    order = frozen(desk, held["approval"])
    assert [one.workload for one in order.lineages] == [ZERO, WORKLOAD]
    (event,) = desk.bus.events
    assert event.detail_type is DetailType.APPROVAL_REQUESTED
    change = {"scope": "workspace", "of": "production", "because": "the vault leaked", "count": 2}
    assert event.evidence["change"] == {**change, "lineages": order.digest}
    assert (event.evidence["needed"], event.evidence["approvers"]) == (2, [LEAD, SEC, CISO])
    assert event.evidence["shown"][0] == "Because: the vault leaked"
    assert "2 keys are replaced" in " ".join(event.evidence["shown"])
    assert "prod-plain-agent" in " ".join(event.evidence["shown"])
    assert "Two approvers other than you are asked" in desk.said


def test_two_others_must_approve_an_approver_who_asks_is_neither_of_them(desk: Desk) -> None:
    held = asked(desk, LEAD)
    assert desk.clicks(LEAD, "approve", **held) == "own_request"
    assert desk.clicks(SEC, "approve", **held) == "counted"
    assert desk.clicks(SEC, "approve", **held) == "counted_already"
    assert desk.clicks(OWNER, "approve", **held) == "not_an_approver"
    assert desk.clicks(CISO, "approve", **held) == "granted"


def test_no_event_approves_an_order_whatever_the_policy_believes(desk: Desk) -> None:
    held = asked(desk)
    assert desk.policy.believes_events
    for number, lead in enumerate((LEAD, SEC)):
        word = ApprovalDecided(**held, verdict="approve", by=lead)
        assert desk.desk.decided(Decided(f"e{number}", word)) == "by_event"
    assert desk.state(held["approval"]) == "pending"


def test_an_order_on_the_command_line_asks_as_in_slack_and_approves_nothing(desk: Desk) -> None:
    assert desk.commands(ADMIN, WORDS) == "bulk_rotation"
    approval = desk.approvals.get(desk.bus.events[-1].evidence["approval"])
    assert approval
    assert (approval.state, approval.approved_by, approval.request.requested_by) == ("pending", (), LEAD)
    assert "2 keys are replaced" in desk.answered


@pytest.mark.parametrize(
    ("user", "words", "rule"),
    [
        (ANYBODY, WORDS, "not_theirs"),
        (OWNER, "rotate workspace prduction because leaked", "unknown"),
        (OWNER, "rotate owner U0NOBODY because leaked", "unknown"),
        (OWNER, "rotate all", "hint"),
        (OWNER, "rotate workspace production", "hint"),
        (OWNER, "rotate workspace because leaked", "hint"),
        (OWNER, "rotate all production because leaked", "hint"),
        (OWNER, "preview", "hint"),
        (OWNER, "pause", "hint"),
    ],
)
def test_what_is_not_understood_or_not_theirs_asks_nobody_anything(
    desk: Desk, user: str, words: str, rule: str
) -> None:
    assert desk.types(user, words) == rule
    assert desk.bus.events == []
    assert desk.decisions.rows("bulk") == []


@pytest.mark.parametrize("words", ["rotate owner U0SEARCH because gone", "rotate owner <@U0SEARCH|ana> because gone",
                                   "ROTATE ALL because gone"])  # fmt: skip
def test_an_owner_is_named_as_slack_writes_one_and_all_is_the_whole_policy(desk: Desk, words: str) -> None:
    order = frozen(desk, asked(desk, words=words)["approval"])
    assert {one.workload for one in order.lineages} == {WORKLOAD, ZERO}


def test_one_workload_is_rotated_as_before(desk: Desk) -> None:
    assert desk.types(ANYBODY, f"rotate {WORKLOAD}") == DetailType.ROTATION_REQUESTED


def test_too_few_approvers_means_no_order() -> None:
    desk = Desk()
    desk.rotated()
    assert desk.types(LEAD, WORDS) == "not_enough_approvers"
    assert desk.types(OWNER, WORDS) == "bulk_rotation"


def test_the_same_is_not_asked_twice_and_a_preview_asks_nobody(desk: Desk) -> None:
    asked(desk)
    assert desk.types(LEAD, WORDS) == "asked_already"
    assert len(desk.bus.events) == 1
    assert desk.types(ANYBODY, "preview all") == "preview"
    assert "2 keys are replaced" in desk.said
    assert "You may not ask for this rotation" in desk.said
    assert len(desk.bus.events) == 1


def test_what_is_held_or_under_way_is_left_out_and_said(desk: Desk) -> None:
    CauseStore(desk.ledger).write(CauseRow(WORKLOAD, "runaway", "disabled", "e", ("b" * 64,), NOW))
    assert [one.workload for one in frozen(desk, asked(desk)["approval"]).lineages] == [ZERO]
    assert "restore first: prod-search-agent" in desk.said
    lineages = Lineages(desk.ledger)
    zero = lineages.get(ZERO)
    lineages.write(type(zero)(ZERO, zero.keys, asked=Asked("asked", "e", NOW), version=zero.version))
    assert desk.types(OWNER, "rotate all because leaked") == "nothing"


def test_a_desk_that_died_after_freezing_asks_for_what_it_froze(desk: Desk) -> None:
    desk.bus.broken = 1
    from tests.unit.approval_desk.desk import command

    wanted = command(OWNER, WORDS)
    with pytest.raises(RuntimeError):
        desk.does(wanted)
    before = desk.decisions.rows("bulk")
    desk.disabled("runaway")  # another preview by now
    assert desk.does(wanted) == "bulk_rotation"
    assert desk.decisions.rows("bulk") == before
    (event,) = desk.bus.events
    assert event.evidence["change"]["lineages"] == frozen(desk, event.evidence["approval"]).digest


@pytest.mark.parametrize(
    ("user", "word", "rule"),
    [
        (LEAD, "pause", "pause"), (OWNER, "pause", "pause"), (ANYBODY, "pause", "not_theirs"),
        (CISO, "stop", "stop"), (OWNER, "stop", "stop"), (ANYBODY, "stop", "not_theirs"),
        (LEAD, "resume", "resume"), (OWNER, "resume", "not_theirs"), (ANYBODY, "resume", "not_theirs"),
    ],
)  # fmt: skip
def test_an_approver_or_whoever_asked_holds_it_up_and_an_approver_resumes_it(
    desk: Desk, user: str, word: str, rule: str
) -> None:
    id = granted(desk)
    assert desk.clicks(user, word, order=id) == rule
    said = desk.desk.ports.orders.said(id)
    assert (said.word if said else "not_theirs") == rule
    assert desk.types(user, f"{word} {id}") == rule


def test_a_word_about_no_order_or_one_that_is_not_approved_does_nothing(desk: Desk) -> None:
    assert desk.clicks(LEAD, "stop", order="no-such") == "unknown"
    assert desk.clicks(LEAD, "stop", order=desk.asked()["approval"]) == "unknown"
    held = asked(desk)
    assert desk.clicks(LEAD, "stop", order=held["approval"]) == "not_running"
    assert "reject the request instead" in desk.said
    assert desk.desk.ports.orders.said(held["approval"]) is None


def test_after_a_stop_there_is_no_resume(desk: Desk) -> None:
    id = granted(desk)
    desk.clicks(LEAD, "stop", order=id)
    assert desk.clicks(SEC, "resume", order=id) == "stopped"
    said = desk.desk.ports.orders.said(id)
    assert said
    assert said.word == "stop"


def test_a_late_stop_counts_and_a_late_resume_or_order_does_not(desk: Desk) -> None:
    id = granted(desk)
    desk.now += timedelta(minutes=31)  # the clicks' own time stays
    assert desk.clicks(LEAD, "resume", order=id) == "stale"
    assert desk.clicks(LEAD, "stop", order=id) == "stop"
    assert desk.types(OWNER, "rotate all because leaked") == "stale"
