"""A day's purse bounds all runs of a preset, and what has not changed is not paid for twice."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from governor.clock import parse_instant
from governor.policy import Preset
from management_api import ChatCompletion, Deadline
from preset_promotion.case_runs import Run
from preset_promotion.paying import cases
from preset_promotion.ports import Turn
from preset_promotion.record import Purse, Record
from tests.unit.preset_promotion.samples import CATALOGUE, completion, content

OK, BAD = completion("billing", cost=0.001), completion("shipping", cost=0.001)


@dataclass
class World:
    """A preset's record in memory, and two workspaces that answer alike. `purses`: as they were at each question."""

    answer: ChatCompletion = BAD
    daily: float | None = None
    now = parse_instant("2026-03-11T09:00:00Z")
    record: Record = field(default_factory=lambda: Record("s"))
    purses: list[float] = field(default_factory=list)

    def chat(self, _request: Any) -> ChatCompletion:
        self.purses.append(self.record.purse.usd)
        return self.answer

    def commit(self, put: Any, *_beside: Any) -> None:
        self.record = replace(self.record, purse=Purse(*put.data["purse"]))

    def run(self, prompt: str = "New.") -> Run:
        golden: dict[str, Any] = {"usd": 0.5, "cases": [{"name": "refund", "prompt": "?", "contains": ["billing"]}]}
        if self.daily is not None:
            golden["usd_per_day"] = self.daily
        preset = Preset.model_validate(
            {
                "slug": "s", "from": "a", "to": "b", "from_secret": "x", "to_secret": "y",
                "approvers": ["U0LEAD", "U0SEC"],
                "checks": {"golden": golden},
            }
        )  # fmt: skip
        ports = cast(Any, type("Ports", (), {"clock": staticmethod(lambda: self.now), "ledger": self})())
        turn = Turn(ports, preset, self.record, Deadline(lambda: 600.0))
        turn.__dict__.update(staging=self, production=self)
        came = cases(turn, content(prompt), content("Old."), CATALOGUE)
        self.record = turn.record
        return came


def test_a_run_takes_its_whole_purse_before_it_asks_and_gives_the_rest_back() -> None:
    world = World()
    came = world.run()
    assert world.purses == [0.5, 0.5]
    assert world.record.purse == Purse("2026-03-11", round(came.usd, 6))
    assert 0 < came.usd < 0.01


def test_a_run_that_died_counts_as_its_whole_purse_for_the_rest_of_the_day() -> None:
    world = World(daily=0.7, record=Record("s", purse=Purse("2026-03-11", 0.5)))
    (check,) = world.run().checks
    assert (check.passed, world.purses) == (False, [])
    assert check.why == "today's purse has no room for a run: $0.5000 of $0.7 are used; ask after 00:00 UTC"
    world.now += timedelta(days=1)
    assert world.run().checks[0].name == "golden: refund"


def test_an_unchanged_candidate_that_was_held_back_is_not_run_again_for_a_day() -> None:
    world = World()
    first = world.run()
    asked = len(world.purses)
    again = world.run()
    assert (len(world.purses), again.usd, again.checks) == (asked, 0.0, first.checks)
    assert again.shown[0].startswith("Golden cases were not run again")
    world.run("Newer.")
    assert len(world.purses) == 2 * asked
    world.now += timedelta(hours=25)
    world.run("Newer.")
    assert len(world.purses) == 3 * asked


def test_a_candidate_that_passed_is_run_again() -> None:
    world = World(answer=OK)
    assert world.run().checks[0].passed
    world.run()
    assert len(world.purses) == 4


def test_a_record_keeps_purse_and_judgement_and_older_rows_have_neither() -> None:
    world = World()
    world.run()
    kept = world.record.put().data

    class Kept:
        def get(self, _pk: str, _sk: str) -> Any:
            return type("Row", (), {"data": kept, "version": 3})()

    read = Record.read(cast(Any, Kept()), "s")
    assert (read.purse, read.judged) == (world.record.purse, world.record.judged)
    del kept["purse"], kept["judged"]
    assert Record.read(cast(Any, Kept()), "s").purse.usd == 0.0
