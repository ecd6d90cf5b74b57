"""`governor import`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.account import Account, read_account
from cli.command import command
from cli.importing import entries, naming
from cli.importing.merging import merged, present
from cli.importing.proposal import Proposal, propose
from cli.output import ExitCode, Failure, row, table, write_atomically
from cli.session import Session
from tools.policy import blanks, compile_text

DEFAULT_URL = "https://openrouter.ai/api/v1"
SHOWN = 40
"""Rows of one table that a person is shown; --json has them all."""


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
    mapping = naming.parsed(map_ or (), map_file.read_text("utf-8").splitlines() if map_file else ())
    found = present(policy)
    text, declared = found or (None, None)
    account = read_account(
        session.openrouter(declared.account.base_url if declared else None), session.out, session.now
    )
    naming.require_known(mapping, (key.name for key in account.keys))
    with session.out.progress("writing the policy and checking it"):
        proposal = propose(account, declared, mapping, owner=owner)
        before = text if text is not None else entries.new_file(_other_than_default(session.base_url))
        after = merged(str(policy), before, proposal, {})
    written = after != text and not dry_run
    if written:
        write_atomically(policy, after)
    _tell(session, policy, after, proposal, account, written=written)
    return ExitCode.FINDINGS if account.gaps else ExitCode.OK


def _require_slack_id(owner: str | None) -> None:
    if owner is not None and not re.fullmatch(r"[UW][A-Z0-9]{2,20}", owner):
        raise Failure(
            f"--owner {owner}: not a Slack user id",
            fix="Write the id, such as U0SEARCH: it is in the person's Slack profile, under Copy member ID.",
        )


def _other_than_default(url: str) -> str | None:
    return None if url == DEFAULT_URL else url


def _tell(
    session: Session,
    path: Path,
    text: str,
    proposal: Proposal,
    account: Account,
    *,
    written: bool,
) -> None:
    _, document = compile_text(str(path), text)
    to_fill = blanks(str(path), document)
    result = {
        "policy": str(path),
        "written": written,
        "added": {
            "workloads": [{"name": one.name, "workspace": one.workspace} for one in proposal.workloads],
            "byok": [{"workspace": one.workspace, "provider": one.provider} for one in proposal.decisions],
            "presets": [
                {"slug": one.slug, "from": one.from_workspace, "to": one.to_workspace} for one in proposal.presets
            ],
        },
        "fill_in": [{"line": one.line, "field": one.field, "fix": one.fix} for one in to_fill],
        "off_convention": [
            {"name": one.name, "workspace": one.workspace, "map": f"{one.name}={one.suggested}"}
            for one in proposal.off_convention
        ],
        "remarks": [
            {"kind": one.kind, "subject": one.subject, "workspace": one.workspace, "why": one.why}
            for one in proposal.remarks
        ],
        "gaps": [{"what": one.what, "why": one.why} for one in account.gaps],
    }

    def render(console: Console) -> None:
        done = "written" if written else "nothing to add" if not proposal else "not written (--dry-run)"
        console.print(
            f"{path}: {done}. {len(proposal.workloads)} workloads, {len(proposal.decisions)} BYOK decisions and "
            f"{len(proposal.presets)} presets added from {len(account.keys)} keys in {len(account.workspaces)} "
            "workspaces."
        )
        _show(console, "To fill in", ("line", "field"), [(one.line, one.field) for one in to_fill])
        _show(
            console,
            "Keys off the convention: no workload (--map adds one)",
            ("key", "workspace", "--map"),
            [(one.name, one.workspace, f"{one.name}={one.suggested}") for one in proposal.off_convention],
        )
        _show(
            console,
            "Left as it is",
            ("what", "workspace", "why"),
            [(f"{one.kind} {one.subject}", one.workspace, one.why) for one in proposal.remarks],
        )
        _show(console, "Could not be read", ("what", "why"), [(one.what, one.why) for one in account.gaps])

    session.out.result(result, render)


def _show(console: Console, title: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    console.print(f"\n{title}: {len(rows)}", style="bold")
    made = table(*columns, numbers=("line",))
    for cells in rows[:SHOWN]:
        row(made, *cells)
    console.print(made)
    if len(rows) > SHOWN:
        console.print(f"... and {len(rows) - SHOWN} more; --json lists them all.")
