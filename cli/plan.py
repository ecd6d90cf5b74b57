"""`governor plan`: what a policy would do to the account now, and what it would have done in the past weeks."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import now as present
from cli import terraform_command
from cli.account import Account, read_account
from cli.command import command
from cli.output import ExitCode, Failure, write_atomically
from cli.plan_text import Beside, Shown, render
from cli.replay.asking import AnalyticsUnclear
from cli.replay.cache import Cache, account_of, default_folder
from cli.replay.history import MATTERS_USD
from cli.replay.knobs import turned
from cli.replay.outcome import Stop, Summary, outcome_of
from cli.replay.play import Play
from cli.replay.replayed import Replayed
from cli.replay.source import Fetched, Source
from cli.session import Session
from cli.terraform import managed
from cli.terraform_drift import NEEDED as COMPARED
from cli.terraform_drift import drift
from cli.terraform_owners import owners
from governor.policy import Policy
from spend_meter.days import DAYS
from tools.policy import PolicyFault, compile_policy


def register(app: typer.Typer) -> None:
    """Adds `governor plan`."""
    command(app, "plan", openrouter=True)(plan)


def plan(
    session: Session,
    policy: Annotated[Path, typer.Argument(help="The policy to try.", metavar="POLICY", exists=True)],
    days: Annotated[int, typer.Option("--days", min=1, max=DAYS, help="Days of the past to play.")] = DAYS,
    what_if: Annotated[
        str | None,
        typer.Option("--what-if", metavar="KNOB=VALUE", help="Beside it, the outcome with one knob turned."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Draw each affected key's spend into this file.")
    ] = None,
    now_only: Annotated[bool, typer.Option("--now", help="Leave the past out.")] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="FOLDER", help="Where days of history are kept.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep nothing, and ask for every day.")] = False,
    by_minute: Annotated[
        bool, typer.Option("--by-minute", help="Ask for the minutes of every hour, not only of those that matter.")
    ] = False,
    terraform: Annotated[
        Path | None,
        typer.Option(
            "--terraform",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Show where the account differs from this Terraform state or plan, too.",
        ),
    ] = None,
) -> ExitCode:
    """Says what a policy would do to this account now, and what it would have done in the last 28 days.

    Changes nothing. The past comes from OpenRouter's analytics, by the minute where it tells minutes, and is played
    through the functions' own rules. Knobs: tier, disable_at, alert_at, runaway, limit_usd, for one workload
    (WORKLOAD.tier=0) or for all. docs/plan.md says how to read it, and what it cannot know.

    Exit code 1: something waits for a person (a key off the convention, a difference, from Terraform's state too, a key
    that Terraform manages and a workload rotates, a gap, a disable that may be a false alarm), or part of the account
    could not be read.

    Example: governor plan policy.yaml --what-if disable_at=1.0 --html plan.html
    """
    if now_only and (what_if or html):
        raise Failure("--now leaves the past out, which --what-if and --html are about", fix="Leave --now out.")
    wanted = _policy(policy)
    other = turned(wanted, what_if) if what_if else None
    resources = managed(terraform) if terraform else None
    client = session.openrouter(wanted.account.base_url)
    account = read_account(client, session.out, session.now)
    beside = None
    if resources is not None:
        owned = owners(resources, wanted, account)
        beside = Beside(len(resources), drift(resources, account), account.gaps_in(*COMPARED), owned)
    account = replace(account, gaps=account.gaps_in(*present.NEEDED, "budgets"))
    with session.out.progress("holding the policy against the account"):
        findings = present.now(wanted, account, client, session.now)
    past = changed = None
    if not now_only:
        folder = None if no_cache else cache or default_folder()
        fetched, start, end = _history(session, account, days, folder, 0.0 if by_minute else MATTERS_USD)
        past = _played(session, "playing the past", wanted, account, fetched, start, end)
        if other:
            changed = _played(session, f"playing it with {what_if}", other, account, fetched, start, end)
        if html:
            _draw(session, html, past)
    shown = Shown(str(policy), account, findings, past, what_if or "", changed, beside)
    session.out.result(_document(shown), lambda console: render(shown, console))
    waits = any(one.kind in present.NEEDS_A_PERSON for one in findings) or (past and past.outcome.candidates)
    drifted = beside is not None and bool(beside.differences or beside.gaps or beside.owners.disputed)
    # Budgets of workspaces are refused to most plans of OpenRouter's, and no person can change that.
    return ExitCode.FINDINGS if waits or drifted or account.gaps_in(*present.NEEDED) else ExitCode.OK


def _policy(path: Path) -> Policy:
    try:
        return compile_policy(path)
    except PolicyFault as fault:
        raise Failure(
            f"{path} does not pass the check:\n{fault}", fix="Fix the lines that are named, then plan again."
        ) from None


def _history(
    session: Session, account: Account, days: int, folder: Path | None, matters_usd: float
) -> tuple[Fetched, datetime, datetime]:
    """The history up to the last whole hour, and the time that is played."""
    end = session.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    start = (end - timedelta(days=days)).replace(hour=0)
    asking = session.asking()
    kept = Cache(folder, account_of(session.base_url, [one.id for one in account.workspaces])) if folder else None
    try:
        return Source(asking, account.keys, kept, session.out, matters_usd).fetch(start, end), start, end
    except AnalyticsUnclear as error:
        raise Failure(
            f"OpenRouter's analytics cannot be used: {error}",
            fix="Run the command again in a while, or with --now, which leaves the past out.",
            code=ExitCode.FAR_SIDE,
        ) from None


def _played(
    session: Session, doing: str, policy: Policy, account: Account, fetched: Fetched, start: datetime, end: datetime
) -> Replayed:
    hours = int((end - start) / timedelta(hours=1))
    with session.out.progress(f"{doing}, hour by hour", hours) as advance:
        played = Play(policy, account, fetched.history, start, end).run(lambda minutes: advance())
    return Replayed(fetched, played, outcome_of(played, fetched.history))


def _draw(session: Session, path: Path, past: Replayed) -> None:
    from cli.replay.page import page  # a second that most runs need not pay

    with session.out.progress("drawing"):
        text = page(past.played, past.outcome, past.fetched.history)
    write_atomically(path, text)
    session.out.message(f"{path} written.")


def _document(shown: Shown) -> dict[str, Any]:
    document: dict[str, Any] = {
        "policy": shown.policy,
        "now": [asdict(one) for one in shown.findings],
        "gaps": [asdict(one) for one in shown.account.gaps],
        "past": _past(shown.past) if shown.past else None,
    }
    if shown.beside:
        found = shown.beside
        document["terraform"] = {
            **terraform_command.document(found.resources, found.differences, found.gaps),
            "left": [one.address for one in found.owners.left],
            "claimed": [asdict(one) for one in found.owners.claimed],
        }
    if shown.changed and shown.past:
        document["what_if"] = {
            "knob": shown.knob,
            "totals": shown.changed.outcome.totals(),
            "decisions": [_stop(one) for one in shown.changed.outcome.stops],
        }
    return document


def _past(past: Replayed) -> dict[str, Any]:
    fetched, outcome = past.fetched, past.outcome
    return {
        "from": past.played.start.isoformat(),
        "to": past.played.end.isoformat(),
        "analytics": {
            "queries": fetched.queries,
            "rows": fetched.rows,
            "hours_known_by_minute": fetched.by_minute,
            "hours_known_by_hour": fetched.by_hour,
            "usd_of_keys_that_are_gone": round(sum(fetched.history.elsewhere.values()), 2),
            "notes": fetched.notes,
        },
        "totals": outcome.totals(),
        "false_alarm_candidates": [_stop(one) for one in outcome.candidates],
        "decisions": [_stop(one) for one in outcome.stops],
        "workloads": [_summary(one) for one in outcome.summaries],
        "events": [
            {
                "id": one.id,
                "at": one.occurred_at.isoformat(),
                "type": one.detail_type.value,
                "subject": one.subject,
                "reason": one.reason,
            }
            for one in outcome.events
        ],
    }


def _stop(stop: Stop) -> dict[str, Any]:
    return {
        name: round(value, 2)
        if isinstance(value, float)
        else value.isoformat()
        if isinstance(value, datetime)
        else value
        for name, value in asdict(stop).items()
    }


def _summary(summary: Summary) -> dict[str, Any]:
    fields: Sequence[str] = ("subject", "name", "declared", "tier", "mode", "alerts", "suspicions", "confirmed")
    return {
        **{name: getattr(summary, name) for name in fields},
        "spent_usd": round(summary.spent_usd, 2),
        "worst_day": f"{summary.worst_day:%Y-%m-%d}",
        "worst_day_usd": round(summary.worst_usd, 2),
        "worst_day_capped_usd": None if summary.capped_usd is None else round(summary.capped_usd, 2),
        "disables": len(summary.disables),
        "withheld": len(summary.stops) - len(summary.disables),
    }
