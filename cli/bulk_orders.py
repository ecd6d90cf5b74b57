"""Commands that replace keys: one workload's, or many by a bulk order (decision 54), and the words that hold it up."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from cli.command import command
from cli.orders import Wait, document, send
from cli.output import ExitCode, Failure
from cli.session import Session

Order = Annotated[str, typer.Argument(metavar="ORDER", help="The id of a bulk order, as its answer names it.")]
Workload = Annotated[str, typer.Argument(metavar="WORKLOAD", help="A workload of the policy.")]
Workspace = Annotated[str, typer.Option(metavar="W", help="In bulk: every workload of this workspace.")]
Owner = Annotated[str, typer.Option(metavar="U", help="In bulk: every workload of this Slack user.")]
Every = Annotated[bool, typer.Option("--all", help="In bulk: every workload of the policy.")]
Because = Annotated[str, typer.Option(metavar="TEXT", help="In bulk: why, for those who approve it.")]
Preview = Annotated[bool, typer.Option("--preview", help="In bulk: say what would be done, and ask nobody.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""

    def rotate(
        session: Session,
        workload: Workload = "",
        workspace: Workspace = "",
        owner: Owner = "",
        every: Every = False,
        because: Because = "",
        preview: Preview = False,
        wait: Wait = 30,
    ) -> ExitCode | None:
        return send(session, order(workload, workspace, owner, because, every=every, preview=preview), wait)

    def pause(session: Session, order: Order, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"pause {order}", wait)

    def resume(session: Session, order: Order, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"resume {order}", wait)

    def stop(session: Session, order: Order, wait: Wait = 30) -> ExitCode | None:
        return send(session, f"stop {order}", wait)

    words: Mapping[str, Callable[..., ExitCode | None]] = {"pause": pause, "resume": resume, "stop": stop}
    for name, function in words.items():
        function.__doc__ = document(name, "4f1c2b")
        command(app, name, aws=True)(function)
    rotate.__doc__ = document("rotate", "--workspace platform-production --because leaked")
    command(app, "rotate", aws=True)(rotate)


def order(workload: str, workspace: str, owner: str, because: str, *, every: bool, preview: bool) -> str:
    """What is typed after `/governor`. Raises `Failure`."""
    scopes = [f"workspace {workspace}"] * bool(workspace) + [f"owner {owner}"] * bool(owner) + ["all"] * every
    if len(scopes) + bool(workload) != 1:
        raise Failure("Say which keys, in one way", fix="Give WORKLOAD, --workspace W, --owner U, or --all.")
    if workload:
        if because or preview:
            raise Failure("--because and --preview are for keys in bulk", fix="Leave them out for one workload.")
        return f"rotate {workload}"
    if not preview and not because:
        raise Failure("A bulk order needs a reason", fix="Give --because TEXT, or --preview to look only.")
    return f"preview {scopes[0]}" if preview else f"rotate {scopes[0]} because {because}"
