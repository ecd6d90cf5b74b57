"""`governor import`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.account import Account, Part, read_account
from cli.caps import MARGIN
from cli.command import command
from cli.daily import read_daily
from cli.importing import entries, naming
from cli.importing.capping import CapProposal, cap_proposals, fields_of, uncapped, with_caps
from cli.importing.merging import merged, present
from cli.importing.proposal import Proposal, propose
from cli.importing.report import tell
from cli.output import ExitCode, Failure, write_atomically
from cli.session import Session
from cli.terraform import managed
from governor.policy import Policy
from tools.policy import blanks, compile_text

NEEDED: tuple[Part, ...] = ("keys", "guardrails", "assignments", "byok", "presets", "spend")
"""What a policy is written from."""
DEFAULT_URL = "https://openrouter.ai/api/v1"


def register(app: typer.Typer) -> None:
    """Adds `governor import`."""
    command(app, "import", openrouter=True)(import_)


def import_(
    session: Session,
    policy: Annotated[Path, typer.Argument(help="The policy to write, or to add to.", metavar="POLICY")],
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLDNAME=workload", help="The workload of a key that is off the convention."),
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map-file", metavar="FILE", help="The same, one a line.", exists=True)
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="SLACK-ID", help="Owner of workloads that nobody else owns.")
    ] = None,
    terraform: Annotated[
        Path | None,
        typer.Option(
            "--terraform", metavar="FILE", exists=True, help="A state, or JSON of a plan: what it manages is left out."
        ),
    ] = None,
    propose_caps: Annotated[
        bool, typer.Option("--propose-caps", help="Write a cap for workloads whose keys have none, from 28 days.")
    ] = False,
    cap_period: Annotated[
        Literal["daily", "weekly", "monthly"], typer.Option("--cap-period", help="The period of caps.")
    ] = "daily",
    cap_margin: Annotated[
        float, typer.Option("--cap-margin", min=0, max=100, help="Above the largest sum seen; 0.5 is half as much.")
    ] = MARGIN,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be added.")] = False,
) -> ExitCode:
    """Reads the account and writes a policy that passes the check.

    Live keys become workloads, by the name convention. Guardrails and limits are written as they are, with BYOK
    decisions and presets of several workspaces. What only a person knows is marked `fill in`, and listed. Into a policy
    that is there, what it lacks is added. What a person wrote stays; a second run changes nothing.

    Exit code 1: part of the account could not be read.

    Example: governor import policy.yaml --map "Search Agent=prod-search-agent" --owner U0LEAD
    """
    _require_slack_id(owner)
    mapping = naming.parsed(map_ or (), _lines(map_file) if map_file else ())
    foreign = {one.id for one in managed(terraform) if one.id} if terraform else set[str]()
    text, declared = present(policy) or (None, None)
    account = read_account(
        session.openrouter(declared.account.base_url if declared else None), session.out, session.now
    )
    account = replace(account, gaps=account.gaps_in(*NEEDED))
    naming.require_known(mapping, (key.name for key in account.keys))
    proposal = propose(account, declared, mapping, owner=owner, foreign=foreign)
    caps: Sequence[CapProposal] = ()
    if propose_caps:
        wanted = _Caps(cap_period, cap_margin)
        account, caps = _with_proposed_caps(session, wanted, account, declared, mapping, proposal)
    with session.out.progress("writing the policy and checking it"):
        before = text if text is not None else entries.new_file(_other_than_default(session.base_url))
        after = merged(str(policy), before, proposal, fields_of(caps, declared))
        _, document = compile_text(str(policy), after)
        written = after != text and not dry_run
        if written:
            write_atomically(policy, after)
    fill_in = blanks(str(policy), document)
    tell(session.out, policy, proposal, account, caps=caps, fill_in=fill_in, written=written)
    return ExitCode.FINDINGS if account.gaps else ExitCode.OK


@dataclass(frozen=True)
class _Caps:
    period: Literal["daily", "weekly", "monthly"]
    margin: float


def _with_proposed_caps(
    session: Session,
    wanted: _Caps,
    account: Account,
    declared: Policy | None,
    mapping: Mapping[str, str],
    proposal: Proposal,
) -> tuple[Account, Sequence[CapProposal]]:
    """The caps, put into the proposal's workloads; and the account with the gaps that their spend left."""
    workloads = uncapped(account, declared, mapping, proposal.workloads)
    if not workloads:
        return account, ()
    keys = [key for one in workloads for key in one.keys]
    with session.out.progress(f"reading what {len(keys)} keys spent in 28 days", len(keys)) as advance:
        spend = read_daily(session.asking(), keys, session.now, advance)
    caps = cap_proposals(workloads, spend, session.now.date(), period=wanted.period, margin=wanted.margin)
    proposal.workloads = with_caps(proposal.workloads, caps)
    return replace(account, gaps=(*account.gaps, *spend.gaps)), caps


def _lines(path: Path) -> list[str]:
    """Raises `Failure` for what is no text."""
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        fix = "Give a file in UTF-8 with one OLDNAME=workload a line."
        raise Failure(f"--map-file {path} cannot be read as text", fix=fix) from None


def _require_slack_id(owner: str | None) -> None:
    if owner is not None and not re.fullmatch(r"[UW][A-Z0-9]{2,20}", owner):
        raise Failure(
            f"--owner {owner}: not a Slack user id",
            fix="Write the id, such as U0SEARCH: it is in the person's Slack profile, under Copy member ID.",
        )


def _other_than_default(url: str) -> str | None:
    return None if url == DEFAULT_URL else url
