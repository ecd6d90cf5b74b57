"""The review as one self-contained page: no script, nothing fetched, light and dark, readable on a phone. Pure.

Whatever the account's people named is escaped; the page's own policy (CSP) lets nothing load.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from importlib.resources import files

from account_review import charts
from account_review.costs import Line, Table, cents
from account_review.movers import Mover
from account_review.report import Report
from account_review.standing import Standing
from account_review.summary import usd

MOST_FINDINGS = 400
"""Rows of findings on the page; findings.csv holds every one."""
MOST_LINES, MOST_PICTURES = 25, 4
NOTHING_LOADS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(report: Report) -> str:
    """The HTML document."""
    style = files("account_review").joinpath("page.css").read_text("utf-8")
    title = f"Account review of {report.at:%Y-%m-%d}"
    body = "".join(
        (
            f"<header><h1>{title}</h1><p>{escape(report.name)}, {report.at:%Y-%m-%d %H:%M} UTC. Money is in USD; a "
            "week is seven completed UTC days. Nothing at OpenRouter was changed by this review.</p></header>",
            _unread(report),
            _tiles(report),
            _money(report),
            _findings(report),
            _deeds(report),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_LOADS}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
    )


def _unread(report: Report) -> str:
    lines = report.unread()
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines[:20])
    more = f"<li>and {len(lines) - 20} more</li>" if len(lines) > 20 else ""
    said = f"<p>The review says nothing of these:</p><ul>{items}{more}</ul>"
    return f'<section class="warn"><h2>Not read</h2>{said}</section>'


def _tile(name: str, figure: str, note: str) -> str:
    return f"<div><h3>{name}</h3><strong>{figure}</strong><p>{note}</p></div>"


def _tiles(report: Report) -> str:
    total = report.money.costs.workspaces.total
    change = cents(total.week) - cents(total.before)
    found = report.findings
    tiles = [
        _tile(
            "This week",
            usd(cents(total.week)),
            f"{_signed(change)} on the week before; usual {usd(cents(total.usual))}",
        ),
        _tile("28 days", usd(cents(total.month)), "the last four weeks together"),
    ]
    ahead = report.money.forecast
    if ahead:
        note = f"{usd(cents(ahead.so_far))} so far"
        if ahead.low is not None and ahead.high is not None:
            note += f"; eight in ten: {usd(cents(ahead.low))} to {usd(cents(ahead.high))}"
        tiles.append(_tile(f"{ahead.month:%B} expected", usd(cents(ahead.expected)), note))
    counts = ", ".join(f"{count} {name}" for name, count in report.by_severity().items() if count) or "nothing open"
    tiles.append(_tile("Findings", f"{len(found.open):,}", f"{counts}; {len(found.new)} new, {len(found.ended)} ended"))
    if report.facts.credits:
        left = Decimal(f"{report.facts.credits.total_credits - report.facts.credits.total_usage}")
        tiles.append(_tile("Credits left", usd(cents(left)), "of all that was ever bought"))
    return f'<section class="tiles">{"".join(tiles)}</section>'


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount >= 0 else ''}{usd(amount)}"


def _findings(report: Report) -> str:
    found = report.findings
    parts = [_group("New", found.new), _group("Standing", found.standing)]
    accepted = "".join(
        f"<tr><td>{escape(one.finding.title)}</td><td><code>{escape(one.finding.subject)}</code></td>"
        f"<td>{escape(one.accepted.reason)}</td><td><code>{one.accepted.by}</code></td><td>{one.accepted.until}</td></tr>"
        for one in found.accepted[:MOST_FINDINGS]
        if one.accepted
    )
    if accepted:
        head = "<tr><th>What</th><th>Where</th><th>Why accepted</th><th>By</th><th>Until</th></tr>"
        parts.append(f'<h3>Accepted</h3><div class="wide"><table>{head}{accepted}</table></div>')
    if found.ended:
        ended = "".join(
            f"<li><code>{escape(id)}</code>, since {since}</li>"
            for id, since in list(found.ended.items())[:MOST_FINDINGS]
        )
        parts.append(f"<h3>Ended since the last review</h3><ul>{ended}</ul>")
    if found.idle_acceptances:
        idle = "".join(
            f"<li><code>{escape(f'{one.rule} {one.subject}')}</code> by {one.by}, until {one.until}</li>"
            for one in found.idle_acceptances
        )
        parts.append(
            f"<h3>Acceptances that accept nothing</h3><p>They have ended, or name no finding: take them out of the "
            f"policy.</p><ul>{idle}</ul>"
        )
    return f"<section><h2>Findings</h2>{''.join(parts) or '<p>None.</p>'}</section>"


def _group(name: str, group: Sequence[Standing]) -> str:
    if not group:
        return ""
    rows = "".join(_row(one) for one in group[:MOST_FINDINGS])
    left = len(group) - MOST_FINDINGS
    more = f"<p>{left:,} more are in findings.csv.</p>" if left > 0 else ""
    head = "<tr><th>Severity</th><th>What</th><th>Where</th><th>Evidence</th><th>What to do</th><th>Ask</th></tr>"
    return f'<h3>{name} ({len(group):,})</h3><div class="wide"><table class="found">{head}{rows}</table></div>{more}'


def _row(one: Standing) -> str:
    finding = one.finding
    ask = f"<code>{finding.owner}</code>" if finding.owner else "an approver"
    return (
        f'<tr><td><span class="{finding.severity}">{finding.severity}</span></td>'
        f"<td>{escape(finding.title)}<small>{finding.rule}</small></td>"
        f"<td><code>{escape(finding.subject)}</code><small>since {one.since}</small></td>"
        f"<td>{escape(finding.evidence)}</td><td>{_code(finding.fix)}</td><td>{ask}</td></tr>"
    )


def _code(text: str) -> str:
    """Ours, with its backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _money(report: Report) -> str:
    costs, ahead = report.money.costs, report.money.forecast
    spend = sorted(costs.days.items())[-60:]
    parts = []
    if spend:
        parts.append(f"<h3>By day</h3><figure>{charts.days(spend, ahead)}</figure>")
    if ahead:
        tried = (
            f"The same forecast was made as of {ahead.trials} earlier mornings; {ahead.held} of them came out within "
            "the interval."
            if ahead.low is not None
            else f"Only {ahead.trials} earlier mornings could be tried, too few for an interval."
        )
        parts.append(f"<h3>{ahead.month:%B}, to its end</h3><figure>{charts.month(ahead)}</figure><p>{tried}</p>")
    parts += _movers(report.money.movers)
    parts += [_table(one) for one in costs.tables if one.lines]
    return f"<section><h2>What the money did</h2>{''.join(parts)}</section>"


def _movers(movers: Iterable[Mover]) -> list[str]:
    parts = []
    for number, one in enumerate(sorted(movers, key=lambda one: (-abs(one.reasons.change), one.name))):
        why = one.reasons
        said = f"{one.kind} <code>{escape(one.name)}</code>: {_signed(why.change)}, most of it {why.main}"
        if number < MOST_PICTURES:
            parts.append(f"<h4>{said}</h4><figure>{charts.waterfall(why)}</figure>")
        else:
            steps = ", ".join(f"{name} {_signed(amount)}" for name, amount in why.parts.items() if amount)
            parts.append(f"<p>{said} ({steps})</p>")
    if parts:
        parts.insert(
            0,
            "<h3>What moved, and why</h3><p>Volume: more or fewer requests. Price: what a token costs, by the list, "
            "another provider or fees. Model mix: other models. Cache rate: more or fewer tokens read from cache. "
            "Request size: longer or shorter requests. The five add up to the change.</p>",
        )
    return parts


def _table(which: Table) -> str:
    rows = "".join(_line(one, which) for one in which.lines[:MOST_LINES])
    left = which.lines[MOST_LINES:]
    if left:
        rest = Line(f"{len(left):,} more", tuple(sum((one.weeks[n] for one in left), Decimal(0)) for n in range(4)))
        rows += _line(rest, which)
    rows += _line(which.total, which)
    before = "<th>28 days before</th>" if which.month_before else ""
    head = (
        f"<tr><th>{which.dimension}</th><th>week</th><th>week before</th><th>usual</th><th>28 days</th>{before}"
        "<th>4 weeks</th></tr>"
    )
    note = f"<p>{escape(which.note)}</p>" if which.note else ""
    return f'<h3>By {which.dimension}</h3><div class="wide"><table class="sums">{head}{rows}</table></div>{note}'


def _line(one: Line, which: Table) -> str:
    before = ""
    if which.month_before:
        known = which.month_before.get(one.name)
        before = f"<td>{'' if known is None else usd(cents(known))}</td>"
    return (
        f"<tr><td><code>{escape(one.name)}</code></td><td>{usd(cents(one.week))}</td><td>{usd(cents(one.before))}</td>"
        f"<td>{usd(cents(one.usual))}</td><td>{usd(cents(one.month))}</td>{before}<td>{charts.spark(one.weeks)}</td></tr>"
    )


def _deeds(report: Report) -> str:
    done = report.deeds
    cost = f"It cost {usd(done.cost)}." if done.cost is not None else "The policy does not say what it costs."
    stopped = f" ({escape(', '.join(done.stopped[:10]))})" if done.stopped else ""
    parts = [
        f"<p>Runaways that were disabled{stopped} would have cost {usd(done.saved)} until 08:00 UTC at their rate. "
        f"{cost}</p>"
    ]
    if done.counts:
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{count:,}</td></tr>" for name, count in done.counts.items())
        parts.append(f'<div class="wide"><table><tr><th>Event</th><th>times</th></tr>{rows}</table></div>')
    if done.decided:
        rows = "".join(
            f"<tr><td>{one.at:%Y-%m-%d %H:%M}</td><td><code>{escape(one.by)}</code></td><td>{escape(one.verdict)}</td>"
            f"<td>{escape(one.what)}</td></tr>"
            for one in done.decided
        )
        head = "<tr><th>When (UTC)</th><th>Who</th><th>Said</th><th>Of what</th></tr>"
        parts.append(f'<h3>Decisions</h3><div class="wide"><table>{head}{rows}</table></div>')
    return f"<section><h2>What Governor did this week</h2>{''.join(parts)}</section>"
