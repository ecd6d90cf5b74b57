"""Who gets a former key back, by which decision, and what is said of those who do not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governor.approvals.approval import Kind, Request, Vote
from governor.approvals.store import NotGranted
from governor.events import DetailType, Event
from governor.keys import rollback as key_rollback
from governor.keys.causes import CauseRow, Status
from key_retirement.settings import Grant, Rollback
from tests.unit.key_retirement.doubles import Retirement
from tests.unit.key_rotation.doubles import FIRST, NOW, WORKLOAD, World, api_key

OWNER, LEAD, SEC, ANYBODY = "U0OWNER", "U0LEAD", "U0SEC", "U0ANYBODY"


def rotated(**more: Any) -> Retirement:
    """A workload whose key was just replaced. `more`: of its policy."""
    world = World(api_key(FIRST, WORKLOAD), **more)
    world.account.plaintexts["fake-plaintext-made-by-hand"] = FIRST
    world.rotate()
    return Retirement(world)


def current(retirement: Retirement) -> str:
    key = retirement.world.lineage.current
    assert key
    return key.hash


def by_event(by: str = LEAD, id: str = "request-1") -> Rollback:
    return Rollback(Event(DetailType.ROLLBACK_REQUESTED, id, WORKLOAD, NOW, "", {"requested_by": by}), by)


def decided(
    retirement: Retirement,
    *by: str,
    asked_by: str = OWNER,
    id: str = "request-1",
    kind: Kind = "key_rollback",
    change: Mapping[str, Any] | None = None,
) -> Grant:
    """These people approved it, as the tables have it; the event that tells of it."""
    world = retirement.world
    lineage, (workload,) = world.lineage, world.policy.workloads
    request = Request(
        id, kind, WORKLOAD, asked_by, world.now, world.now + timedelta(hours=24),
        change or key_rollback.change(lineage, workload), needed=len(by), shown=key_rollback.shown(lineage),
    )  # fmt: skip
    if by == (asked_by,):
        retirement.approvals.order(request, Vote("vote-0", asked_by, "approve", world.now))
    else:
        retirement.approvals.ask(request)
        for number, one in enumerate(by):
            retirement.approvals.vote(id, request.digest, Vote(f"vote-{number}", one, "approve", world.now))
    return Grant(Event(DetailType.APPROVAL_GRANTED, f"told-{id}", WORKLOAD, world.now, "", {}), id)


def state(retirement: Retirement, id: str = "request-1") -> str:
    approval = retirement.approvals.get(id)
    assert approval
    return approval.state


def refused(retirement: Retirement) -> str:
    """The rule of the last refusal, of which nothing came."""
    told = retirement.told("Rollback Refused")[-1]
    assert retirement.told("Rotation Rolled Back") == []
    return str(told.evidence["rule"])


def test_an_event_gives_nothing_back_where_the_policy_believes_none_and_the_name_in_it_is_not_repeated() -> None:
    retirement = rotated()
    before = retirement.world.lineage
    retirement.act(by_event())
    assert refused(retirement) == "by_event"
    (told,) = retirement.told("Rollback Refused")
    assert told.evidence["requested_by"] is None
    assert "U0LEAD" not in told.reason
    assert "/governor rollback-key" in told.reason
    assert retirement.world.lineage == before


def test_a_flood_of_events_that_are_not_believed_is_one_message_a_day() -> None:
    retirement = rotated()
    for number in range(30):
        retirement.act(by_event(by=f"U0FORGED{number}", id=f"request-{number}"))
    told = retirement.told("Rollback Refused")
    assert len({(event.id, event.reason, str(event.evidence)) for event in told}) == 1
    retirement.world.now += timedelta(days=1)
    retirement.act(by_event())
    assert len({event.id for event in retirement.told("Rollback Refused")}) == 2


def test_an_event_under_the_id_of_a_decision_that_was_carried_out_tells_nothing_as_done() -> None:
    retirement = rotated()
    retirement.act(decided(retirement, OWNER))
    before = len(retirement.told("Rotation Rolled Back"))
    retirement.act(by_event(by="U0FORGED", id="request-1"))
    assert len(retirement.told("Rotation Rolled Back")) == before
    assert retirement.told("Rollback Refused")[-1].evidence["rule"] == "by_event"


def test_an_approver_named_in_an_event_gets_the_key_back_where_the_policy_believes_events() -> None:
    retirement = rotated(by_event=True)
    retirement.act(by_event(by=ANYBODY))
    assert refused(retirement) == "not_an_approver"
    retirement.act(by_event(by=LEAD, id="request-2"))
    assert current(retirement) == FIRST


@pytest.mark.parametrize("by", [OWNER, LEAD])
def test_the_owner_or_an_approver_alone_gets_the_key_back_and_it_is_noted_as_done(by: str) -> None:
    retirement = rotated()
    retirement.act(decided(retirement, by, asked_by=by))
    assert current(retirement) == FIRST
    (told,) = retirement.told("Rotation Rolled Back")
    assert told.evidence["requested_by"] == by
    assert state(retirement) == "done"


def test_the_event_of_a_decision_that_was_carried_out_does_nothing_when_it_comes_again() -> None:
    retirement = rotated()
    grant = decided(retirement, OWNER)
    retirement.act(grant)
    retirement.act(decided(retirement, OWNER, id="request-2"))  # back again: a rollback can be undone
    assert current(retirement) != FIRST
    events = list(retirement.world.bus.events)
    assert retirement.act(grant).told == ""
    assert current(retirement) != FIRST
    assert retirement.world.bus.events == events


def test_what_nobody_decided_or_decided_otherwise_is_refused_whatever_the_event_says() -> None:
    retirement = rotated()
    unknown = Grant(Event(DetailType.APPROVAL_GRANTED, "told", WORKLOAD, NOW, "", {}), "no-such-request")
    with pytest.raises(NotGranted, match="no request"):
        retirement.act(unknown)
    with pytest.raises(NotGranted, match="is a restore"):
        retirement.act(decided(retirement, LEAD, asked_by=LEAD, kind="restore", id="restore-1"))
    with pytest.raises(NotGranted, match="pending"):
        retirement.act(decided(retirement, asked_by=ANYBODY, id="asked-1"))
    assert current(retirement) != FIRST


def test_whoever_the_policy_no_longer_names_gets_nothing_although_the_decision_stands() -> None:
    retirement = rotated()
    retirement.act(decided(retirement, ANYBODY, asked_by=ANYBODY))
    assert refused(retirement) == "not_an_approver"
    assert ANYBODY in retirement.told("Rollback Refused")[0].reason
    assert state(retirement) == "failed"
    assert current(retirement) != FIRST


@pytest.mark.parametrize(
    "policy", [{"tier": 0}, {"rotation": {"every": "60d", "rollback_needs_approval": True}}], ids=["tier", "policy"]
)
def test_of_tier_zero_or_as_the_policy_says_one_person_is_not_enough(policy: dict[str, Any]) -> None:
    retirement = rotated(**policy)
    for number, (by, asked_by) in enumerate([(OWNER, OWNER), (LEAD, LEAD), (OWNER, LEAD)]):
        retirement.act(decided(retirement, by, asked_by=asked_by, id=f"alone-{number}"))
        assert refused(retirement) == "second_yes"
    retirement.act(decided(retirement, SEC, asked_by=LEAD, id="two"))
    assert current(retirement) == FIRST


def test_the_policy_may_let_one_person_do_it_for_tier_zero_too() -> None:
    retirement = rotated(tier=0, rotation={"every": "60d", "rollback_needs_approval": False})
    retirement.act(decided(retirement, OWNER))
    assert current(retirement) == FIRST


def test_a_decision_that_comes_a_day_late_is_refused_and_one_that_comes_within_the_day_is_not() -> None:
    for hours, ends in ((25, "failed"), (23, "done")):
        retirement = rotated()
        grant = decided(retirement, OWNER)
        retirement.world.now += timedelta(hours=hours)
        retirement.act(grant)
        assert state(retirement) == ends


def test_two_peoples_clicks_under_one_message_roll_back_once_and_not_there_and_back() -> None:
    retirement = rotated()
    first, second = decided(retirement, OWNER), decided(retirement, LEAD, asked_by=LEAD, id="request-2")
    retirement.act(first)
    retirement.act(second)
    assert current(retirement) == FIRST
    assert retirement.told("Rollback Refused")[-1].evidence["rule"] == "changed"
    assert state(retirement, "request-2") == "failed"


def test_a_decision_about_other_keys_than_there_are_now_is_refused() -> None:
    retirement = rotated()
    (workload,) = retirement.world.policy.workloads
    change = {**key_rollback.change(retirement.world.lineage, workload), "goes": "c" * 64}
    retirement.act(decided(retirement, OWNER, change=change))
    assert refused(retirement) == "changed"


@pytest.mark.parametrize("how", ["row", "standing cause", "lifted cause"])
def test_a_key_that_leaked_never_comes_back(how: str) -> None:
    retirement = rotated()
    world = retirement.world
    if how == "row":
        key = world.lineage.key(FIRST)
        assert key
        world.lineages.write(world.lineage.with_key(replace(key, exposed=True)))
    else:
        status: Status = "disabled" if how == "standing cause" else "lifted"
        world.causes.write(CauseRow(WORKLOAD, "exposed", status, "leak-1", (FIRST,), NOW))
    retirement.act(decided(retirement, OWNER))
    assert refused(retirement) == "exposed"
    assert current(retirement) != FIRST


def test_a_key_that_nobody_was_ever_given_is_not_taken_for_the_former_one() -> None:
    retirement = rotated()
    world = retirement.world
    key = world.lineage.key(FIRST)
    assert key
    later = world.now + timedelta(minutes=5)
    abandoned = replace(key, hash="d" * 64, name=f"{WORKLOAD}#abandoned", since=later, until=later)
    world.lineages.write(world.lineage.with_key(abandoned))
    found = key_rollback.former(world.lineage)
    assert found
    assert found.hash == FIRST
