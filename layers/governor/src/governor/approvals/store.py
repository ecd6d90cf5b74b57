"""A human's decision, bound to what they saw (promise 10): where requests, decisions and outcomes are kept.

Four facts, four rows, each written once by whom it concerns: the request (whoever asks, in the ledger: pk `approval`,
sk `<id>`), its withdrawal (`<id>#withdrawn`), the outcome (whoever acts: pk `approval#outcome`, sk `<id>`, so that who
only acts can write no request), and the decision, which stands in a table of its own that one function alone may write.
An event that tells of a grant is a tip: who acts asks `granted`, which reads the rows and holds the decision's digest
against the request.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from governor.approvals.approval import Approval, Kind, Request, Result, State, Vote, Voted, judge
from governor.clock import format_instant, parse_instant
from governor.ledger import Ledger, LedgerConflict, Put, Row

REQUESTS, OUTCOMES, DECISIONS = "approval", "approval#outcome", "decision"
WITHDRAWN, FORMER_OUTCOME = "withdrawn", "outcome"
UNDER_WAY = timedelta(minutes=1)
"""A vote that was judged in time is written by then: whoever counts votes runs for half a minute at the most."""
KEPT = timedelta(days=120)
"""How long rows outlive their request's end. What happened is in the event archive for longer."""


class NotGranted(Exception):
    """Nobody allowed this, or not this. `state`: where the request stands, None when there is none."""

    def __init__(self, why: str, state: State | None) -> None:
        super().__init__(why)
        self.state = state


class Approvals:
    """Requests, decisions and outcomes over the ledger and the table of decisions.

    Every method may be called again after a crash or beside a copy of itself, and converges.
    """

    def __init__(self, ledger: Ledger, decisions: Ledger) -> None:
        self._ledger = ledger
        self._decisions = decisions

    def ask(self, request: Request) -> Request:
        """Stores the request; the stored one where its id is there already."""
        try:
            self._ledger.commit(Put(REQUESTS, request.id, request.data(), expires_at=request.expires_at + KEPT))
        except LedgerConflict:
            row = self._ledger.get(REQUESTS, request.id)
            if row is None:
                raise
            return Request.of(request.id, row.data)
        return request

    def get(self, id: str) -> Approval | None:
        """The request as it stands."""
        row = self._ledger.get(REQUESTS, id)
        if row is None:
            return None
        withdrawn = self._ledger.get(REQUESTS, f"{id}#{WITHDRAWN}")
        outcome = self._ledger.get(OUTCOMES, id) or self._ledger.get(REQUESTS, f"{id}#{FORMER_OUTCOME}")
        return _approval(row, self._decisions.get(DECISIONS, id), withdrawn, outcome)

    def pending(self) -> list[Approval]:
        """Requests that nobody has decided, withdrawn or written off, the oldest first."""
        rows = {row.sk: row for row in self._ledger.rows(REQUESTS)}
        decisions = {row.sk: row for row in self._decisions.rows(DECISIONS)}
        every = (
            # An outcome follows a grant, and what is granted is not pending: its row need not be read.
            _approval(row, decisions.get(id), rows.get(f"{id}#{WITHDRAWN}"), None)
            for id, row in rows.items()
            if "#" not in id
        )
        return sorted(
            (one for one in every if one.state == "pending"), key=lambda one: (one.request.requested_at, one.request.id)
        )

    def vote(self, id: str, digest: str, vote: Vote) -> Voted:
        """Counts the vote, by one conditional write. Raises `LedgerConflict` when another vote came between."""
        approval = self.get(id)
        if approval is None:
            return Voted("refused", "unknown", None)
        voted = judge(approval, digest, vote)
        if voted.outcome == "refused" or voted.rule == "in_hand" or voted.approval is None:
            return voted
        return replace(voted, approval=self._decide(voted.approval))

    def order(self, request: Request, vote: Vote) -> Approval:
        """Asked by somebody entitled to decide it, whose request is an approval: done at once where one is needed, and
        else the first of so many.

        Raises `NotGranted` when a request of this id was decided otherwise, `LedgerConflict`.
        """
        self.ask(request)
        approval = self.get(request.id)
        if approval is None or approval.request.digest != request.digest:
            raise NotGranted(f"request {request.id} is about something else", approval.state if approval else None)
        if approval.vote(vote.id):
            return approval
        if approval.state != "pending":
            raise NotGranted(f"request {request.id} is {approval.state}", approval.state)
        votes = (*approval.votes, vote)
        if len(votes) < approval.request.needed:
            return self._decide(replace(approval, votes=votes))
        return self._decide(replace(approval, state="granted", votes=votes, decided_at=vote.at))

    def overdue(self, now: datetime) -> list[Approval]:
        """Pending requests whose time is over. No vote counts for them any more, so tell of each, then write it off:
        in this order a crash between the two tells twice under one id, and never not at all."""
        over = [one for one in self.pending() if one.request.expires_at + UNDER_WAY <= now]
        return [replace(one, state="expired", decided_at=now) for one in over]

    def write_off(self, expired: Approval) -> None:
        """Notes that an overdue request has ended. Raises `LedgerConflict` when something came between."""
        self._decide(expired)

    def withdraw(self, id: str, why: str) -> bool:
        """Whoever asked takes the request back; whether that came before a decision. Again is no harm.

        Raises `LedgerConflict`.
        """
        approval = self.get(id)
        if approval is None or approval.state not in ("pending", "void"):
            return False
        self._once(REQUESTS, f"{id}#{WITHDRAWN}", {"why": why}, approval.request)
        return True

    def granted(self, id: str, kinds: Collection[Kind]) -> Approval:
        """The grant on which somebody acts: of one of these kinds, decided, not withdrawn, not yet carried out.

        Raises `NotGranted`.
        """
        approval = self.get(id)
        if approval is None:
            raise NotGranted(f"no request {id} is known", None)
        if approval.request.kind not in kinds:
            raise NotGranted(f"request {id} is a {approval.request.kind}, not one of {', '.join(sorted(kinds))}", None)
        if approval.state != "granted":
            raise NotGranted(f"request {id} is {approval.state}{approval.why and f': {approval.why}'}", approval.state)
        return approval

    def finish(self, id: str, result: Result, why: str = "") -> None:
        """Notes what came of a grant, once: an event of it that is replayed later acts no second time.

        Raises `LedgerConflict`.
        """
        approval = self.get(id)
        if approval is not None:
            self._once(OUTCOMES, id, {"result": result, "why": why}, approval.request)

    def _once(self, pk: str, sk: str, data: Mapping[str, str], request: Request) -> None:
        put = Put(pk, sk, data, expires_at=request.expires_at + KEPT)
        try:
            self._ledger.commit(put)
        except LedgerConflict:
            # What was noted first stands. Where nothing was, the note must not get lost.
            if self._ledger.get(put.pk, put.sk) is None:
                raise

    def _decide(self, approval: Approval) -> Approval:
        data = {
            "digest": approval.request.digest,
            "state": approval.state,
            "decided_at": format_instant(approval.decided_at) if approval.decided_at else None,
            "votes": [
                {
                    "id": vote.id,
                    "by": vote.by,
                    "verdict": vote.verdict,
                    "at": format_instant(vote.at),
                    "comment": vote.comment,
                }
                for vote in approval.votes
            ],
        }
        id, ends = approval.request.id, approval.request.expires_at + KEPT
        self._decisions.commit(Put(DECISIONS, id, data, approval.version, expires_at=ends))
        return replace(approval, version=approval.version + 1)


def _approval(row: Row, decision: Row | None, withdrawn: Row | None, outcome: Row | None) -> Approval:
    request = Request.of(row.sk, row.data)
    taken_back = str(withdrawn.data["why"]) if withdrawn else None
    if decision is None:
        if taken_back is None:
            return Approval(request)
        return Approval(request, "void", why=taken_back, withdrawn=taken_back)
    data = decision.data
    votes = tuple(
        Vote(vote["id"], vote["by"], vote["verdict"], parse_instant(vote["at"]), vote["comment"])
        for vote in data["votes"]
    )
    state, why, altered = data["state"], "", data["digest"] != request.digest
    if altered:
        state, why = "void", "the request was altered after it was decided"
    elif outcome:
        state, why = outcome.data["result"], outcome.data["why"]
    elif taken_back is not None and state in ("pending", "granted"):
        state, why = "void", taken_back
    decided_at = parse_instant(data["decided_at"]) if data["decided_at"] else None
    return Approval(
        request, state, votes, why, decided_at, decision.version, data["state"], taken_back, altered
    )  # fmt: skip
