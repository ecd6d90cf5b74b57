"""The leak of a key that is disabled already: which keys are meant, and what a person is told. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from governor.keys.causes import Causes

if TYPE_CHECKING:
    from management_api import ApiKey


def out_of_service(meant: Sequence["ApiKey"], causes: Causes) -> tuple[str, ...]:
    """The hashes of those that are disabled by no cause of the kill switch's: a rotation, or a person, disabled them.

    A rollback, under way or to come, or whoever disabled it, could bring such a key back.
    """
    ours = causes.ours()
    return tuple(key.hash for key in meant if key.disabled and key.hash not in ours)


def nothing_left(name: str, meant: Sequence["ApiKey"], live: Sequence[str], leaked: Sequence[str]) -> str:
    """Why nothing is disabled. `meant`: the keys that a report is about. `live`: names of keys that work, and that
    nobody reported. `leaked`: hashes of those reported that a rotation had disabled."""
    never = " A rotation had replaced it before. It never comes back: a rollback to it is refused." if leaked else ""
    if not live:
        return f"No key of {name} is live: nothing is left to disable.{never}"
    reported = ", ".join(key.name for key in meant) or "The key that was reported"
    others = f"{live[0]} is live, and was" if len(live) == 1 else f"{', '.join(live)} are live, and were"
    return f"{reported} leaked and is disabled already.{never} {others} not reported: nothing else is disabled."
