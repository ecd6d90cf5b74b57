"""One reading of the account: every key of every workspace, the credits, and every few beats what changes seldom.

Whatever fails is unknown and said to be; nothing that fails is read as empty (promise 3).
"""

from collections import ChainMap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from management_api import ApiKey, Deadline, OpenRouter, OpenRouterError, Read, Unknown
from spend_meter.absence import deleted, workspaces_of
from spend_meter.blindness import ACCOUNT
from spend_meter.reading import Reading
from spend_meter.state import Caps, Guard, Layers

LAYERS_EVERY = 5
"""Minutes after which workspaces, guardrails, their assignments and the workspaces' budgets are read again."""


def sweep(
    openrouter: OpenRouter, layers: Layers, minute: int, seconds_left: Callable[[], float], concurrency: int
) -> Reading:
    """Reads the account, keys first, within `seconds_left()`. `layers`: as last read.

    Raises `AuthenticationFailed` when the management key is refused; any other failure is part of the reading.
    """
    client = openrouter.within(Deadline(seconds_left))
    failures: list[OpenRouterError] = []
    errors: dict[str, str] = {}
    if _due(layers, "workspaces", minute):
        found = _asked(client.workspaces.list, failures)
        named = {one.id: (one.name, one.slug) for one in found or ()}
        there = None if found is None else _asked(partial(workspaces_of, client, layers.workspaces, named), failures)
        if found is not None and there is not None:
            layers = replace(
                layers,
                workspaces=there,
                defaults={one.id: one.default_guardrail_id for one in found if one.default_guardrail_id},
                read_at={**layers.read_at, "workspaces": minute},
            )
        elif not layers.workspaces:
            return Reading(
                layers=layers,
                errors={ACCOUNT: why(failures[0])},
                timed_out=seconds_left() <= 0,
                failed_calls=len(failures),
            )
    answers = client.read_account(list(layers.workspaces), concurrency=concurrency)
    gone = deleted(client, {id: answer.error for id, answer in answers.items() if isinstance(answer, Unknown)})
    layers = replace(layers, workspaces={id: name for id, name in layers.workspaces.items() if id not in gone})
    listed: dict[str, Sequence[ApiKey] | None] = {}
    for workspace_id in layers.workspaces:
        match answers[workspace_id]:
            case Read(keys):
                listed[workspace_id] = keys
            case Unknown(error):
                listed[workspace_id] = None
                errors[workspace_id] = why(error)
                failures.append(error)
    timed_out = bool(errors) and seconds_left() <= 0
    credits = _asked(client.credits, failures)
    if not timed_out:
        created = any(key.creator_user_id for keys in listed.values() for key in keys or ())
        layers = _slow_layers(client, layers, minute, concurrency, failures, created=created)
    return Reading(listed, layers, credits, errors, timed_out, len(failures))


def _slow_layers(
    client: OpenRouter,
    layers: Layers,
    minute: int,
    concurrency: int,
    failures: list[OpenRouterError],
    *,
    created: bool,
) -> Layers:
    """Guardrails, assignments and budgets, side by side; `layers` as it is where they are not due or cannot be read.

    `created`: some key is a member's, so that members' guardrails matter.
    """
    if not _due(layers, "layers", minute):
        return layers
    with ThreadPoolExecutor(concurrency, thread_name_prefix="layers") as pool:
        guards = [pool.submit(_asked, partial(_guards, client, id), failures) for id in layers.workspaces]
        assignments = pool.submit(_asked, lambda: _assignments(client), failures)
        caps = {id: pool.submit(_asked, partial(_caps, client, id), failures) for id in layers.workspaces}
        members = pool.submit(_asked, lambda: _members(client), failures) if created else None
    read = {id: future.result() or layers.caps.get(id) for id, future in caps.items()}
    found_guards, found_assignments = [future.result() for future in guards], assignments.result()
    found_members = members.result() if members else None
    # A part that failed is asked again at the next turn, not at the next beat: a plan without workspace budgets answers
    # with an error for ever, and must not double the calls.
    return replace(
        layers,
        guards=layers.guards if None in found_guards else dict(ChainMap(*filter(None, found_guards))),
        assignments=layers.assignments if found_assignments is None else found_assignments,
        members=layers.members if found_members is None else found_members,
        caps={id: known for id, known in read.items() if known},
        read_at={**layers.read_at, "layers": minute},
    )


def why(error: OpenRouterError) -> str:
    """The error as an event tells it: docs/operations.md goes by the class."""
    return f"{type(error).__name__}: {error}"


def _due(layers: Layers, part: str, minute: int) -> bool:
    return minute >= layers.read_at.get(part, 0) + LAYERS_EVERY


def _asked[Answer](call: Callable[[], Answer], failures: list[OpenRouterError]) -> Answer | None:
    """The answer, or None with the failure noted. A refused credential is no mere failure, and is raised."""
    try:
        return call()
    except OpenRouterError as error:
        if error.status == 401:
            raise
        failures.append(error)
        return None


def _guards(client: OpenRouter, workspace_id: str) -> dict[str, Guard]:
    return {
        one.id: Guard(one.name, one.limit_usd, one.reset_interval, one.include_byok_in_budgets)
        for one in client.guardrails.list(workspace_id)
        if one.limit_usd
    }


def _assignments(client: OpenRouter) -> dict[str, str]:
    return {one.key_hash: one.guardrail_id for one in client.guardrails.assignments()}


def _members(client: OpenRouter) -> dict[str, str]:
    return {one.user_id: one.guardrail_id for one in client.guardrails.member_assignments()}


def _caps(client: OpenRouter, workspace_id: str) -> Caps:
    budgets = client.workspaces.budgets(workspace_id)
    limits = {one.reset_interval or "lifetime": one.limit_usd for one in budgets.data}
    return Caps(limits, bool(budgets.include_byok_in_budgets))
