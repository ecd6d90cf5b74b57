"""A run of the detector's report that was interrupted goes on, and takes nothing from another state of the code."""

from pathlib import Path

import pytest

from tests.bench.detector import finished
from tests.bench.detector.finished import Finished, Job
from tests.bench.detector.replay import Key, Outcome

FIRST: Job = (Key("steady", 50, 1), "every minute")
SECOND: Job = (Key("steady", 50, 1), "thinned")


def _outcomes(job: Job) -> list[Outcome]:
    return [Outcome(job[0], "detector", job[1], suspected=[7])]


def test_what_was_finished_is_not_replayed_again(tmp_path: Path) -> None:
    Finished(tmp_path / "detector.json").add(FIRST, _outcomes(FIRST))

    assert Finished(tmp_path / "detector.json").outcomes == {FIRST: _outcomes(FIRST)}


def test_a_record_that_was_cut_off_is_dropped_and_the_next_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "detector.json"
    Finished(path).add(FIRST, _outcomes(FIRST))
    Finished(path).add(SECOND, _outcomes(SECOND))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])

    Finished(path).add(SECOND, _outcomes(SECOND))

    assert list(Finished(path).outcomes) == [FIRST, SECOND]


def test_another_state_of_the_code_finished_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Finished(tmp_path / "detector.json").add(FIRST, _outcomes(FIRST))

    monkeypatch.setattr(finished, "code", lambda: "another state")

    assert not Finished(tmp_path / "detector.json").outcomes
