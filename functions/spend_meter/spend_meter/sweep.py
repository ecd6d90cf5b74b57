"""One reading of the account: every key of every workspace, the credits, and every few runs what changes seldom.

Whatever fails is unknown and said to be; nothing that fails is read as empty (promise 3).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from management_api import ApiKey, Deadline, OpenRouter, OpenRouterError, Read, Unknown
from spend_meter.absence import deleted, workspaces_of
from spend_meter.blindness import ACCOUNT
from spend_meter.slow_layers import (
    LAYERS_EVERY,
    asked,
    is_due,
    read_layers,
    why,
    with_odd_keys,
    with_workspaces,
    without_workspaces,
)
from spend_meter.state import NEVER, Layers
from spend_meter.sweep_reading import Reading

LAYERS_SECONDS = 20.0
"""Left aside of the sweep's time for what changes seldom, once that is overdue: keys alone may take all of it."""


def sweep(
    openrouter: OpenRouter,
    layers: Layers,
    minute: int,
    seconds_left: Callable[[], float],
    concurrency: int,
    read_at: Mapping[str, int],
) -> Reading:
    """Reads the account, keys first, within `seconds_left()`. `layers`: as last read.

    `read_at`: workspace id to the minute of its last good reading. Those that wait longest are read first, so that an
    account too large for one minute at this pace is read in turns (decision 59).

    Raises `AuthenticationFailed` when the management key is refused; any other failure is part of the reading.
    """
    client = openrouter.within(Deadline(seconds_left))
    failures: list[OpenRouterError] = []
    errors: dict[str, str] = {}
    if is_due(layers, "workspaces", minute):
        found = asked(client.workspaces.each, failures)
        there = None if found is None else asked(partial(workspaces_of, client, layers.workspaces, found), failures)
        if found is not None and there is not None:
            layers = with_workspaces(layers, found, there, minute)
        elif not layers.workspaces:
            return Reading(
                layers=layers,
                errors={ACCOUNT: why(failures[0])},
                timed_out=seconds_left() <= 0,
                failed_calls=len(failures),
            )
        else:
            layers = without_workspaces(layers, failures[-1], minute)
    overdue = is_due(layers, "layers", minute - LAYERS_EVERY)
    for_keys = openrouter.within(Deadline(lambda: seconds_left() - LAYERS_SECONDS)) if overdue else client
    in_turn = sorted(layers.workspaces, key=lambda id: read_at.get(id, NEVER))
    answers = for_keys.read_account(in_turn, concurrency=concurrency)
    gone = deleted(client, {id: answer.error for id, answer in answers.items() if isinstance(answer, Unknown)})
    layers = replace(layers, workspaces={id: name for id, name in layers.workspaces.items() if id not in gone})
    listed: dict[str, Sequence[ApiKey] | None] = {}
    unreadable: dict[str, frozenset[str]] = {}
    for workspace_id in layers.workspaces:
        match answers[workspace_id]:
            case Read(keys, odd):
                listed[workspace_id] = keys
                layers = with_odd_keys(layers, workspace_id, len(keys), [*odd.values()], minute)
                unreadable |= {workspace_id: frozenset(odd)} if odd else {}
            case Unknown(error):
                listed[workspace_id] = None
                errors[workspace_id] = why(error)
                failures.append(error)
    timed_out = bool(errors) and seconds_left() <= 0
    credits = asked(client.credits, failures)
    if not timed_out:
        layers = read_layers(client, layers, minute, concurrency, failures, listed)
    return Reading(listed, layers, credits, errors, timed_out, len(failures), unreadable)
