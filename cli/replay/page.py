"""The past as one HTML file: each affected key's spend with the decisions on it. No script, and nothing is loaded.

The pictures are inline SVG whose colours are the page's, so that both follow the reader's light or dark theme.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from cli.output import plain, usd
from cli.plan_text import RULES, TOTALS
from cli.replay.history import HOUR, History
from cli.replay.outcome import Outcome, Spending, Stop, Summary
from cli.replay.play import Played
from governor.events import DetailType, Event
from spend_meter.periods import minute_of, moment_of

PICTURES = 60
"""Keys that are drawn; those that matter most come first."""
AROUND = timedelta(hours=3)
"""How much is shown by the minute before the start of what led to a decision, and after the decision."""
INK, GRID, SPEND, ALERT, SUSPECTED, STOP = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
_COLOURS = {
    INK: "var(--ink)", GRID: "var(--grid)", SPEND: "var(--spend)", ALERT: "var(--alert)",
    SUSPECTED: "var(--suspected)", STOP: "var(--stop)",
}  # fmt: skip
_MARKS = (
    (DetailType.BUDGET_THRESHOLD_REACHED, "budget alert", ALERT, "s"),
    (DetailType.RUNAWAY_SUSPECTED, "suspected", SUSPECTED, "^"),
    (DetailType.RUNAWAY_CONFIRMED, "confirmed", STOP, "v"),
)
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --grid: #d0d7de; --spend: #0969da;
  --alert: #9a6700; --suspected: #bc4c00; --stop: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --grid: #30363d; --spend: #58a6ff;
  --alert: #d29922; --suspected: #f0883e; --stop: #ff7b72; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
svg { height: auto; max-width: 100%; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--grid); padding: .2rem .8rem .2rem 0;
  text-align: left; vertical-align: top; } td.number { text-align: right; }
section { border-top: 1px solid var(--grid); margin-top: 2rem; } .stop { color: var(--stop); }
"""


def page(played: Played, outcome: Outcome, history: History) -> str:
    """The whole file."""
    spending = Spending(played, history)
    affected = [one for one in outcome.summaries if one.is_news]
    title = f"Governor's plan, {played.start:%Y-%m-%d} to {played.end:%Y-%m-%d} (UTC)"
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
        "<p>What the policy would have done, had it watched this time. Money in USD, times in UTC. docs/plan.md says "
        "how to read it.</p>",
        _totals(outcome),
        *_candidates(outcome),
        *(part for one in affected[:PICTURES] for part in _section(one, played, spending)),
    ]
    if len(affected) > PICTURES:
        parts.append(f"<p>{len(affected) - PICTURES} more are not drawn; governor plan --json has them.</p>")
    return "\n".join([*parts, "</body></html>", ""])


def _totals(outcome: Outcome) -> str:
    rows = "".join(
        f'<tr><td>{label}</td><td class="number">{usd(value) if name.endswith("_usd") else f"{value:.0f}"}</td></tr>'
        for name, value in outcome.totals().items()
        if (label := TOTALS[name])
    )
    return f"<table>{rows}</table>"


def _candidates(outcome: Outcome) -> Iterator[str]:
    if not outcome.candidates:
        return
    yield "<h2>False-alarm candidates</h2><table><tr><th>at</th><th>whose</th><th>spent</th><th>why it may be</th></tr>"
    for one in outcome.candidates:
        cells = (f"{one.at:%m-%d %H:%M}", _text(one.name), usd(one.lost_usd), _text(one.candidate))
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</table>"


def _section(summary: Summary, played: Played, spending: Spending) -> Iterator[str]:
    subject = "workload" if summary.declared else "key that no workload claims"
    tier = "" if summary.tier is None else f", tier {summary.tier}"
    told = [one for one in played.events if one.subject == summary.subject]
    yield f"<section><h2>{_text(summary.name)}</h2><p>{subject}{tier}, runaway mode {summary.mode}; spent "
    yield f"{usd(summary.spent_usd)} in all.</p>"
    label = f"Spend of {summary.name} by the hour, with what would have been told"
    yield _picture(label, summary, told, spending, played.start, played.end, HOUR)
    if summary.stops:
        first = summary.stops[0]
        start = max((first.started_at or first.at) - AROUND, played.start)
        label = f"Spend of {summary.name} by the minute around {first.at:%Y-%m-%d %H:%M} UTC"
        yield f"<p>By the minute, around {first.at:%Y-%m-%d %H:%M} UTC:</p>"
        yield _picture(label, summary, told, spending, start, min(first.at + AROUND, played.end), 1)
    yield f"<ul>{''.join(_said(one) for one in summary.stops)}</ul></section>"


def _said(stop: Stop) -> str:
    what = RULES.get(stop.rule, stop.rule.replace("_", " "))
    return (
        f'<li><span class="stop">{stop.at:%m-%d %H:%M} {what}</span>: {_text(stop.reason)} '
        f"{usd(stop.lost_usd)} lost until then; {usd(stop.after_usd)} "
        f"{'refused' if stop.disabled else 'spent'} after.</li>"
    )


def _picture(
    label: str, summary: Summary, told: Sequence[Event], spending: Spending, start: datetime, end: datetime, step: int
) -> str:
    """USD by hour, or by minute, as SVG."""
    first, last = minute_of(start), minute_of(end)
    times = list(range(first // step * step, last, step))
    spent = [spending.of(summary.subject, at, at + step) for at in times]
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"{summary.subject} {step}", "font.size": 9}):
        figure = Figure(figsize=(9, 2.6), layout="constrained")
        axes = figure.add_subplot()
        edges = [*(moment_of(at) for at in times), moment_of((times[-1] if times else first) + step)]
        axes.stairs(spent, date2num(edges), fill=True, color=SPEND, linewidth=0)
        _mark(axes, told, summary.stops, start, end, max(spent, default=0.0))
        axes.set_ylabel("USD an hour" if step == HOUR else "USD a minute", color=INK)
        axes.set_xlim(date2num(start), date2num(end))
        axes.set_ylim(bottom=0)
        _dress(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{_text(label)}"', 1)
    for mark, colour in _COLOURS.items():
        text = text.replace(mark, colour)
    return text


def _mark(
    axes: Axes, told: Sequence[Event], stops: Sequence[Stop], start: datetime, end: datetime, highest: float
) -> None:
    top = (highest or 1.0) * 1.08
    for kind, label, colour, shape in _MARKS:
        at = [one.occurred_at for one in told if one.detail_type is kind and start <= one.occurred_at <= end]
        if at:
            axes.plot(date2num(at), [top] * len(at), shape, color=colour, label=label, markersize=6, clip_on=False)
    labelled = False
    for one in stops:
        if start <= one.at <= end:
            solid = "-" if one.disabled else "--"
            axes.axvline(
                float(date2num(one.at)), color=STOP, linestyle=solid, linewidth=1.2,
                label=None if labelled else "decision to disable (dashed: withheld)",
            )  # fmt: skip
            labelled = True
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.02), ncols=4, frameon=False, labelcolor=INK, borderaxespad=0)


def _dress(axes: Axes) -> None:
    locator = AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.xaxis.get_offset_text().set_color(INK)
    axes.tick_params(colors=INK)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)


def _text(text: str) -> str:
    return escape(plain(text))
