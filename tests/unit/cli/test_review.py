"""`governor review`: the last review as the bucket has it, into a folder, or none yet."""

import io
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.openrouter import Simulator
from sandbox.reviewed import plant
from tests.unit.account_review.world import World
from tests.unit.cli.terminal import MANAGEMENT, NOW, Ran, Terminal

OUTPUTS = ("EventBusName", "EventBusArn", "LedgerTable", "DecisionsTable", "ReadingBucket")


class Aws:
    """CloudFormation and S3, as far as the command asks them."""

    def __init__(self, objects: dict[str, str]) -> None:
        self.objects = objects

    def __call__(self, service: str, region: str | None) -> Any:
        return self

    def describe_stacks(self, StackName: str) -> Any:
        return {"Stacks": [{"Outputs": [{"OutputKey": one, "OutputValue": one.lower()} for one in OUTPUTS]}]}

    def get_object(self, Bucket: str, Key: str) -> Any:
        assert Bucket == "readingbucket"
        name = Key.removeprefix("reviews/")
        if name not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[name].encode())}


@pytest.fixture(scope="module")
def objects() -> dict[str, str]:
    world = World(faults=plant)
    world.review()
    return world.shelf.objects


def _run(objects: dict[str, str], *arguments: object) -> Ran:
    terminal = Terminal(Simulator(MANAGEMENT, clock=lambda: NOW))
    return terminal.run("review", "--stack", "governor", *arguments, aws=Aws(objects))


def test_it_shows_the_findings_and_the_week_and_exits_with_1_while_a_high_one_is_open(objects: dict[str, str]) -> None:
    ran = _run(objects)
    assert ran.code == 1
    assert "$660.67 in seven days" in " ".join(ran.stdout.split())
    assert "Credits will run out" in " ".join(ran.stdout.split())


def test_as_json_it_is_what_the_bucket_holds(objects: dict[str, str]) -> None:
    document = _run(objects, "--json").json
    assert document["summary"]["run"] == "weekly-2026-11-23"
    assert len(document["findings"]) > 25


def test_it_saves_the_page_and_the_tables(objects: dict[str, str], tmp_path: Path) -> None:
    _run(objects, "--save", tmp_path / "review")
    assert {one.name for one in (tmp_path / "review").iterdir()} == {
        "index.html", "findings.csv", "costs.csv", "focus.csv",
    }  # fmt: skip
    assert (tmp_path / "review" / "index.html").read_text() == objects["weekly-2026-11-23/index.html"]


def test_without_a_review_it_says_so_and_how_to_get_one() -> None:
    ran = _run({})
    assert ran.code == 2
    assert "was not reviewed yet" in " ".join(ran.stderr.split())
    assert "governor review --now" in " ".join(ran.stderr.split())
