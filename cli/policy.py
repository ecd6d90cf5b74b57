"""`governor policy check`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.account import read_account
from cli.command import command
from cli.output import ExitCode, counted, plain
from cli.policy_account import against, needed
from cli.session import Session
from tools.policy import Fault, PolicyFault, blanks, checked

POLICY = Path("layers/policy/policy.yaml")
"""The policy that is deployed, in a checkout of this project."""


def register(app: typer.Typer) -> None:
    """Adds `governor policy check`."""
    policy = typer.Typer(name="policy", help="The policy as a file.", no_args_is_help=True)
    policy.callback()(_root)
    command(policy, "check", openrouter=True)(check)
    app.add_typer(policy)


def _root() -> None:
    """The policy as a file."""


def check(
    session: Session,
    policy: Annotated[Path, typer.Argument(help="The policy to check.", metavar="POLICY")] = POLICY,
    account: Annotated[
        bool, typer.Option("--account", help="Hold it against the account, too: workspaces, guardrails, keys.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Blanks that are to be filled in are mistakes.")] = False,
) -> ExitCode:
    """Checks a policy as the build does, and says for each mistake the line, the field and what to write.

    Without --account nothing is asked of anybody.

    Exit code 1: the policy has mistakes (with --strict, or blanks); with --account, or part of the account could not
    be read.

    Example: governor policy check policy.yaml --account
    """
    mistakes: list[Fault] = []
    remarks: list[Fault] = []
    gaps: list[str] = []
    more = 0
    try:
        with session.out.progress(f"checking {policy}"):
            checked_policy, document = checked(policy)
        remarks = blanks(str(policy), document)
        if account:
            client = session.openrouter(checked_policy.account.base_url)
            reading = read_account(client, session.out, session.now)
            mistakes = against(str(policy), document, checked_policy, reading)
            gaps = [str(one) for one in reading.gaps_in(*needed(checked_policy))]
    except PolicyFault as fault:
        mistakes, more = list(fault.faults), fault.more
    _tell(session, policy, mistakes, remarks, gaps, more)
    return ExitCode.FINDINGS if mistakes or gaps or (strict and remarks) else ExitCode.OK


def _tell(
    session: Session, policy: Path, mistakes: list[Fault], remarks: list[Fault], gaps: list[str], more: int
) -> None:
    def render(console: Console) -> None:
        for one in mistakes:
            # One line each, however long: editors and CI find file and line in it.
            console.print(plain(str(one)), soft_wrap=True)
        for one in remarks:
            console.print(plain(f"{one} (to be filled in)"), soft_wrap=True)
        for gap in gaps:
            console.print(plain(f"could not be read: {gap}"), soft_wrap=True)
        blank = f", {counted(len(remarks), 'blank')} to fill in" if remarks else ""
        verdict = counted(len(mistakes) + more, "mistake") if mistakes else "holds"
        if more:
            verdict += f", of which these are the first {len(mistakes)}"
        console.print(plain(f"{policy}: {verdict}{blank}."), style="bold red" if mistakes else "bold", soft_wrap=True)

    document = {
        "policy": str(policy),
        "holds": not mistakes,
        "mistakes": [_json(one) for one in mistakes],
        "fill_in": [_json(one) for one in remarks],
        "more_mistakes": more,
        "gaps": gaps,
    }
    session.out.result(document, render)


def _json(fault: Fault) -> dict[str, str | int]:
    return {"line": fault.line, "field": fault.field, "what": fault.what, "fix": fault.fix}
