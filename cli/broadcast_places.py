"""What `governor broadcast` reads and changes at OpenRouter, one workspace at a time.

| effect | dies before | dies after | twice, late, beside itself |
|---|---|---|---|
| the workspace's switch | run again switches it on | nothing is sent until a destination is there | the same |
| destination made | run again makes it | run again finds it by its address | one too many, which is told |
| destination changed | run again changes it | done | the same fields |

A destination is made in one call with privacy mode on: there is no moment in which it carries prompts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from cli.output import Failure
from governor.account.workspaces import meant
from governor.broadcast.destination import HEADER, NAME, TYPE, Expected, differences, others, ours
from management_api import (
    Destination,
    DestinationPatch,
    NewDestination,
    OpenRouter,
    OpenRouterError,
    Workspace,
    WorkspacePatch,
    WriteForbidden,
)


@dataclass
class Outcome:
    """Of one workspace. `wrong`: field to what is wrong with it, in words. `forbidden`: OpenRouter's word for it."""

    workspace: str
    done: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)
    forbidden: WriteForbidden | None = None

    def failed(self, field: str, error: OpenRouterError) -> "Outcome":
        """The same, with what OpenRouter refused or did not answer."""
        if isinstance(error, WriteForbidden):
            self.forbidden = error
            self.wrong[field] = f"OpenRouter forbids this key to write here ({error}); use one that may, and run again"
        else:
            self.wrong[field] = f"it refused or did not answer ({error}); run the command again"
        return self


def wanted(names: Sequence[str], workspaces: Sequence[Workspace]) -> Iterator[Workspace]:
    """The workspaces that are meant, each once. Raises `Failure` for a name that means none, or several."""
    seen = set()
    for name in names:
        found = meant(name, workspaces)
        if len(found) != 1:
            what = f"{len(found)} workspaces are called {name}" if found else f"The key sees no workspace called {name}"
            raise Failure(
                what,
                fix="Name each workspace by its id, its name or its slug in OpenRouter. A management key that is "
                "limited to a workspace sees no other: use one of the whole organization.",
            )
        if found[0].id not in seen:
            seen.add(found[0].id)
            yield found[0]


def compared(outcome: Outcome, place: Workspace, there: Sequence[Destination], expected: Expected) -> Outcome:
    """`outcome`, with what is not as Governor needs it."""
    outcome.wrong |= differences(place.is_observability_broadcast_enabled, there, expected)
    if len(ours(there, expected)) > 1:
        outcome.wrong["surplus"] = "more than one destination sends to Governor; delete the others in OpenRouter"
    return outcome


def set_up(
    client: OpenRouter, place: Workspace, expected: Expected, token: Callable[[], SecretStr], with_others: bool
) -> Outcome:
    """Switch and destination as they must be. `token`: asked for when it is needed, and no sooner: a key that may not
    write makes no secret."""
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
            client.destinations.update(own[0].id, DestinationPatch(**_fields(expected, token())))
            outcome.done.append("mended: " + ", ".join(before) if before else "was set up; the token is stored again")
        else:
            new = NewDestination(type=TYPE, workspace_id=place.id, **_fields(expected, token()))
            client.destinations.create(new)
            outcome.done.append("the destination is made")
        return compared(outcome, place, client.destinations.list(place.id), expected)
    except OpenRouterError as error:
        return outcome.failed("OpenRouter", error)


def prove_writable(client: OpenRouter, places: Sequence[Workspace], expected: Expected) -> None:
    """Gives one destination the name that it has: a key that may not write is refused before anything is begun.

    OpenRouter does not tell a read-only key from another in any answer. Raises what the client raises.
    """
    for place in places:
        for one in ours(client.destinations.list(place.id), expected)[:1]:
            client.destinations.update(one.id, DestinationPatch(name=one.name or NAME))
            return


def send_token(client: OpenRouter, place: Workspace, expected: Expected, token: SecretStr) -> Outcome:
    """Every destination of ours in the workspace sends the token."""
    outcome = Outcome(place.name)
    try:
        for one in ours(client.destinations.list(place.id), expected):
            client.destinations.update(one.id, DestinationPatch(config=_config(expected, token)))
            outcome.done.append("the destination sends the new token")
    except OpenRouterError as error:
        outcome.failed("destination", error)
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
