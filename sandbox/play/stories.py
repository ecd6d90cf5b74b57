"""Stretches of virtual time: to the next event, to three in the morning, and until something holds."""

from collections.abc import Callable, Generator
from datetime import timedelta

from sandbox.play.driver import MINUTE, Story
from sandbox.play.troubles import Stage

QUIET = timedelta(minutes=15)
"""Where nothing is wrong, one run of the meter in so long is enough, as in `make demo`."""
LOOK_AHEAD = timedelta(hours=24)


def until(stage: Stage, condition: Callable[[], bool], at_most: timedelta) -> Generator[timedelta, None, bool]:
    """Passes time by the minute until the condition holds; whether it did in time."""
    end = stage.world.now + at_most
    while not condition() and stage.world.now < end:
        yield MINUTE
    return condition()


def to_next_event(stage: Stage) -> Story:
    """Until Governor publishes something, 24 hours at the most."""
    world = stage.world
    before, end = len(world.events()), world.now + LOOK_AHEAD
    while len(world.events()) == before and world.now < end:
        yield _stride(stage)
    told = world.events()[before:]
    if not told:
        return "Nothing happened in 24 hours. That is what a quiet account looks like: nobody was disturbed."
    names = world.subjects()
    first = told[0]
    subject = names.get(first["detail"]["subject"], first["detail"]["subject"])
    return f"{first['detail-type']}: {subject}. {first['detail']['reason']}"


def to_three(stage: Stage) -> Story:
    """To the next 03:00 UTC."""
    world = stage.world
    three = world.now.replace(hour=3, minute=0, second=0, microsecond=0)
    if three <= world.now:
        three += timedelta(days=1)
    while world.now < three:
        yield min(_stride(stage), three - world.now)
    return f"It is {world.now:%A, %d %B, %H:%M} UTC."


def _stride(stage: Stage) -> timedelta:
    """By the minute while anything stands that could lead to something; else in long strides."""
    return MINUTE if stage.standing else QUIET
