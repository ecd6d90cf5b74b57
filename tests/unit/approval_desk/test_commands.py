"""Orders from the command line: the person is whom the signature proves, and nothing that the event says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approval_desk.parsing import USAGE, typed
from approval_desk.settings import Commanded
from governor.aws_identity import Proof, StsUnavailable
from governor.events import DetailType
from governor.ledger import Put
from tests.unit.approval_desk.desk import ANYBODY, LEAD, NOW, OWNER, POLICY, PRESET, SEC, WORKLOAD, ZERO, Desk

AWS = {
    LEAD: "arn:aws:iam::123456789012:user/lead",
    SEC: "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Operators_0123456789abcdef/sec@example.com",
    OWNER: "arn:aws:sts::123456789012:assumed-role/search-owner/anything",
    ANYBODY: "arn:aws:iam::123456789012:user/anybody",
}
ALSO_LEAD = "arn:aws:iam::210987654321:user/lead-breakglass"
STRANGER = "arn:aws:iam::123456789012:user/stranger"
PEOPLE: dict[str, Any] = {
    LEAD: {"openrouter": "user_lead", "aws": [AWS[LEAD], ALSO_LEAD]},
    SEC: {"aws": [AWS[SEC]]},
    OWNER: {"aws": ["arn:aws:sts::123456789012:assumed-role/search-owner/*"]},
    ANYBODY: {"aws": [AWS[ANYBODY]]},
}


@pytest.fixture
def desk() -> Desk:
    desk = Desk(people=PEOPLE, approvals={"channel": "C0GOVERNOR", "approvers": [LEAD, SEC]})
    desk.disabled("runaway")
    desk.directory.unread = None
    return desk


def test_an_order_is_the_persons_whom_the_policy_gives_the_identity_to(desk: Desk) -> None:
    assert desk.commands(AWS[LEAD], f"restore {WORKLOAD}") == "restore"
    (granted,) = desk.bus.events
    assert granted.detail_type == DetailType.APPROVAL_GRANTED
    assert granted.evidence["approved_by"] == [LEAD]
    (row,) = desk.ledger.rows("interaction")
    assert (row.data["by"], row.data["arn"], row.data["admitted"]) == (LEAD, AWS[LEAD], "proven")
    assert desk.answered.startswith("It is being done")
    assert desk.slack.told == []


def test_a_role_that_is_one_persons_is_that_person_under_any_sessions_name(desk: Desk) -> None:
    assert desk.commands(AWS[OWNER], f"expected {WORKLOAD}") == "expected"
    (event,) = desk.bus.events
    assert event.evidence["by"] == OWNER


@pytest.mark.parametrize("arn", [STRANGER, AWS[OWNER].replace("search-owner", "search-owners"), "arn:aws:iam::1:root"])
def test_an_identity_that_the_policy_gives_to_nobody_does_nothing_and_is_told(desk: Desk, arn: str) -> None:
    assert desk.commands(arn, f"disable {WORKLOAD}") == "unnamed"
    assert desk.bus.events == []
    assert arn in desk.answered
    assert "people" in desk.answered


def test_a_signature_of_another_command_or_stack_does_nothing_and_leaves_nothing(desk: Desk) -> None:
    signed = desk.signs(AWS[LEAD], f"rotate {WORKLOAD}")
    altered = Commanded(signed.word.model_copy(update={"command": f"disable {WORKLOAD}"}))
    elsewhere = desk.signs(AWS[LEAD], f"disable {WORKLOAD}", stack="arn:aws:events:us-east-1:123456789012:event-bus/b")
    again = Commanded(signed.word.model_copy(update={"nonce": "another"}))
    for forged in (altered, elsewhere, again):
        assert desk.desk.commanded(forged) == "unproven"
    assert (desk.bus.events, desk.ledger.rows("interaction")) == ([], [])


def test_no_name_in_the_event_counts(desk: Desk) -> None:
    signed = desk.signs(AWS[ANYBODY], f"restore {WORKLOAD}")
    named = {**signed.word.model_dump(), "by": LEAD, "requested_by": LEAD, "arn": AWS[LEAD], "user": LEAD}
    assert desk.desk.commanded(Commanded(type(signed.word).model_validate(named))) == "restore"
    (asked,) = desk.bus.events
    assert (asked.detail_type, asked.evidence["requested_by"]) == (DetailType.APPROVAL_REQUESTED, ANYBODY)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_was_signed_too_long_ago_or_by_a_wrong_clock_costs_no_call(desk: Desk, minutes: int) -> None:
    signed = desk.signs(AWS[LEAD], f"disable {WORKLOAD}", at=NOW + timedelta(minutes=minutes))
    assert desk.desk.commanded(signed) == "late"
    assert (desk.signers.asked, desk.ledger.rows("interaction")) == (0, [])


@pytest.mark.parametrize("proof", ["", "zz", "7b7d", "00" * 20_000, b'["x"]'.hex(), ("[" * 5000).encode().hex()])
def test_a_proof_of_another_shape_costs_no_call(desk: Desk, proof: str) -> None:
    signed = desk.signs(AWS[LEAD], f"disable {WORKLOAD}")
    assert desk.desk.commanded(Commanded(signed.word.model_copy(update={"proof": proof}))) == "bad_proof"
    assert desk.signers.asked == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("access_key", "A/../b"), ("at", "20261399T000000Z"), ("signature", "AB" * 32), ("token", "x\r\nHost: elsewhere")],
)
def test_no_header_of_the_request_to_sts_can_be_written_by_the_sender(desk: Desk, name: str, value: str) -> None:
    signed = desk.signs(AWS[LEAD], f"disable {WORKLOAD}")
    proof = replace(Proof.decode(signed.word.proof), **{name: value})
    assert desk.desk.commanded(Commanded(signed.word.model_copy(update={"proof": proof.encode()}))) == "bad_proof"
    assert desk.signers.asked == 0


def test_a_replay_does_nothing(desk: Desk) -> None:
    signed = desk.signs(AWS[LEAD], f"rotate {WORKLOAD}")
    assert [desk.desk.commanded(signed) for _ in range(3)] == ["Rotation Requested"] * 3
    assert desk.signers.asked == 1
    assert len(desk.bus.events) == 1
    assert desk.bus.events[0].reason == f"{LEAD} asked on the command line."


def test_while_sts_does_not_answer_nothing_is_done_and_it_is_tried_again(desk: Desk) -> None:
    signed = desk.signs(AWS[LEAD], f"disable {WORKLOAD}")
    desk.signers.broken = True
    with pytest.raises(StsUnavailable):
        desk.desk.commanded(signed)
    assert desk.ledger.rows("interaction") == []
    desk.signers.broken = False
    assert desk.desk.commanded(signed) == "disable"


def test_two_identities_of_one_person_are_one_person_and_so_is_their_click(desk: Desk) -> None:
    assert desk.commands(AWS[LEAD], "drill production anthropic") == "drill"
    assert desk.commands(ALSO_LEAD, "drill production anthropic") == "asked_already"
    (asked,) = desk.bus.events
    value = {"approval": asked.evidence["approval"], "digest": asked.evidence["digest"]}
    assert desk.clicks(LEAD, "approve", **value) == "own_request"
    assert desk.clicks(SEC, "approve", **value) == "granted"


@pytest.mark.parametrize("verb", ["approve", "reject", "adopt", "revert", "override"])
def test_nobody_approves_or_rejects_by_a_command(desk: Desk, verb: str) -> None:
    held = desk.asked()
    assert desk.commands(AWS[LEAD], f"{verb} {held['approval']} {held['digest']}") == "hint"
    assert desk.state() == "pending"
    assert verb not in USAGE
    assert typed(verb).verb == "hint"


def test_where_several_must_approve_a_command_is_none_of_the_approvals() -> None:
    """Whoever administers the AWS account can become each person there; two people's clicks are two people's."""
    preset = {**POLICY["presets"][0], "approvers": [LEAD, SEC, OWNER]}
    kinds = {}
    for via in ("click", "command"):
        desk = Desk(people=PEOPLE, presets=[preset])
        desk.ledger.commit(Put("preset", PRESET, {"served": {"former_approved": False, "former": [3, "x", "user_x"]}}))
        if via == "click":
            assert desk.types(LEAD, f"rollback {PRESET}") == "rollback"
        else:
            assert desk.commands(AWS[LEAD], f"rollback {PRESET}") == "rollback"
            assert "approvers are asked" in desk.answered
        assert desk.bus.events[0].evidence["needed"] == 2
        kinds[via] = desk.bus.kinds()
    asked, counted = DetailType.APPROVAL_REQUESTED, DetailType.APPROVAL_COUNTED
    assert kinds == {"click": [asked, counted], "command": [asked]}


def test_of_tier_zero_its_owner_disables_and_rolls_nothing_back_alone(desk: Desk) -> None:
    desk.rotated(ZERO)
    assert desk.commands(AWS[OWNER], f"rollback-key {ZERO}") == "key_rollback"
    assert desk.bus.kinds() == [DetailType.APPROVAL_REQUESTED]
    assert desk.commands(AWS[OWNER], f"disable {ZERO}") == "disable"
    assert desk.bus.kinds()[1:] == [DetailType.APPROVAL_GRANTED]
    assert desk.commands(AWS[ANYBODY], f"disable {ZERO}") == "disable"
    assert desk.bus.kinds()[2:] == [DetailType.APPROVAL_REQUESTED]


def test_what_is_no_command_is_answered_with_a_hint(desk: Desk) -> None:
    assert desk.commands(AWS[LEAD], "rotat x") == "hint"
    assert "rotate" in desk.answered
