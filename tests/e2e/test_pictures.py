"""Pictures in the built stack: they follow their message, with the figures of the ledger; nothing waits for them."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from governor.events import Event
from incident_picture.decide import decide
from incident_picture.plot import Plot, dollars
from sandbox.build import stack
from sandbox.scenario.organization import SEARCH
from sandbox.scenario.world import CHANNEL, World

MINUTE = timedelta(minutes=1)
LIMIT_MB = 250


def _killed(world: World) -> None:
    world.run(world.now + 2 * MINUTE)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.key(SEARCH).disabled, at_most=20 * MINUTE)
    world.end_loop(SEARCH)
    world.run(world.now + MINUTE)


def _pictures(world: World) -> list[dict[str, Any]]:
    """The messages with a picture, in the threads about the runaway."""
    parents = [one for one in world.slack.messages(CHANNEL) if "runaway#" in str(one["metadata"])]
    replies = [reply for parent in parents for reply in parent["replies"]]
    return [one for one in replies if any(block["type"] == "image" for block in one.get("blocks") or ())]


def _plot(world: World) -> Plot:
    """The picture that the ledger's row of the incident makes."""
    key = {"pk": {"S": f"incident#runaway#{SEARCH}"}, "sk": {"S": "incident"}}
    found = world.engine.client("dynamodb").get_item(TableName=world.engine.outputs["LedgerTable"], Key=key)
    steps = json.loads(found["Item"]["data"]["S"])["incident"]["steps"]
    plot = decide([Event.received(step) for step in steps])
    assert plot is not None
    return plot


def test_a_killed_key_is_told_and_its_picture_follows_with_the_figures_of_the_ledger(world: World) -> None:
    _killed(world)
    (shown,) = _pictures(world)
    (image,) = shown["blocks"]
    plot = _plot(world)
    assert image["alt_text"] == plot.alt
    (disabled,) = world.events("Key Disabled")
    told = disabled["detail"]["evidence"]
    assert f"{dollars(told['by_morning_usd'])} by the next 08:00 UTC" in plot.alt
    assert [point.usd for point in plot.points][-len(told["spend_by_minute"]) :] == told["spend_by_minute"][-60:]
    parent = next(one for one in world.slack.messages(CHANNEL) if one["ts"] == shown["thread_ts"])
    assert SEARCH in parent["text"]
    assert float(parent["ts"]) < float(shown["ts"]), "the message comes first"
    file = world.slack.workspace.files[image["slack_file"]["id"]]
    with Image.open(io.BytesIO(file["content"])) as drawn:
        assert drawn.size == (1200, 810)
    assert world.engine.dead_letters() == []


def test_the_minutes_of_the_picture_are_what_the_far_side_counted(world: World) -> None:
    before = world.spent(SEARCH)
    start = world.now
    _killed(world)
    seen = sum(point.usd for point in _plot(world).points if point.at > start)
    assert seen == pytest.approx(world.spent(SEARCH) - before, abs=0.01)


def test_with_uploads_refused_the_key_is_disabled_and_people_are_told_as_ever(world: World) -> None:
    world.slack.fault("files.getUploadURLExternal", "refused", error="file_uploads_disabled", times=0)
    _killed(world)
    assert world.key(SEARCH).disabled
    assert _pictures(world) == []
    assert any(SEARCH in one["text"] and "🔴" in one["text"] for one in world.slack.messages(CHANNEL))


def test_the_function_fits_into_lambda_with_its_layers() -> None:
    parts = ("IncidentPictureFunction", "ManagementApiLayer", "GovernorLayer", "PolicyLayer")
    sizes = {
        name: sum(path.stat().st_size for path in (stack() / name).rglob("*") if path.is_file()) / 1e6 for name in parts
    }
    assert sum(sizes.values()) < LIMIT_MB * 0.8, sizes
    assert not re.search("matplotlib", str(list((stack() / "NotifierFunction").rglob("*"))))
