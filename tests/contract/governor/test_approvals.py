"""Approvals over the ledger in memory and over DynamoDB: one suite, both stores."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from governor.approvals.approval import Request, Vote
from governor.approvals.store import Approvals, NotGranted
from governor.ledger import Delete, Ledger, LedgerConflict, MemoryLedger, Put
from governor.ledger.dynamodb import DynamoLedger
from sandbox.engine.atomic import make_requests_atomic
from tests.doubles.tables import create_tables

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ASKED = Request(
    id="a1",
    kind="promotion",
    subject="support-triage",
    requested_by="U0ASKER",
    requested_at=NOW,
    expires_at=NOW + timedelta(hours=24),
    change={"from_version": 7, "config": "9f2c"},
    approvers=("U0LEAD", "U0SEC"),
    shown=("model changes",),
)


def _yes(by: str = "U0LEAD", id: str = "click-1", at: datetime = NOW) -> Vote:
    return Vote(id, by, "approve", at)


def _no(by: str = "U0SEC", id: str = "click-2") -> Vote:
    return Vote(id, by, "reject", NOW, "too dear")


@pytest.fixture(params=["memory", "dynamodb"])
def ledgers(request: pytest.FixtureRequest) -> Iterator[tuple[Ledger, Ledger]]:
    if request.param == "memory":
        yield MemoryLedger(), MemoryLedger()
        return
    make_requests_atomic()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client, "ledger", "decisions")
        yield DynamoLedger(client, "ledger"), DynamoLedger(client, "decisions")


@pytest.fixture
def approvals(ledgers: tuple[Ledger, Ledger]) -> Approvals:
    return Approvals(*ledgers)


def _state(approvals: Approvals, id: str = ASKED.id) -> str:
    found = approvals.get(id)
    assert found
    return found.state


def test_an_approver_grants_and_whoever_acts_reads_it(approvals):
    approvals.ask(ASKED)
    voted = approvals.vote(ASKED.id, ASKED.digest, _yes())
    assert (voted.outcome, voted.rule) == ("granted", "granted")
    grant = approvals.granted(ASKED.id, {"promotion"})
    assert grant.request == ASKED
    assert grant.approved_by == ("U0LEAD",)


def test_asking_again_changes_nothing(approvals):
    approvals.ask(ASKED)
    again = approvals.ask(replace(ASKED, change={"from_version": 8}))
    assert again == ASKED
    assert len(approvals.pending()) == 1


@pytest.mark.parametrize(
    ("vote", "digest", "rule"),
    [
        (_yes("U0ASKER"), ASKED.digest, "own_request"),
        (_yes("U0STRANGER"), ASKED.digest, "not_an_approver"),
        (_yes(), "f" * 64, "changed"),
        (_yes(at=NOW + timedelta(hours=24)), ASKED.digest, "expired"),
    ],
)
def test_a_vote_that_does_not_count_is_refused_with_its_rule(approvals, vote, digest, rule):
    approvals.ask(ASKED)
    voted = approvals.vote(ASKED.id, digest, vote)
    assert (voted.outcome, voted.rule) == ("refused", rule)
    assert _state(approvals) == "pending"


def test_a_vote_on_nothing_is_refused(approvals):
    assert approvals.vote("nobody-asked", ASKED.digest, _yes()).rule == "unknown"


def test_the_asker_may_take_it_back_by_rejecting(approvals):
    approvals.ask(ASKED)
    assert approvals.vote(ASKED.id, ASKED.digest, _no("U0ASKER")).outcome == "rejected"


def test_the_same_click_twice_gives_the_same_and_a_second_click_is_too_late(approvals):
    approvals.ask(ASKED)
    first = approvals.vote(ASKED.id, ASKED.digest, _yes())
    again = approvals.vote(ASKED.id, ASKED.digest, _yes())
    assert (first.outcome, again.outcome, again.rule) == ("granted", "granted", "in_hand")
    assert approvals.vote(ASKED.id, ASKED.digest, _no()).rule == "granted"


def test_the_author_of_a_version_cannot_approve_it_and_may_reject_it_as_an_approver(approvals):
    asked = replace(ASKED, author="U0LEAD")
    approvals.ask(asked)
    refused = approvals.vote("a1", asked.digest, _yes())
    assert (refused.outcome, refused.rule) == ("refused", "own_version")
    assert approvals.vote("a1", asked.digest, _no("U0LEAD")).outcome == "rejected"


def test_a_request_of_before_authors_were_kept_has_the_digest_that_its_decision_holds(ledgers):
    approvals = Approvals(*ledgers)
    approvals.ask(ASKED)
    assert approvals.vote("a1", ASKED.digest, _yes()).outcome == "granted"
    older = {name: value for name, value in ASKED.data().items() if not name.startswith("author")}
    ledgers[0].commit(Put("approval", "a1", older, 1))
    assert approvals.granted("a1", ["promotion"]).request == ASKED
    ledgers[0].commit(Put("approval", "a1", {**older, "author": "U0X"}, 2))
    with pytest.raises(NotGranted, match="altered"):
        approvals.granted("a1", ["promotion"])


def test_two_are_needed_and_one_counts_once(approvals):
    asked = replace(ASKED, needed=2)
    approvals.ask(asked)
    assert approvals.vote(asked.id, asked.digest, _yes()).outcome == "counted"
    assert approvals.vote(asked.id, asked.digest, _yes(id="click-9")).rule == "counted_already"
    with pytest.raises(NotGranted, match="pending"):
        approvals.granted(asked.id, {"promotion"})
    assert approvals.vote(asked.id, asked.digest, _yes("U0SEC", "click-3")).outcome == "granted"
    assert approvals.vote(asked.id, asked.digest, _yes()).outcome == "counted"
    assert approvals.granted(asked.id, {"promotion"}).approved_by == ("U0LEAD", "U0SEC")


def test_one_no_ends_it(approvals):
    asked = replace(ASKED, needed=2)
    approvals.ask(asked)
    approvals.vote(asked.id, asked.digest, _yes())
    assert approvals.vote(asked.id, asked.digest, _no()).outcome == "rejected"
    with pytest.raises(NotGranted, match="rejected"):
        approvals.granted(asked.id, {"promotion"})


def test_of_many_at_once_exactly_one_decides(ledgers):
    Approvals(*ledgers).ask(ASKED)

    def click(number: int) -> str:
        vote = _yes("U0LEAD", f"y{number}") if number % 2 else _no("U0SEC", f"n{number}")
        for _ in range(20):
            try:
                return str(Approvals(*ledgers).vote(ASKED.id, ASKED.digest, vote).outcome)
            except LedgerConflict:
                continue
        return "refused"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(click, range(16)))
    assert sorted(outcome for outcome in outcomes if outcome != "refused") in (["granted"], ["rejected"])


def test_an_overdue_request_is_written_off_once_and_no_vote_comes_after(approvals):
    approvals.ask(ASKED)
    assert approvals.overdue(NOW) == []
    assert approvals.overdue(ASKED.expires_at) == [], "a vote that was judged in time may still be under way"
    late = NOW + timedelta(hours=25)
    (expired,) = approvals.overdue(late)
    assert expired.state == "expired"
    approvals.write_off(expired)
    assert approvals.overdue(late) == []
    assert approvals.vote(ASKED.id, ASKED.digest, _yes()).rule == "expired"


def test_a_withdrawn_request_is_void(approvals):
    approvals.ask(ASKED)
    assert approvals.withdraw(ASKED.id, "production changed")
    assert approvals.withdraw(ASKED.id, "again")
    assert approvals.vote(ASKED.id, ASKED.digest, _yes()).rule == "void"
    with pytest.raises(NotGranted, match="production changed"):
        approvals.granted(ASKED.id, {"promotion"})


def test_a_decided_request_is_not_withdrawn(approvals):
    approvals.ask(ASKED)
    approvals.vote(ASKED.id, ASKED.digest, _yes())
    assert not approvals.withdraw(ASKED.id, "too late")
    assert _state(approvals) == "granted"


def test_a_grant_is_acted_on_once(approvals):
    approvals.ask(ASKED)
    approvals.vote(ASKED.id, ASKED.digest, _yes())
    approvals.finish(ASKED.id, "done")
    approvals.finish(ASKED.id, "failed", "later")
    with pytest.raises(NotGranted) as refused:
        approvals.granted(ASKED.id, {"promotion"})
    assert refused.value.state == "done"


def test_a_grant_is_of_its_kind_only(approvals):
    approvals.ask(ASKED)
    approvals.vote(ASKED.id, ASKED.digest, _yes())
    with pytest.raises(NotGranted, match="not one of restore"):
        approvals.granted(ASKED.id, {"restore"})
    with pytest.raises(NotGranted, match="no request"):
        approvals.granted("forged", {"promotion"})


def test_a_request_altered_after_the_decision_is_void(approvals, ledgers):
    approvals.ask(ASKED)
    approvals.vote(ASKED.id, ASKED.digest, _yes())
    ledger = ledgers[0]
    row = ledger.get("approval", ASKED.id)
    ledger.commit(Put("approval", ASKED.id, {**row.data, "change": {"from_version": 99}}, row.version))
    with pytest.raises(NotGranted, match="altered"):
        approvals.granted(ASKED.id, {"promotion"})


def test_an_order_is_request_and_decision_in_one_and_converges(approvals):
    order = replace(ASKED, id="order-1", kind="restore", requested_by="U0LEAD", approvers=())
    for _ in range(2):
        assert approvals.order(order, _yes()).state == "granted"
    assert approvals.granted("order-1", {"restore"}).approved_by == ("U0LEAD",)
    with pytest.raises(NotGranted):
        approvals.order(replace(order, change={"other": 1}), _yes(id="click-7"))


class Contended(MemoryLedger):
    """Refuses the next write and keeps nothing of it, as DynamoDB does while a transaction holds the row."""

    contended = False

    def commit(self, *writes: Put | Delete) -> None:
        if self.contended:
            self.contended = False
            raise LedgerConflict("another write of it is under way")
        super().commit(*writes)


def test_a_note_that_was_refused_and_stands_nowhere_is_not_taken_for_noted():
    """An outcome that is lost lets an event of the grant that is replayed act a second time."""
    ledger = Contended()
    approvals = Approvals(ledger, MemoryLedger())
    approvals.ask(ASKED)
    approvals.vote(ASKED.id, ASKED.digest, _yes())
    ledger.contended = True
    with pytest.raises(LedgerConflict):
        approvals.finish(ASKED.id, "done")
    approvals.finish(ASKED.id, "done")
    with pytest.raises(NotGranted):
        approvals.granted(ASKED.id, {"promotion"})


def test_an_outcome_that_was_noted_beside_its_request_still_counts(approvals, ledgers):
    approvals.order(ASKED, _yes())
    ledgers[0].commit(Put("approval", "a1#outcome", {"result": "done", "why": ""}))

    with pytest.raises(NotGranted, match="is done"):
        approvals.granted("a1", {"promotion"})


def test_an_outcome_is_kept_apart_from_requests(approvals, ledgers):
    approvals.order(ASKED, _yes())
    approvals.finish("a1", "done")

    assert [row.sk for row in ledgers[0].rows("approval")] == ["a1"]
    assert ledgers[0].get("approval#outcome", "a1").data == {"result": "done", "why": ""}
