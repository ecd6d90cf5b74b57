"""`status` and `keys`: what the ledger says of keys, rotations and open requests. Reads only."""

from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from approval_desk.reports import age
from cli.command import command
from cli.deployed import POLICY, PolicyFile, deployed, policy_of
from cli.output import ExitCode, plain, row, table
from cli.session import Session
from governor.approvals.approval import Approval
from governor.clock import format_instant, parse_instant
from governor.keys.causes import CauseStore
from governor.keys.lineage import Lineage, Lineages
from governor.policy import Policy

Facts = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    command(app, "status", aws=True)(status)
    command(app, "keys", aws=True)(keys)


def status(session: Session, policy: PolicyFile = POLICY) -> ExitCode | None:
    """What is disabled, in rotation, or waits for a decision.

    Reads the ledger with your own AWS rights (dynamodb:GetItem and Query on the stack's two tables). Exit code 1: a
    key is held disabled.

    Example: governor status --stack governor
    """
    declared, stack = policy_of(policy), deployed(session)
    with session.out.progress("reading the ledger"):
        lineages = Lineages(stack.ledger).all()
        held = list(_held(declared, CauseStore(stack.ledger)))
        waiting = [_waiting(one) for one in stack.approvals.pending()]
    turning = [_turning(one) for one in lineages if one.rotation]

    def render(console: Console) -> None:
        _part(console, session, "Disabled", held, ("subject", "cause", "at"))
        _part(console, session, "In rotation", turning, ("workload", "why", "at"))
        _part(console, session, "Waiting for a decision", waiting, ("kind", "subject", "asked_by", "approved", "at"))

    session.out.result({"disabled": held, "in_rotation": turning, "waiting": waiting}, render)
    return ExitCode.FINDINGS if held else None


def keys(session: Session, policy: PolicyFile = POLICY) -> ExitCode | None:
    """Every workload's keys with their state and age, as far as Governor made or adopted them.

    Exit code 1: a declared workload has no current key of Governor's.

    Example: governor keys --stack governor
    """
    declared, stack = policy_of(policy), deployed(session)
    with session.out.progress("reading the ledger"):
        known = {one.workload: one for one in Lineages(stack.ledger).all()}
    found = [fact for workload in declared.workloads for fact in _keys(workload.name, known.get(workload.name))]

    def render(console: Console) -> None:
        _part(console, session, "Keys", found, ("workload", "state", "hash", "at"))

    session.out.result({"keys": found}, render)
    return ExitCode.FINDINGS if any(one["state"] is None for one in found) else None


def _held(policy: Policy, store: CauseStore) -> Iterable[Facts]:
    for workload in policy.workloads:
        for one in store.causes(workload.name).standing():
            facts = {"subject": workload.name, "cause": one.cause, "at": format_instant(one.at)}
            yield {**facts, "keys": list(one.hashes), "trigger": one.trigger}


def _turning(lineage: Lineage) -> Facts:
    assert lineage.rotation
    at = format_instant(lineage.rotation.started_at)
    return {"workload": lineage.workload, "why": lineage.rotation.why, "at": at}


def _waiting(approval: Approval) -> Facts:
    asked = approval.request
    return {
        "id": asked.id,
        "kind": asked.kind,
        "subject": asked.name or asked.subject,
        "asked_by": asked.requested_by,
        "approved": f"{len(approval.approved_by)} of {asked.needed}",
        "approvers": list(asked.approvers),
        "at": format_instant(asked.requested_at),
        "expires_at": format_instant(asked.expires_at),
    }


def _keys(workload: str, lineage: Lineage | None) -> Iterable[Facts]:
    living = [one for one in lineage.keys if one.state != "deleted"] if lineage else []
    if not any(one.state == "current" for one in living):
        yield {"workload": workload, "state": None, "hash": None, "at": None}
    for one in living:
        yield {"workload": workload, "state": one.state, "hash": one.hash, "name": one.name,
               "at": format_instant(one.since)}  # fmt: skip


def _part(console: Console, session: Session, title: str, facts: Sequence[Facts], columns: tuple[str, ...]) -> None:
    console.print(Text(plain(title if facts else f"{title}: nothing"), style="bold"))
    if not facts:
        return
    made = table(*("since" if one == "at" else one.replace("_", " ") for one in columns))
    for fact in facts:
        cells = {**fact, "state": fact.get("state") or "no key of Governor's"}
        cells["hash"] = str(fact["hash"])[:12] if fact.get("hash") else None
        cells["at"] = f"{age(session.now - parse_instant(fact['at']))} ago" if fact.get("at") else None
        row(made, *(cells.get(one) for one in columns))
    console.print(made)
