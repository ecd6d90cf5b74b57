"""`governor broadcast`: OpenRouter's Broadcast of each workspace set up, compared, and its token replaced.

What may go wrong between two steps: `cli.broadcast_places` for those at OpenRouter, `cli.broadcast_token` for the
token's.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from cli.account import read_workspaces
from cli.broadcast_places import Outcome, compared, prove_writable, send_token, set_up, wanted
from cli.broadcast_token import WAIT, TokenSecret
from cli.command import command
from cli.deployed import POLICY, PolicyFile, outputs_of, policy_of
from cli.output import ExitCode, Failure, row, table
from cli.session import Session
from governor.account.workspaces import meant
from governor.broadcast.destination import Expected
from governor.policy import Policy
from management_api import OpenRouter, Workspace

Named = Annotated[
    list[str] | None,
    typer.Option("--workspace", metavar="NAME", help="Only this one, by id, name or slug; may be given several times."),
]
WithOthers = Annotated[
    bool,
    typer.Option("--with-others", help="Switch Broadcast on although that starts destinations of somebody else, too."),
]


@dataclass(frozen=True)
class Stack:
    """What a deployed stack expects of Broadcast."""

    secret: TokenSecret
    expected: Expected


def register(app: typer.Typer) -> None:
    """Adds `governor broadcast`."""
    broadcast = typer.Typer(name="broadcast", help="OpenRouter's Broadcast into Governor.", no_args_is_help=True)
    broadcast.callback()(_root)
    for function in (check, setup, rotate):
        command(broadcast, function.__name__, openrouter=True, aws=True)(function)
    command(broadcast, "notifications", aws=True)(notifications)
    app.add_typer(broadcast)


def _root() -> None:
    """OpenRouter's Broadcast into Governor."""


def check(session: Session, workspace: Named = None, policy: PolicyFile = POLICY) -> ExitCode:
    """Compares Broadcast of each workspace of the policy with what Governor needs. Changes nothing.

    Exit code 1: something differs; `governor broadcast setup` puts it right.

    Example: governor broadcast check --stack governor
    """
    stack, client, places = _begun(session, workspace, policy)
    found = []
    with session.out.progress("reading the destinations", len(places)) as advance:
        for place in places:
            found.append(compared(Outcome(place.name), place, client.destinations.list(place.id), stack.expected))
            advance()
    return _told(session, found)


def setup(
    session: Session, workspace: Named = None, policy: PolicyFile = POLICY, with_others: WithOthers = False
) -> ExitCode:
    """Sets Broadcast up in each workspace of the policy: the switch, and a webhook destination with privacy mode, the
    token in its header, and all requests of all keys. What is there already is changed, not made again.

    The token is made if there is none. Run it as often as you like. Switching Broadcast on starts every destination of
    the workspace; where others are enabled, it is left as it is without --with-others.

    Exit code 1: a workspace is not as it must be; the table says why.

    Example: governor broadcast setup --stack governor
    """
    stack, client, places = _begun(session, workspace, policy)
    found = []
    with session.out.progress("setting Broadcast up", len(places)) as advance:
        stack.secret.read()  # one of another shape is refused before anything is changed
        token = functools.cache(stack.secret.token)
        for place in places:
            found.append(set_up(client, place, stack.expected, token, with_others))
            advance()
    refusals = [one.forbidden for one in found if one.forbidden]
    if refusals and len(refusals) == len(found):
        raise refusals[0]
    return _told(session, found)


def rotate(session: Session, policy: PolicyFile = POLICY) -> ExitCode:
    """Replaces Broadcast's token without a delivery refused: both are taken, then every destination is changed, then
    the former is dropped. It takes some ten minutes, most of which are waiting; interrupted, run it again.

    Exit code 1: a destination could not be changed. Both tokens go on being taken; fix it, and run it again.

    Example: governor broadcast rotate --stack governor
    """
    stack, declared = _stack(session), policy_of(policy)
    client = session.openrouter(declared.account.base_url)
    places = read_workspaces(client, session.out)
    _require_all(declared, places)
    with session.out.progress("seeing whether the key may write"):
        prove_writable(client, places, stack.expected)
    try:
        return _replaced(session, stack, client, places)
    except KeyboardInterrupt:
        session.out.message("Where both tokens are in the secret, both go on being taken. Run the command again.")
        raise


def _replaced(session: Session, stack: Stack, client: OpenRouter, places: Sequence[Workspace]) -> ExitCode:
    with session.out.progress("storing the new token"):
        begun, seconds = stack.secret.begin(), stack.secret.seconds_to_wait(session.now)
    if begun:
        session.out.message("The secret holds the new token and the former one.")
    else:
        session.out.message("A replacement was begun before; it is gone on with.")
    _wait(session, seconds, "until the gateway has read both tokens")
    with session.out.progress("changing the destinations", len(places)) as advance:
        found, token = [], stack.secret.token()
        for place in places:
            outcome = send_token(client, place, stack.expected, token)
            if outcome.done or outcome.wrong:
                found.append(outcome)
            advance()
    if not any(outcome.wrong for outcome in found):
        _wait(session, WAIT, "until OpenRouter sends the new token everywhere")
        with session.out.progress("dropping the former token"):
            stack.secret.finish()
        session.out.message("The former token is no longer taken.")
    return _told(session, found)


def notifications(session: Session) -> ExitCode:
    """Prints the address to paste into the Custom Webhook card of OpenRouter's own Notifications (an Enterprise
    preview). It holds a token, which is made if there is none: whoever knows it can have keys read, and nothing else.

    Example: governor broadcast notifications --stack governor
    """
    stack = _stack(session)
    with session.out.progress("reading the secret"):
        token = stack.secret.for_notifications().get_secret_value()
    address = f"{stack.expected.url.rstrip('/')}/notifications/{token}"
    session.out.result({"address": address}, lambda console: console.print(address, soft_wrap=True))
    return ExitCode.OK


def _stack(session: Session) -> Stack:
    name, parameters, outputs = outputs_of(session)
    secret, url = parameters.get("BroadcastSecretName"), outputs.get("BroadcastUrl")
    if not (secret and url):
        raise Failure(
            f"Broadcast is off in the stack {name}",
            fix="Deploy it with BroadcastSecretName=governor/broadcast; the secret may be made afterwards, by setup.",
        )
    return Stack(
        TokenSecret(session.aws("secretsmanager"), secret),
        Expected(url, float(parameters.get("BroadcastSamplingRate") or 1.0)),
    )


def _begun(
    session: Session, named: Sequence[str] | None, policy_file: PolicyFile
) -> tuple[Stack, OpenRouter, list[Workspace]]:
    """The stack, OpenRouter, and the workspaces that are meant. Raises `Failure` for a name that means none, or two."""
    stack, policy = _stack(session), policy_of(policy_file)
    client = session.openrouter(policy.account.base_url)
    names = named or _declared(policy)
    if not names:
        raise Failure("The policy has no workload, so no workspace is meant", fix="Give --workspace.")
    return stack, client, list(wanted(names, read_workspaces(client, session.out)))


def _declared(policy: Policy) -> list[str]:
    return sorted({workload.workspace for workload in policy.workloads})


def _require_all(policy: Policy, places: Sequence[Workspace]) -> None:
    """Raises `Failure` where the key does not see every workspace of the policy: a destination that goes on sending the
    former token would be refused once that is dropped."""
    unseen = [name for name in _declared(policy) if not meant(name, places)]
    if unseen:
        raise Failure(
            f"The key does not see {', '.join(unseen)}, which the policy names: what is sent from there would be "
            "refused after the former token is dropped",
            fix="Use a management key of the whole organization, or fix the name in the policy.",
        )


def _wait(session: Session, seconds: float, what: str) -> None:
    if seconds > 0:
        with session.out.progress(f"waiting {seconds:.0f} s {what}"):
            session.outside.sleep(seconds)


def _told(session: Session, found: Sequence[Outcome]) -> ExitCode:
    def render(console: Console) -> None:
        made = table("workspace", "done", "differs")
        for one in found:
            row(made, one.workspace, "; ".join(one.done), "; ".join(f"{at}: {what}" for at, what in one.wrong.items()))
        console.print(made)

    document = [{"workspace": one.workspace, "done": one.done, "wrong": one.wrong} for one in found]
    session.out.result(document, render)
    return ExitCode.FINDINGS if any(one.wrong for one in found) else ExitCode.OK
