"""`governor broadcast`: OpenRouter's Broadcast of each workspace set up, compared, and its token replaced.

| effect | dies before | dies after | twice, late, beside itself |
|---|---|---|---|
| the workspace's switch | run again switches it on | nothing is sent until a destination is there | the same |
| destination made | run again makes it | run again finds it by its address | one too many, which is told |
| destination changed | run again changes it | done | the same fields |

A destination is made in one call with privacy mode on: there is no moment in which it carries prompts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.console import Console

from cli.broadcast_token import WAIT, TokenSecret
from cli.command import command
from cli.deployed import POLICY, PolicyFile, outputs_of, policy_of
from cli.output import ExitCode, Failure, row, table
from cli.session import Session
from governor.broadcast_destination import HEADER, NAME, TYPE, Expected, differences, others, ours
from governor.workspaces import meant
from management_api import (
    Destination,
    DestinationPatch,
    NewDestination,
    OpenRouter,
    OpenRouterError,
    Workspace,
    WorkspacePatch,
)

Named = Annotated[
    list[str] | None,
    typer.Option("--workspace", metavar="NAME", help="Only this one, by id, name or slug; may be given several times."),
]
WithOthers = Annotated[
    bool,
    typer.Option("--with-others", help="Switch Broadcast on although that starts destinations of somebody else, too."),
]


@dataclass
class Outcome:
    """Of one workspace. `wrong`: field to what is wrong with it, in words."""

    workspace: str
    done: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)


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
    for place in places:
        there = client.destinations.list(place.id)
        found.append(_compared(Outcome(place.name), place, there, stack.expected))
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
    token = stack.secret.token()
    return _told(session, [_set_up(client, place, stack.expected, token, with_others) for place in places])


def rotate(session: Session, policy: PolicyFile = POLICY) -> ExitCode:
    """Replaces Broadcast's token without a delivery refused: both are taken, then every destination is changed, then
    the former is dropped. It takes some ten minutes, most of which are waiting; interrupted, run it again.

    Exit code 1: a destination could not be changed. Both tokens go on being taken; mend it, and run it again.

    Example: governor broadcast rotate --stack governor
    """
    stack = _stack(session)
    client = session.openrouter(policy_of(policy).account.base_url)
    places = client.workspaces.list()
    if stack.secret.begin():
        session.out.message("The secret holds the new token and the former one.")
    else:
        session.out.message("A replacement was begun before; it is gone on with.")
    _wait(session, stack.secret.seconds_to_wait(session.now), "until the gateway has read both tokens")
    found = []
    for place in places:
        outcome, token = Outcome(place.name), stack.secret.token()
        try:
            for one in ours(client.destinations.list(place.id), stack.expected):
                client.destinations.update(one.id, DestinationPatch(config=_config(stack.expected, token)))
                outcome.done.append("the destination sends the new token")
        except OpenRouterError as error:
            outcome.wrong["destination"] = f"it could not be changed ({error})"
        if outcome.done or outcome.wrong:
            found.append(outcome)
    if not any(outcome.wrong for outcome in found):
        _wait(session, WAIT, "until OpenRouter sends the new token everywhere")
        stack.secret.finish()
        session.out.message("The former token is no longer taken.")
    return _told(session, found)


def notifications(session: Session) -> ExitCode:
    """Prints the address to paste into the Custom Webhook card of OpenRouter's own Notifications (an Enterprise
    preview). It holds a token: whoever knows it can have keys read, and nothing else.

    Example: governor broadcast notifications --stack governor
    """
    stack = _stack(session)
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
    wanted = named or sorted({workload.workspace for workload in policy.workloads})
    if not wanted:
        raise Failure("The policy has no workload, so no workspace is meant", fix="Give --workspace.")
    return stack, client, list(_meant(wanted, client.workspaces.list()))


def _meant(wanted: Sequence[str], workspaces: Sequence[Workspace]) -> Iterator[Workspace]:
    seen = set()
    for name in wanted:
        found = meant(name, workspaces)
        if len(found) != 1:
            raise Failure(
                f"{len(found) or 'No'} workspaces are called {name}",
                fix="Name each workspace by its id, its name or its slug in OpenRouter.",
            )
        if found[0].id not in seen:
            seen.add(found[0].id)
            yield found[0]


def _set_up(client: OpenRouter, place: Workspace, expected: Expected, token: SecretStr, with_others: bool) -> Outcome:
    outcome = Outcome(place.name)
    try:
        there = client.destinations.list(place.id)
        started = others(there, expected)
        if not place.is_observability_broadcast_enabled and started and not with_others:
            names = ", ".join(f"{one.name or one.id} ({one.type})" for one in started)
            outcome.wrong["switch"] = f"it is off, and would start {names} as well; --with-others does so"
            return outcome
        if not place.is_observability_broadcast_enabled:
            place = client.workspaces.update(place.id, WorkspacePatch(is_observability_broadcast_enabled=True))
            outcome.done.append("Broadcast is switched on")
        own = ours(there, expected)
        if own:
            before = differences(True, own[:1], expected)
            client.destinations.update(own[0].id, DestinationPatch(**_fields(expected, token)))
            outcome.done.append("mended: " + ", ".join(before) if before else "was set up; the token is stored again")
        else:
            new = NewDestination(type=TYPE, workspace_id=place.id, **_fields(expected, token))
            client.destinations.create(new)
            outcome.done.append("the destination is made")
        return _compared(outcome, place, client.destinations.list(place.id), expected)
    except OpenRouterError as error:
        outcome.wrong["OpenRouter"] = f"it refused or did not answer ({error}); run setup again"
        return outcome


def _compared(outcome: Outcome, place: Workspace, there: Sequence[Destination], expected: Expected) -> Outcome:
    outcome.wrong |= differences(place.is_observability_broadcast_enabled, there, expected)
    if len(ours(there, expected)) > 1:
        outcome.wrong["surplus"] = "more than one destination sends to Governor; delete the others in OpenRouter"
    return outcome


def _config(expected: Expected, token: SecretStr) -> dict[str, Any]:
    return {"url": expected.url, "method": "POST", "headers": {HEADER: token}}


def _fields(expected: Expected, token: SecretStr) -> dict[str, Any]:
    return {
        "name": NAME,
        "enabled": True,
        "config": _config(expected, token),
        "privacy_mode": True,
        "sampling_rate": expected.sampling_rate,
        "api_key_hashes": None,
        "filter_rules": None,
        "broadcast_generation_cost": True,
        "broadcast_generation_identity": True,
    }


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

    session.out.result([one.__dict__ for one in found], render)
    return ExitCode.FINDINGS if any(one.wrong for one in found) else ExitCode.OK
