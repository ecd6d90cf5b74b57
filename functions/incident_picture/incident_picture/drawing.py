"""A plot as a PNG. The background is the picture's own: Slack shows it on a light page and on a dark one.

1,200 pixels wide, in letters that can still be read where a phone shows it at 360.
"""

import io
from datetime import timedelta

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from incident_picture.plot import Plot, dollars

PAPER, INK, QUIET, GRID, FRAME = "#ffffff", "#1f2328", "#57606a", "#d8dee4", "#8c959f"
SPEND, HABIT, LIMIT, STOP, MARK = "#0969da", "#1a7f37", "#9a6700", "#cf222e", "#57606a"
_BAR_COLOURS = {"spent": SPEND, "habit": HABIT, "limit": LIMIT}
MINUTE = 1 / 1440
"""Of a day, matplotlib's unit of time."""


def png(plot: Plot) -> bytes:
    """The picture."""
    into = io.BytesIO()
    figure(plot).savefig(into, format="png", facecolor=PAPER, edgecolor=FRAME, metadata={"Software": None})
    return into.getvalue()


def figure(plot: Plot) -> Figure:
    """The picture as matplotlib has it, from which a test reads back what is drawn."""
    # Between two dollar signs matplotlib would set a formula.
    with rc_context({"text.parse_math": False}):
        return _figure(plot)


def _figure(plot: Plot) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.16, h_pad=0.1)
    drawn = Figure(figsize=(8, 5.4), dpi=150, layout=layout, facecolor=PAPER, edgecolor=FRAME, linewidth=2)
    axes: Axes = drawn.add_subplot()
    {"minutes": _minutes, "curve": _curve, "bars": _bars}[plot.kind](axes, plot)
    title = plot.title if len(plot.title) <= 48 else plot.title.replace(": ", ":\n", 1)
    drawn.suptitle(title, x=0.02, ha="left", fontsize=17, fontweight="bold", color=INK)
    if plot.kind != "bars":
        # Below the axes: within them it would cover the very minutes that matter.
        drawn.legend(loc="outside lower left", ncols=2, fontsize=12.5, frameon=False, labelcolor=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FRAME)
    axes.tick_params(colors=QUIET, labelsize=13)
    return drawn


def _minutes(axes: Axes, plot: Plot) -> None:
    at = [float(date2num(point.at)) for point in plot.points]
    axes.bar(at, [point.usd for point in plot.points], width=MINUTE * 0.9, color=SPEND, label="spent", zorder=2)
    if plot.ahead:
        axes.bar(
            [float(date2num(point.at)) for point in plot.ahead], [point.usd for point in plot.ahead],
            width=MINUTE * 0.9, facecolor="#ffebe9", edgecolor=STOP, hatch="///", linewidth=0.5, label=plot.ahead_label,
            zorder=2,
        )  # fmt: skip
    _levels(axes, plot)
    _marks(axes, plot)
    _time(axes, plot)


def _curve(axes: Axes, plot: Plot) -> None:
    at = [float(date2num(point.at)) for point in plot.points]
    axes.plot(at, [point.usd for point in plot.points], color=SPEND, linewidth=3, marker="o", markersize=8,
              label=_now(plot), zorder=3)  # fmt: skip
    if plot.ahead:
        ahead = (plot.points[-1], *plot.ahead)
        axes.plot([float(date2num(point.at)) for point in ahead], [point.usd for point in ahead], color=STOP,
                  linewidth=2.5, linestyle=(0, (4, 2)), label=plot.ahead_label, zorder=2)  # fmt: skip
    _levels(axes, plot)
    _marks(axes, plot)
    _time(axes, plot)
    if len(plot.points) == 1 and not plot.ahead:
        axes.set_xlim(at[0] - 0.5, at[0] + 0.5)


def _now(plot: Plot) -> str:
    return f"{dollars(plot.points[-1].usd)} now"


def _bars(axes: Axes, plot: Plot) -> None:
    places = range(len(plot.bars))
    drawn = axes.barh(
        places, [bar.usd for bar in plot.bars], color=[_BAR_COLOURS[bar.kind] for bar in plot.bars], height=0.6,
        zorder=2,
    )  # fmt: skip
    axes.bar_label(drawn, [dollars(bar.usd) for bar in plot.bars], padding=6, fontsize=14, color=INK)
    axes.set_yticks(list(places), [bar.label for bar in plot.bars])
    axes.invert_yaxis()
    axes.margins(x=0.22)
    axes.set_xlabel(plot.unit, fontsize=13, color=QUIET)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(_amount))
    axes.grid(axis="x", color=GRID, zorder=0)


def _levels(axes: Axes, plot: Plot) -> None:
    for level in plot.levels:
        colour = HABIT if level.kind == "habit" else LIMIT
        style = (0, (1, 1.5)) if level.kind == "habit" else (0, (6, 2))
        axes.axhline(level.usd, color=colour, linewidth=2.5, linestyle=style, label=level.label, zorder=4)


def _marks(axes: Axes, plot: Plot) -> None:
    """Lines where something was decided; their names stand below, where they cannot cover one another."""
    for mark in plot.marks:
        axes.axvline(
            float(date2num(mark.at)), color=STOP if mark.ends else MARK, linewidth=3 if mark.ends else 1.8,
            label=mark.label, zorder=5, linestyle="-" if mark.ends else (0, (2, 1)),
        )  # fmt: skip


def _time(axes: Axes, plot: Plot) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    moments = [point.at for point in (*plot.points, *plot.ahead)]
    day = f"{min(moments):%-d %b}" if max(moments) - min(moments) < timedelta(days=1) else ""
    axes.set_xlabel(f"{day}, UTC".lstrip(", "), fontsize=13, color=QUIET)
    axes.set_ylabel(plot.unit, fontsize=13, color=QUIET)
    seen = [0.0, *(one.usd for one in (*plot.points, *plot.ahead)), *(level.usd for level in plot.levels)]
    axes.set_ylim(min(seen) * 1.08, max(seen) * 1.08 or 1)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(_amount))
    axes.grid(axis="y", color=GRID, zorder=0)
    axes.set_axisbelow(True)


def _amount(usd: float, _place: int | None = None) -> str:
    return dollars(usd).removesuffix(".00")
