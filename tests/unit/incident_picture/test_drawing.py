"""The picture as it is drawn: what is plotted is read back and held against the events' figures, to the cent."""

import io

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.dates import num2date
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from governor.events import DetailType, Event
from incident_picture.decide import decide
from incident_picture.drawing import PAPER, figure, png
from tests.unit.incident_picture.conftest import MINUTES, T0, disabled, draining, leaking, low_credits, runaway, sample

CASES: dict[str, tuple[Event, ...]] = {
    "runaway": (runaway(DetailType.RUNAWAY_SUSPECTED), runaway(), disabled()),
    "budget": (sample("budget_threshold_reached"),),
    "credits": (low_credits(),),
    "leak": (leaking(),),
    "drain": (draining(),),
    "credits_leak": (sample("credits_leak_suspected"),),
}


def _drawn(*events: Event) -> tuple[Figure, Axes]:
    plot = decide(events)
    assert plot is not None
    drawn = figure(plot)
    return drawn, drawn.axes[0]


def _heights(line: Line2D) -> list[float]:
    """Where the line's points are, in USD."""
    return [float(usd) for usd in np.asarray(line.get_ydata())]


def _texts(drawn: Figure) -> str:
    return "\n".join([drawn.get_suptitle(), *(text.get_text() for one in drawn.legends for text in one.get_texts())])


def test_the_bars_of_a_runaway_are_the_readings_minutes() -> None:
    drawn, axes = _drawn(*CASES["runaway"])
    spent, ahead = (axes.containers[0], axes.containers[1])
    assert [round(bar.get_height(), 2) for bar in spent] == [round(usd, 2) for usd in MINUTES]
    last = list(spent)[-1]
    assert num2date(last.get_x() + last.get_width() / 2).replace(microsecond=0) == T0
    assert {round(bar.get_height(), 2) for bar in ahead} == {round(492.12 / 60, 2)}
    levels = sorted(_heights(line)[0] for line in axes.lines if len(set(_heights(line))) == 1)
    assert [round(level, 2) for level in levels] == [0.1, 0.33]
    for said in ("habit $0.10", "limit $0.33", "suspected 03:00", "disabled 03:01", "$2,452.40 by the next 08:00 UTC"):
        assert said in _texts(drawn)


def test_the_points_of_a_budget_are_its_messages() -> None:
    drawn, axes = _drawn(sample("budget_threshold_reached", threshold=0.5, spent_usd=100.25), *CASES["budget"])
    assert _heights(axes.lines[0]) == [100.25, 160.4]
    assert 200.0 in [_heights(line)[0] for line in axes.lines]
    assert "$160.40 of $200.00" in drawn.get_suptitle(), "two dollar signs are no formula"


@pytest.mark.parametrize(("name", "amounts"), [("leak", [150.11, 300.0, 412.37]), ("drain", [12.2, 1.5, 0.51])])
def test_the_bars_of_days_and_of_keys_are_the_evidences_amounts(name: str, amounts: list[float]) -> None:
    _, axes = _drawn(*CASES[name])
    assert [round(bar.get_width(), 2) for bar in axes.containers[0]] == amounts
    labels = [text.get_text() for text in axes.texts]
    assert labels == [f"${amount:.2f}" for amount in amounts]


def test_the_curve_of_a_credits_leak_ends_at_what_was_lost() -> None:
    _, axes = _drawn(*CASES["credits_leak"])
    assert _heights(axes.lines[0]) == [0.0, 31.4]
    assert round(_heights(axes.lines[1])[-1], 2) == round(31.4 + 24 * 62.8, 2)


@pytest.mark.parametrize("name", CASES)
def test_a_picture_is_a_png_with_a_background_of_its_own_that_a_phone_can_show(name: str) -> None:
    plot = decide(CASES[name])
    assert plot is not None
    drawn = png(plot)
    assert len(drawn) < 300_000
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.format == "PNG"
        assert image.size == (1200, 810)
        flat = image.convert("RGBA")
        corners = {flat.getpixel((x, y)) for x in (12, 1187) for y in (12, 797)}
    assert corners == {(255, 255, 255, 255)}, f"opaque {PAPER}, on a dark page too"


@pytest.mark.parametrize("name", CASES)
def test_nothing_that_is_drawn_leaves_the_picture(name: str) -> None:
    drawn, axes = _drawn(*CASES[name])
    drawn.draw_without_rendering()
    edges = drawn.bbox
    for box in (axes.get_tightbbox(), *(legend.get_window_extent() for legend in drawn.legends)):
        assert box is not None
        assert edges.x0 <= box.x0 < box.x1 <= edges.x1
        assert edges.y0 <= box.y0 < box.y1 <= edges.y1


def test_the_same_figures_make_the_same_bytes() -> None:
    plot = decide(CASES["runaway"])
    assert plot is not None
    assert png(plot) == png(plot)
