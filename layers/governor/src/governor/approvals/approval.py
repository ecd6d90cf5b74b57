"""What people decide about, and when a vote counts: a request, the votes, and where it stands. Pure.

asked ──▶ pending ──▶ granted ──▶ done | failed
             ├──────▶ rejected
             ├──────▶ expired
             └──────▶ void            whoever asked takes it back: what was to be decided has changed
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from governor.clock import format_instant, parse_instant
from governor.ledger import ABSENT

Kind = Literal[
    "promotion", "override", "rollback", "adopt", "revert", "restore", "disable", "drill", "key_rollback",
    "bulk_rotation",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
Verdict = Literal["approve", "reject"]
State = Literal["pending", "granted", "rejected", "expired", "void", "done", "failed"]
Result = Literal["done", "failed"]


@dataclass(frozen=True)
class Request:
    """What people are asked, exactly as they are shown it; never changed once it is stored.

    `subject`: a workload, a key's hash, a preset's slug, or `<workspace>/<provider>`; `name`: the same for people.
    `change`: what is to be done, JSON values, never a prompt or a key. `shown`: lines for people, risks first; `file`:
    a permalink to what is too long for a message. `approvers`: Slack user ids, empty for anybody; `needed` of them.
    `author`: the Slack user who made what is decided about and may not approve it, empty where there is none or where
    nobody knows; `author_unknown` then says why, as a clause.
    """

    id: str
    kind: Kind
    subject: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    change: Mapping[str, Any] = field(hash=False)
    approvers: tuple[str, ...] = ()
    needed: int = 1
    name: str = ""
    shown: tuple[str, ...] = ()
    file: str | None = None
    author: str = ""
    author_unknown: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that a decision is about: the same for the same request, whoever stores it."""
        held = [
            self.id, self.kind, self.subject, self.change, self.requested_by, sorted(self.approvers), self.needed,
            list(self.shown), self.file,
        ]  # fmt: skip
        if self.author or self.author_unknown:  # a request that says nothing of an author keeps the digest it had
            held.append([self.author, self.author_unknown])
        return hashlib.sha256(json.dumps(held, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def data(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "subject": self.subject,
            "requested_by": self.requested_by,
            "requested_at": format_instant(self.requested_at),
            "expires_at": format_instant(self.expires_at),
            "change": dict(self.change),
            "approvers": list(self.approvers),
            "needed": self.needed,
            "name": self.name,
            "shown": list(self.shown),
            "file": self.file,
            "author": self.author,
            "author_unknown": self.author_unknown,
        }

    @classmethod
    def of(cls, id: str, data: Mapping[str, Any]) -> "Request":
        kind = next(kind for kind in KINDS if kind == data["kind"])
        return cls(
            id=id,
            kind=kind,
            subject=data["subject"],
            requested_by=data["requested_by"],
            requested_at=parse_instant(data["requested_at"]),
            expires_at=parse_instant(data["expires_at"]),
            change=data["change"],
            approvers=tuple(data["approvers"]),
            needed=data["needed"],
            name=data["name"],
            shown=tuple(data["shown"]),
            file=data["file"],
            author=data.get("author", ""),  # older rows have none
            author_unknown=data.get("author_unknown", ""),
        )


@dataclass(frozen=True)
class Vote:
    """One person's word. `id`: of the click, command or event that brought it; the same one counts once.

    `at`: when it is counted, not when it was clicked, so that none counts after a request was told to have expired.
    """

    id: str
    by: str
    verdict: Verdict
    at: datetime
    comment: str = ""


@dataclass(frozen=True)
class Approval:
    """A request and what became of it. `why`: of a withdrawal or a failure. `version`: the decision row's.

    `decision`: the state that the decision's row holds, None while there is no such row. `withdrawn`: why the request
    was taken back, None where it was not. `altered`: the request is not the one that was decided.
    """

    request: Request
    state: State = "pending"
    votes: tuple[Vote, ...] = ()
    why: str = ""
    decided_at: datetime | None = None
    version: int = ABSENT
    decision: State | None = None
    withdrawn: str | None = None
    altered: bool = False

    @property
    def approved_by(self) -> tuple[str, ...]:
        return tuple(vote.by for vote in self.votes if vote.verdict == "approve")

    def vote(self, id: str) -> Vote | None:
        return next((vote for vote in self.votes if vote.id == id), None)


@dataclass(frozen=True)
class Voted:
    """What became of one vote. `rule` says why it was refused; `approval` as it stands after it.

    `counted`: one more is needed. A repeat of a vote that was counted gives what the vote itself gave.
    """

    outcome: Literal["granted", "rejected", "counted", "refused"]
    rule: str
    approval: Approval | None


def judge(approval: Approval, digest: str, vote: Vote) -> Voted:
    """What the vote does, by the first rule that applies. Pure.

    1. `in_hand`           this very vote was counted: the same again
    2. `void`, `expired`, `granted`, `rejected`, ...   it is over
    3. `expired`           it is later than `expires_at`, whether or not anybody has written that down
    4. `changed`           the digest is of something else than what is to be decided
    5. `own_request`       nobody decides what they asked for; they may take it back, which rejects it
    6. `own_version`       nobody approves a version that they made; they may reject it if they are an approver
    7. `not_an_approver`
    8. `counted_already`   an approver counts once
    """
    request = approval.request
    before = approval.vote(vote.id)
    if before:
        return Voted(_outcome(approval, before), "in_hand", approval)
    rule = _refusal(approval, digest, vote)
    if rule:
        return Voted("refused", rule, approval)
    if vote.verdict == "reject":
        after = replace(approval, state="rejected", votes=(*approval.votes, vote), decided_at=vote.at)
        return Voted("rejected", "rejected", after)
    votes = (*approval.votes, vote)
    if len(votes) < request.needed:
        return Voted("counted", "counted", replace(approval, votes=votes))
    return Voted("granted", "granted", replace(approval, state="granted", votes=votes, decided_at=vote.at))


def _refusal(approval: Approval, digest: str, vote: Vote) -> str | None:
    """The rule by which a vote does not count: 2 to 8 of `judge`."""
    request, approves = approval.request, vote.verdict == "approve"
    own = vote.by == request.requested_by
    rules = (
        (approval.state != "pending", approval.state),
        (vote.at >= request.expires_at, "expired"),
        (digest != request.digest, "changed"),
        (own and approves, "own_request"),
        (vote.by == request.author and approves, "own_version"),
        (bool(request.approvers) and vote.by not in request.approvers and not own, "not_an_approver"),
        (vote.by in approval.approved_by and approves, "counted_already"),
    )
    return next((rule for applies, rule in rules if applies), None)


def _outcome(approval: Approval, vote: Vote) -> Literal["granted", "rejected", "counted"]:
    if vote.verdict == "reject":
        return "rejected"
    return "granted" if approval.votes.index(vote) + 1 >= approval.request.needed else "counted"
