"""Bulk orders: the preview, the request, and the words that hold one up (decision 54).

The list is frozen before the request that names its digest: whoever dies between the two finds it, and asks for what
it says. Nobody's command is an approval here. A word is written where `key_planning` reads it before each rotation.

A word, the first rule that applies:
 1. `unknown`       no bulk order has this id
 2. `not_running`   it is not approved yet, or it is over
 3. `not_theirs`    to pause or stop takes an approver or whoever asked; to resume, an approver
 4. `stale`         a resume that comes half an hour late; a pause or a stop is never too late
 5. `stopped`       it was stopped: a new one takes a new preview
 6. the word itself
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import get_args

from approval_desk import bulk, departed, voting
from approval_desk.decide import EXPIRE_AFTER, STALE, request_id
from approval_desk.parsing import Command, Verb
from approval_desk.ports import Ports
from governor.approvals.approval import Request
from governor.keys.bulk_order import APPROVALS, KIND, WORDS, BulkOrder, Scope, Word
from governor.keys.causes import Causes, CauseStore
from governor.keys.lineage import Lineages
from governor.ledger import LedgerConflict
from governor.policy import Workload
from governor.slack.requests import SlackRequest
from governor.slack.text import escape, mention

VERBS: frozenset[Verb] = frozenset({"rotate-bulk", "rotate-departed", "preview", *WORDS})
READERS = 16
"""Threads that read causes: each workload's are under a key of their own, and an order may hold thousands."""
_SAID = {
    "pause": "Nothing more of it begins; what has begun finishes. An approver can resume it.",
    "resume": "It continues within half a minute.",
    "stop": "Nothing more of it begins, for good; what has begun finishes.",
}


def act(ports: Ports, request: SlackRequest, wanted: Command) -> tuple[str, str]:
    """The rule, and what to say. Raises `LedgerConflict`, `PublishFailed`, or an AWS error."""
    word = next((one for one in WORDS if one == wanted.verb), None)
    if word:
        return _say(ports, request, wanted.subject, word)
    own = ports.approvals.get(request_id(request))
    if own:
        voting.ask(ports, own.request)
        return _asked(own.request)
    if ports.clock() - _at(request) > STALE:
        return "stale", "This came too late to be done. Look again, and do it anew."
    scope = next(one for one in get_args(Scope) if one == wanted.detail["scope"])
    chosen = bulk.selected(ports.policy, scope, wanted.subject)
    if scope == "member":
        chosen = departed.workloads(ports, wanted)
        bound = departed.bound(chosen, wanted.subject)
        if bound:
            return "not_reassigned", bound
    seen = _preview(ports, chosen)
    refused = bulk.refusal(ports.policy, scope, wanted.subject, request.user, seen)
    if seen is None or (refused and wanted.verb != "preview"):
        return (refused.rule, escape(refused.why)) if refused else ("unknown", "")
    if wanted.verb == "preview":
        still = (f"You may not ask for this rotation. {refused.why}",) if refused else ()
        return "preview", "\n".join(escape(line) for line in (*seen.shown, *still))
    for other in ports.approvals.pending():
        change = other.request.change
        if other.request.kind == KIND and (change["scope"], change["of"]) == (scope, wanted.subject):
            who = mention(other.request.requested_by)
            return "asked_already", f"{who} has asked for that already; it waits for two approvers."
    id, because = request_id(request), wanted.detail["because"]
    frozen = ports.orders.freeze(bulk.order_of(id, scope, wanted.subject, because, seen), ports.clock())
    asked = _request(ports, request, frozen)
    voting.ask(ports, asked)
    return _asked(asked)


def _preview(ports: Ports, workloads: Sequence[Workload]) -> bulk.Preview | None:
    if not workloads:
        return None
    names, store = [one.name for one in workloads], CauseStore(ports.ledger)
    with ThreadPoolExecutor(READERS) as readers:
        causes: dict[str, Causes] = dict(zip(names, readers.map(store.causes, names), strict=True))
    lineages = {one.workload: one for one in Lineages(ports.ledger).all()}
    return bulk.preview(ports.policy, workloads, lineages, causes, ports.pace(), ports.clock())


def _request(ports: Ports, request: SlackRequest, order: BulkOrder) -> Request:
    approvals, at = ports.policy.approvals, _at(request)
    change = {
        "scope": order.scope,
        "of": order.of,
        "because": order.because,
        "count": len(order.lineages),
        "lineages": order.digest,
    }
    return Request(
        id=order.id,
        kind=KIND,
        subject=order.of or "account",
        requested_by=request.user,
        requested_at=at,
        expires_at=at + (approvals.expire_after if approvals else EXPIRE_AFTER),
        change=change,
        approvers=approvals.approvers if approvals else (),
        needed=APPROVALS,
        name=order.name,
        shown=order.shown,
    )


def _asked(asked: Request) -> tuple[str, str]:
    lines = "\n".join(escape(line) for line in asked.shown)
    return KIND, f"{lines}\nTwo approvers other than you are asked in the channel. Order `{asked.id}`."


def _say(ports: Ports, request: SlackRequest, id: str, word: Word) -> tuple[str, str]:
    approval = ports.approvals.get(id)
    if approval is None or approval.request.kind != KIND:
        return "unknown", "There is no such bulk order."
    if approval.state != "granted":
        todo = ": reject the request instead" if approval.state == "pending" else ""
        return "not_running", f"That bulk order is {approval.state}{todo}."
    approvers = ports.policy.approvals.approvers if ports.policy.approvals else ()
    entitled = approvers if word == "resume" else (*approvers, approval.request.requested_by)
    if request.user not in entitled:
        who = "an approver" if word == "resume" else "an approver or whoever asked"
        return "not_theirs", f"Only {who} can {word} it."
    if word == "resume" and ports.clock() - _at(request) > STALE:
        return "stale", "This came too late to be done. Look again, and do it anew."
    said = _said(ports, id, request.user, word)
    if said != word:
        return "stopped", "That bulk order was stopped, and does not go on. Ask for a new one."
    return word, _SAID[word]


def _said(ports: Ports, id: str, by: str, word: Word) -> Word:
    """The word as it stands then."""
    for _ in range(voting.ATTEMPTS - 1):
        try:
            return ports.orders.say(id, word, by, ports.clock()).word
        except LedgerConflict as conflict:
            ports.log.info("another word came between; reading anew", extra={"conflict": str(conflict)})
    return ports.orders.say(id, word, by, ports.clock()).word


def _at(request: SlackRequest) -> datetime:
    return datetime.fromtimestamp(request.at, UTC)
