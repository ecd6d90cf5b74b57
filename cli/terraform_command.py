"""`governor terraform drift`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.account import Gap, read_account
from cli.command import command
from cli.output import ExitCode, counted, row, table
from cli.session import Session
from cli.terraform import managed
from cli.terraform_drift import NEEDED, Difference, drift


def register(app: typer.Typer) -> None:
    """Adds `governor terraform drift`."""
    terraform = typer.Typer(name="terraform", help="What Terraform manages.", no_args_is_help=True)
    terraform.callback()(_root)
    command(terraform, "drift", openrouter=True)(drift_)
    app.add_typer(terraform)


def _root() -> None:
    """What Terraform manages."""


def drift_(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(
            help="A state file, or the JSON of a state or plan.", metavar="FILE", exists=True, dir_okay=False
        ),
    ],
) -> ExitCode:
    """Shows where the account differs from a Terraform state: workspaces, budgets, guardrails, keys, BYOK credentials.

    It needs no Terraform and no credential of it. Attributes that Terraform does not state are not compared.

    Exit code 1: there are differences, or part of the account could not be read.

    Example: terraform show -json > state.json && governor terraform drift state.json
    """
    resources = managed(file)
    account = read_account(session.openrouter(), session.out, session.now)
    found, gaps = drift(resources, account), account.gaps_in(*NEEDED)

    def render(console: Console) -> None:
        console.print(f"{counted(len(resources), 'resource')} of OpenRouter, {counted(len(found), 'difference')}.")
        show(found, console)
        for gap in gaps:
            console.print(f"could not be read, and not compared: {gap}", soft_wrap=True)

    session.out.result(document(len(resources), found, gaps), render)
    return ExitCode.FINDINGS if found or gaps else ExitCode.OK


def show(found: Sequence[Difference], console: Console) -> None:
    """The differences as a table, where there are any."""
    if found:
        made = table("resource", "attribute", "Terraform", "account")
        for one in found:
            row(made, one.address, one.field or "(gone)", _text(one.terraform), _text(one.account))
        console.print(made)


def document(resources: int, found: Sequence[Difference], gaps: Sequence[Gap]) -> dict[str, Any]:
    """The same for programs. `resources`: how many were compared."""
    return {
        "resources": resources,
        "differences": [_json(one) for one in found],
        "gaps": [str(one) for one in gaps],
    }


def _json(one: Difference) -> dict[str, Any]:
    return {"address": one.address, "field": one.field, "terraform": one.terraform, "account": one.account}


def _text(value: Any) -> str | None:
    return ", ".join(map(str, value)) if isinstance(value, list) else None if value is None else str(value)
