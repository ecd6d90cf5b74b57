"""The keys of a member who left are replaced by a bulk order, over what was stored and not what a button says."""

from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.member_evidence import DepartedKey, MemberDeparted
from governor.events.published import RecordedBus
from governor.ledger import MemoryLedger
from tests.unit.approval_desk.desk import LEAD, NOW, OWNER, POLICY, SEC, WORKLOAD, ZERO, Desk

MEMBER, CISO = "user_ana", "U0CISO"
REASSIGNED = [
    {**one, "key": {"creator_user_id": "nobody"}} if one["name"] != "prod-plain-agent" else one
    for one in POLICY["workloads"]
]


class Nowhere:
    """A bus that drops what it gets."""

    def publish(self, events: Any) -> None:
        """Nothing."""


def _desk(*, reassigned: bool = True) -> Desk:
    more = {"workloads": REASSIGNED} if reassigned else {}
    desk = Desk(approvals={**POLICY["approvals"], "approvers": [LEAD, SEC, CISO]}, **more)
    desk.rotated()
    desk.rotated(ZERO)
    return desk


def _left(desk: Desk, *keys: DepartedKey) -> dict[str, str]:
    """Stores the event as `account_review` does; the value of its button."""
    evidence = MemberDeparted(member=MEMBER, since=NOW, total=len(keys), keys=list(keys)).model_dump(mode="json")
    event = Event(DetailType.MEMBER_DEPARTED, "departure-1", MEMBER, NOW, "gone.", evidence)
    ledger = desk.desk.ports.ledger
    assert isinstance(ledger, MemoryLedger)
    RecordedBus("account_review", ledger, Nowhere()).publish([event])
    return {"member": MEMBER, "departure": event.id}


def _key(workload: str, **more: Any) -> DepartedKey:
    return DepartedKey(hash="a" * 64, name=workload, workspace="production", workload=workload, **more)


def test_the_workloads_of_the_stored_event_are_frozen_and_two_are_asked() -> None:
    desk = _desk()
    value = _left(desk, _key(WORKLOAD))
    assert desk.clicks(OWNER, "rotate-departed", **value) == "bulk_rotation", desk.said
    evidence = desk.bus.events[-1].evidence
    order = desk.desk.ports.orders.get(evidence["approval"])
    assert order
    assert [one.workload for one in order.lineages] == [WORKLOAD]
    assert (order.name, evidence["needed"]) == (f"member {MEMBER}", 2)
    held = {"approval": evidence["approval"], "digest": evidence["digest"]}
    assert desk.clicks(LEAD, "approve", **held) == "counted"
    assert desk.clicks(SEC, "approve", **held) == "granted"


def test_nothing_is_asked_while_the_next_key_would_be_in_the_leavers_name() -> None:
    desk = _desk(reassigned=False)
    assert desk.clicks(OWNER, "rotate-departed", **_left(desk, _key(WORKLOAD), _key(ZERO))) == "not_reassigned"
    assert desk.bus.events == []


@pytest.mark.parametrize("forged", [{"departure": "no-such-event"}, {"member": "user_boss"}])
def test_a_button_that_fits_no_stored_event_rotates_nothing(forged: dict[str, str]) -> None:
    desk = _desk()
    value = _left(desk, _key(WORKLOAD))
    assert desk.clicks(OWNER, "rotate-departed", **{**value, **forged}) == "unknown"
    assert desk.bus.events == []


def test_keys_that_were_disabled_and_keys_of_no_workload_are_left_alone() -> None:
    desk = _desk()
    loose = DepartedKey(hash="c" * 64, name="loose", workspace="production")
    value = _left(desk, _key(WORKLOAD, disabled=True), loose)
    assert desk.clicks(OWNER, "rotate-departed", **value) == "unknown"


def test_the_same_order_is_asked_once() -> None:
    desk = _desk()
    value = _left(desk, _key(WORKLOAD))
    assert desk.clicks(OWNER, "rotate-departed", **value) == "bulk_rotation"
    assert desk.clicks(LEAD, "rotate-departed", **value) == "asked_already"
