"""The review through the built stack: schedule, OpenRouter, bucket, Slack, an order; under the function's own role."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.scenario.organization import founding
from sandbox.scenario.world import CHANNEL, World, open_world

REVIEW = """
review:
  governor_usd_per_month: 6.0
  accepted:
    - {rule: auto_top_up_unknown, subject: account, until: 2026-12-31, by: U0LEAD, reason: finance looks after it}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    account = founding()
    with open_world(tmp_path, account=replace(account, policy=lambda url: account.policy(url) + REVIEW)) as opened:
        yield opened


def _objects(world: World) -> dict[str, bytes]:
    s3 = world.engine.client("s3")
    bucket = world.engine.outputs["ReadingBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="reviews/").get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}


def _said(world: World) -> list[dict[str, Any]]:
    return [one for one in world.slack.messages(CHANNEL) if "Account review of" in one["text"]]


def test_asked_in_slack_the_review_comes_as_a_message_a_page_and_tables_and_its_link_works(world: World) -> None:
    before = world.keys_as_set()
    world.command("U0SEARCH", "review")
    world.engine.settle()
    (message,) = _said(world)
    text = json.dumps(message)
    assert "in seven days" in text
    (reviewed,) = world.events("Account Reviewed")
    run = reviewed["detail"]["evidence"]["run"]
    objects = _objects(world)
    assert {f"reviews/{run}/{name}" for name in ("index.html", "findings.csv", "costs.csv", "focus.csv")} <= {*objects}
    latest = json.loads(objects["reviews/latest.json"])
    assert {"key_without_cap", "workspace_without_guardrail"} <= {one["rule"] for one in latest["findings"]}
    (accepted,) = [one for one in latest["findings"] if one["state"] == "accepted"]
    assert accepted["rule"] == "auto_top_up_unknown"
    assert reviewed["detail"]["evidence"]["unread"] == []
    link = text.partition("<http")[2].partition("|")[0].replace("&amp;", "&")
    assert httpx.get(f"http{link}").content == objects[f"reviews/{run}/index.html"]
    assert any("account-review" in str(one) for one in world.slack.workspace.files.values())
    assert (world.writes(), world.keys_as_set()) == ([], before)
    assert world.engine.dead_letters() == []


def test_every_monday_it_comes_by_itself_and_tells_no_finding_a_second_time(world: World) -> None:
    monday = timedelta(days=(7 - world.now.weekday()) % 7, hours=7, minutes=5)
    world.run(world.now + monday, every=timedelta(hours=6), maintenance=timedelta(days=1))
    world.run(world.now + timedelta(days=7), every=timedelta(hours=6), maintenance=timedelta(days=1))
    first, second = (one["detail"]["evidence"] for one in world.events("Account Reviewed"))
    assert first["run"] < second["run"]
    assert first["new"] > 50
    assert second["new"] < 10
    assert len(_said(world)) == 2
    assert world.engine.dead_letters() == []
