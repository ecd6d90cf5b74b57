"""What a page may ask for: one typed order each, bounded, carried out in the driver's thread."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sandbox.play import slack_view, stories, tour
from sandbox.play.driver import Busy, Driver, Pace
from sandbox.play.organization import PEOPLE
from sandbox.play.troubles import NoSuchTrouble, Stage
from sandbox.slack.interactions import NothingThere

type Short = Annotated[str, StringConstraints(max_length=200)]
type Long = Annotated[str, StringConstraints(max_length=3000)]
type Someone = Annotated[str, StringConstraints(pattern=f"^({'|'.join(one.id for one in PEOPLE)})$")]


class Refused(Exception):
    """The order makes no sense now; the message says why."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SetTime(_Order):
    """`pace`: how time passes. `next`: to the next event. `three`: to 03:00."""

    do: Literal["time"]
    mode: Literal["paused", "x1", "x60", "next", "three"]


class Click(_Order):
    """A button of the message `ts`, by its `action_id`."""

    do: Literal["click"]
    user: Someone
    ts: Short
    action: Short


class Command(_Order):
    """`/governor text`."""

    do: Literal["command"]
    user: Someone
    text: Short


class Submit(_Order):
    """The modal before the person, by the `action_id` of its inputs."""

    do: Literal["submit"]
    user: Someone
    inputs: Annotated[dict[Short, Long], Field(max_length=20)]


class Close(_Order):
    """The modal before the person goes away."""

    do: Literal["close"]
    user: Someone


class OpenHome(_Order):
    """The person opens the app's Home."""

    do: Literal["home"]
    user: Someone


class Press(_Order):
    """A button of the person's Home, by its `action_id` and `value`, which stay when the Home is published anew."""

    do: Literal["press"]
    user: Someone
    action: Short
    value: Long


class Begin(_Order):
    do: Literal["trouble"]
    name: Short
    target: Short = ""


class End(_Order):
    do: Literal["end"]
    id: Annotated[int, Field(ge=1)]


class Tour(_Order):
    do: Literal["tour"]
    step: Annotated[int, Field(ge=0, lt=len(tour.STEPS))]


type InSlack = Click | Command | Submit | Close | OpenHome | Press
type Order = Annotated[SetTime | InSlack | Begin | End | Tour, Field(discriminator="do")]


def carry_out(order: Order, stage: Stage, driver: Driver) -> dict[str, Any]:
    """In the driver's thread. Answers what there is to say at once. Raises `Refused`."""
    try:
        return {"said": _carried_out(order, stage, driver)}
    except (Busy, NoSuchTrouble, NothingThere) as refusal:
        raise Refused(str(refusal)) from refusal


def _carried_out(order: Order, stage: Stage, driver: Driver) -> str:
    match order:
        case SetTime():
            _set_time(order.mode, stage, driver)
        case Tour():
            step = tour.STEPS[order.step]
            driver.tell(step.title, step.play(stage))
        case Begin():
            return stage.begin(order.name, order.target)
        case End():
            return stage.end(order.id)
        case _:
            _in_slack(order, stage)
    return ""


def _set_time(mode: Literal["paused", "x1", "x60", "next", "three"], stage: Stage, driver: Driver) -> None:
    if mode == "next":
        driver.tell("To the next event", stories.to_next_event(stage))
    elif mode == "three":
        driver.tell("To 03:00", stories.to_three(stage))
    else:
        pace: Pace = mode
        driver.set_pace(pace)


def _in_slack(order: InSlack, stage: Stage) -> None:
    """What a person does in Slack, over signed HTTP to the function URL, and what comes of it at once."""
    world = stage.world
    match order:
        case Click():
            world.click(order.user, order.action, ts=order.ts)
        case Command():
            world.command(order.user, order.text)
        case Submit():
            world.submit(order.user, **order.inputs)
        case Close():
            slack_view.close_modals(world, order.user)
        case OpenHome():
            world.open_home(order.user)
        case Press():
            world.press(order.user, order.action, value=order.value)
