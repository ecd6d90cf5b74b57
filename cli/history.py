"""What is known of a subject: causes, decisions, what was published, and its keys at OpenRouter. Reads only.

What could not be read in time is a gap, and is said.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from approval_desk.parsing import is_hash
from cli.beside import beside
from cli.deployed import Deployed
from cli.output import Failure
from cli.session import KEY_VARIABLE, Session
from governor.approvals.approval import Approval, Request
from governor.approvals.store import REQUESTS
from governor.events import BadEvent, Event
from governor.events.published import partition
from governor.events.publishers import PUBLISHES, RECORDED
from governor.keys.causes import Causes, CauseStore
from governor.keys.lineage import Lineage, Lineages
from governor.policy import Policy
from management_api import ApiKey, NotFound, OpenRouter, OpenRouterError

SECONDS = 2.0
"""For each of the two rounds of reading: the whole answer takes less than five seconds."""
STORING = tuple(sorted(name for name, types in PUBLISHES.items() if types & RECORDED))
"""The functions that store what they publish."""


@dataclass(frozen=True)
class Named:
    """What the word on the command line may be. `interaction`: a click's or a command's row.

    `workload`: whose key it is by its name at OpenRouter, where no lineage holds it.
    """

    lineages: tuple[Lineage, ...] = ()
    event: Event | None = None
    approval: Approval | None = None
    interaction: Mapping[str, Any] | None = None
    workload: str = ""
    gaps: tuple[str, ...] = ()

    def subject(self, word: str) -> str:
        """The workload or whatever else it is about."""
        if self.event:
            return self.event.subject
        if self.approval:
            return self.approval.request.subject
        for lineage in self.lineages:
            if any(one.hash == word for one in lineage.keys):
                return lineage.workload
        return self.workload or word


@dataclass(frozen=True)
class History:
    """Of one subject. `events`: what was published about it, the oldest first. `live`: its keys as OpenRouter has them,
    None for one that it does not know. `senders`: by a vote's id, the row of the click or command that cast it."""

    subject: str
    causes: Causes = field(default_factory=Causes)
    lineage: Lineage | None = None
    events: tuple[Event, ...] = ()
    approvals: tuple[Approval, ...] = ()
    senders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    live: Mapping[str, ApiKey | None] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.causes.rows or (self.lineage and self.lineage.keys) or self.events or self.approvals)


def named(session: Session, stack: Deployed, policy: Policy, word: str) -> Named:
    """What is known under this name, hash or id."""
    questions: dict[str, Callable[[], Any]] = {
        "the lineages": lambda: tuple(Lineages(stack.ledger).all()),
        "the requests": lambda: stack.approvals.get(word),
        "what was clicked and typed": lambda: stack.ledger.get("interaction", word),
    }
    questions |= {f"what {one} published": partial(stack.ledger.get, partition(one), word) for one in STORING}
    if is_hash(word):
        questions["OpenRouter"] = lambda: _workload(session, policy, word)
    found, gaps = _answered(questions)
    rows = [found[f"what {one} published"] for one in STORING if found.get(f"what {one} published")]
    row = found.get("what was clicked and typed")
    return Named(
        found.get("the lineages") or (),
        _event(rows[0].data) if rows else None,
        found.get("the requests"),
        row.data if row else None,
        found.get("OpenRouter", ""),
        gaps,
    )


def history(
    session: Session, stack: Deployed, named: Named, subject: str, host: str, extra: tuple[str, ...]
) -> History:
    """All that is known of the subject. `host`: the policy's. `extra`: hashes of keys to ask OpenRouter about."""
    lineage = next((one for one in named.lineages if one.workload == subject), None)
    hashes = dict.fromkeys(extra)
    hashes |= dict.fromkeys(one.hash for one in lineage.keys if one.state != "deleted") if lineage else {}
    questions: dict[str, Callable[[], Any]] = {
        "the causes": lambda: CauseStore(stack.ledger).causes(subject),
        "the requests": lambda: _decided(stack, subject),
        "OpenRouter": lambda: _live(session, stack, subject, host, list(hashes)),
    }
    questions |= {f"what {one} published": partial(_published, stack, one, subject) for one in STORING}
    found, gaps = _answered(questions)
    approvals, senders = found.get("the requests") or ((), {})
    events = [event for one in STORING for event in found.get(f"what {one} published") or ()]
    return History(
        subject,
        found.get("the causes") or Causes(),
        lineage,
        tuple(sorted(events, key=lambda one: (one.occurred_at, one.id))),
        approvals,
        senders,
        found.get("OpenRouter") or {},
        gaps,
    )


def _answered(questions: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    answers = beside(questions, SECONDS)
    gaps = tuple(f"{name}: {_why(one)}" for name, one in answers.items() if isinstance(one, Exception))
    return {name: one for name, one in answers.items() if not isinstance(one, Exception)}, gaps


def _why(error: Exception) -> str:
    if isinstance(error, Failure):
        return error.what
    known = isinstance(error, ClientError | BotoCoreError | OpenRouterError)
    return str(error) if known or str(error) else type(error).__name__


def _decided(stack: Deployed, subject: str) -> tuple[tuple[Approval, ...], dict[str, Mapping[str, Any]]]:
    """The subject's requests as they stand, and whence each vote came."""
    rows = [row for row in stack.ledger.rows(REQUESTS) if "#" not in row.sk and row.data.get("subject") == subject]
    asked = sorted((Request.of(row.sk, row.data) for row in rows), key=lambda one: one.requested_at)
    found = [one for one in (stack.approvals.get(request.id) for request in asked[-20:]) if one]
    votes = {vote.id for one in found for vote in one.votes}
    senders = {id: row.data for id in votes if (row := stack.ledger.get("interaction", id))}
    return tuple(found), senders


def _published(stack: Deployed, function: str, subject: str) -> list[Event]:
    """What the function has stored about the subject. The table looks through its rows: only these travel."""
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.table,
        KeyConditionExpression="pk = :pk",
        FilterExpression="contains(#data, :about)",
        ExpressionAttributeNames={"#data": "data"},
        ExpressionAttributeValues={
            ":pk": {"S": partition(function)},
            ":about": {"S": f'"subject":{json.dumps(subject)}'},
        },
    )  # fmt: skip
    rows = [json.loads(item["data"]["S"]) for page in pages for item in page["Items"]]
    return [event for event in map(_event, rows) if event and event.subject == subject]


def _event(envelope: Any) -> Event | None:
    try:
        return Event.received(envelope)
    except BadEvent:
        return None


def _workload(session: Session, policy: Policy, hash: str) -> str:
    """The declared workload whose name the key bears; empty for a key of none, and for one that does not exist."""
    try:
        name = policy.lineage_of(_client(session, policy.account.base_url).keys.get(hash).name)
    except NotFound:
        return ""
    return name if policy.workload(name) else ""


def _client(session: Session, host: str) -> OpenRouter:
    if not session.options.secret_id and not session.outside.environment.get(KEY_VARIABLE):
        raise Failure("was not asked: there is no management key", fix="")
    return session.openrouter(host)


def _live(session: Session, stack: Deployed, subject: str, host: str, hashes: list[str]) -> dict[str, ApiKey | None]:
    """The keys of the lineage, and those that a standing cause names: a workload may have no lineage yet."""
    client = _client(session, host)
    standing = CauseStore(stack.ledger).causes(subject).standing()
    found: dict[str, ApiKey | None] = {}
    for hash in dict.fromkeys([*hashes, *(hash for row in standing for hash in row.hashes)]):
        try:
            found[hash] = client.keys.get(hash)
        except NotFound:
            found[hash] = None
    return found
