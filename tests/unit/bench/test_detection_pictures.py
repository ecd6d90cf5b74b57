"""The pictures of docs/detection.md are those that the detector's own code draws, and say what they must."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from governor.events.evidence import RunawayRule as Rule
from spend_meter.limits import LIMITS, Level
from tests.bench.detector.pictures import EXAMPLES, FOLDER, PICTURES, RATES, USUAL, accustomed, loop, seen
from tests.bench.detector.svg import Svg

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "detection.md"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_the_code_draws_now(name: str) -> None:
    draw: Callable[[], Svg] = PICTURES[name]
    assert (FOLDER / name).read_text() == draw().content(), "draw again: python -m tests.bench.detector.pictures"
    assert f"(images/{name})" in DOCUMENT.read_text()


def test_the_line_in_the_picture_is_the_limit_that_disabled_the_key() -> None:
    run = loop(USUAL, 500, 20)
    last = run[-1].verdict
    assert last.level is Level.CONFIRM
    largest, second = accustomed(USUAL).history.maxima(15)
    factor = LIMITS.thinness(28)
    assert last.floor == pytest.approx(
        max(LIMITS.floor[0], factor * LIMITS.multiple[0] * second, factor * LIMITS.peak[0] * largest), rel=1e-6
    )
    assert run[-1].window_usd >= last.floor
    assert [one.verdict.level for one in run] == sorted(one.verdict.level for one in run)


def test_the_message_that_the_document_explains_is_the_pictures_own() -> None:
    reason = loop(USUAL, 500, 20)[-1].verdict.reason
    spent, beside, rate = reason.removesuffix(".").replace("; ", ", ").split(", ")
    text = DOCUMENT.read_text()
    assert all(f"*{part}*" in text for part in (spent, beside, rate))


def test_each_rule_that_confirms_has_an_example_in_which_it_does() -> None:
    assert {one.rule for one in EXAMPLES} == {Rule.HABIT, Rule.HOURS, Rule.ON_END, Rule.MONTH}


def test_a_faster_loop_is_never_found_later() -> None:
    for row in seen():
        assert len(row) == len(RATES)
        minutes = [one if one is not None else 10_000 for one in row]
        assert all(slower >= faster for slower, faster in pairwise(minutes))
