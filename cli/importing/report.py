"""What `governor import` tells of its work, as JSON and for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.account import Account
from cli.importing.capping import CapProposal
from cli.importing.proposal import Proposal
from cli.output import Output, counted, row, table, usd
from tools.policy import Fault

SHOWN = 40
"""Rows of one table that a person is shown; --json has them all."""


def tell(
    out: Output,
    path: Path,
    proposal: Proposal,
    account: Account,
    *,
    caps: Sequence[CapProposal],
    fill_in: Sequence[Fault],
    written: bool,
) -> None:
    """Writes the result. `written`: whether the file was."""
    document = {
        "policy": str(path),
        "written": written,
        "added": {
            "workloads": [{"name": one.name, "workspace": one.workspace} for one in proposal.workloads],
            "byok": [{"workspace": one.workspace, "provider": one.provider} for one in proposal.decisions],
            "presets": [
                {"slug": one.slug, "from": one.from_workspace, "to": one.to_workspace} for one in proposal.presets
            ],
        },
        "caps": [_cap(one) for one in caps],
        "fill_in": [{"line": one.line, "field": one.field, "fix": one.fix} for one in fill_in],
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
        console.print(_summary(path, proposal, account, caps, written=written))
        _show(console, "To fill in", ("line", "field"), [(one.line, one.field) for one in fill_in])
        _show(
            console,
            "Caps",
            ("workload", "cap", "per", "most seen", "why not"),
            [_cap_row(one) for one in caps],
        )
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

    out.result(document, render)


def _summary(path: Path, proposal: Proposal, account: Account, caps: Sequence[CapProposal], *, written: bool) -> str:
    nothing = not proposal and not any(one.cap for one in caps)
    done = "written" if written else "nothing to add" if nothing else "not written (--dry-run)"
    added = (
        counted(len(proposal.workloads), "workload"),
        counted(len(proposal.decisions), "BYOK decision"),
        counted(len(proposal.presets), "preset"),
    )
    source = f"{counted(len(account.keys), 'key')} in {counted(len(account.workspaces), 'workspace')}"
    return f"{path}: {done}. {', '.join(added)} added from {source}."


def _cap(one: CapProposal) -> dict[str, Any]:
    if one.cap is None:
        return {"workload": one.workload, "limit_usd": None, "why": one.why}
    return {
        "workload": one.workload,
        "limit_usd": one.cap.limit_usd,
        "limit_reset": one.cap.period,
        "include_byok_in_limit": one.cap.include_byok,
        "most_usd": round(one.cap.most_usd, 6),
    }


def _cap_row(one: CapProposal) -> tuple[Any, ...]:
    if one.cap is None:
        return one.workload, None, None, None, one.why
    return one.workload, usd(one.cap.limit_usd), one.cap.period, usd(one.cap.most_usd), None


def _show(console: Console, title: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    console.print(f"\n{title}: {len(rows)}", style="bold")
    made = table(*columns, numbers=("line", "cap", "most seen"))
    for cells in rows[:SHOWN]:
        row(made, *cells)
    console.print(made)
    if len(rows) > SHOWN:
        console.print(f"... and {len(rows) - SHOWN} more; --json lists them all.")
