"""The Slack message: at most twelve lines, read in a channel on a Monday morning. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal

from account_review.costs import cents
from account_review.finding import Finding
from account_review.report import Report
from governor.slack.text import clip, escape

MOST_LINES = 12
MOST_NEW = 4
COLORS = {"high": "#d1242f", "medium": "#bf8700", "low": "#2da44e", "": "#2da44e"}


def usd(amount: Decimal) -> str:
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def lines(report: Report, link: str) -> Sequence[str]:
    """The first is the message's own text. `link`: to the page, empty for none."""
    found = [_title(report), _week(report)]
    found += _movers(report)
    found += _month(report)
    found.append(_posture(report))
    found += [_finding(one.finding) for one in report.findings.new[:MOST_NEW]]
    more = len(report.findings.new) - MOST_NEW
    if more > 0:
        found.append(f"… and {more:,} more new findings in the file")
    unread = report.unread()
    if unread:
        found.append(f"⚠ Not read: {escape(clip(unread[0], 120))}{f', and {len(unread) - 1} more' * (len(unread) > 1)}")
    if link:
        found.append(f"<{escape(link)}|The whole review as a page> (the link ends within six hours; the file stays)")
    return found[:MOST_LINES]


def plain(said: Sequence[str]) -> str:
    """The same lines for a mail: no emphasis, links spelt out."""
    text = re.sub(r"<(https?://[^<>|]+)\|([^<>]*)>", r"\2: \1", "\n".join(said))
    text = re.sub(r"<@([^<>]+)>", r"\1", text).replace("*", "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def color(report: Report) -> str:
    """Of the worst open finding."""
    worst = next((name for name, count in report.by_severity().items() if count), "")
    return COLORS[worst]


def _title(report: Report) -> str:
    total = report.money.costs.workspaces.total
    return (
        f"Account review of {report.at:%Y-%m-%d}: {usd(cents(total.week))} in seven days, "
        f"{len(report.findings.new):,} new findings"
    )


def _week(report: Report) -> str:
    total, payers = report.money.costs.workspaces.total, report.money.costs.payers.lines
    owned = next((one.week for one in payers if one.name == "BYOK"), Decimal(0))
    change = cents(total.week) - cents(total.before)
    return (
        f"*Week* {usd(cents(total.week))}, {'up' if change >= 0 else 'down'} {usd(abs(change))} on the week before "
        f"(usual: {usd(cents(total.usual))}); {usd(cents(owned))} of it by BYOK"
    )


def _movers(report: Report) -> list[str]:
    told = sorted(report.money.movers, key=lambda one: -abs(one.reasons.change))
    chosen = [one for one in told if one.kind == "workload"][:2]
    return [
        f"• {escape(clip(one.name, 80))}: {'+' if one.reasons.change >= 0 else ''}{usd(one.reasons.change)}, most of "
        f"it {one.reasons.main} ({usd(one.reasons.parts[one.reasons.main])})"
        for one in chosen
    ]


def _month(report: Report) -> list[str]:
    ahead = report.money.forecast
    if ahead is None:
        return []
    between = ""
    if ahead.low is not None and ahead.high is not None:
        between = f", eight times in ten between {usd(cents(ahead.low))} and {usd(cents(ahead.high))}"
    return [f"*Month* {usd(cents(ahead.so_far))} so far, {usd(cents(ahead.expected))} expected{between}"]


def _posture(report: Report) -> str:
    counts = ", ".join(f"{count:,} {name}" for name, count in report.by_severity().items() if count) or "none"
    found = report.findings
    return (
        f"*Findings* open: {counts}; {len(found.accepted):,} accepted, {len(found.ended):,} ended since the last review"
    )


def _finding(one: Finding) -> str:
    ask = f" <@{one.owner}>" if one.owner else ""
    return f"• {one.severity}: {one.title}: {escape(clip(one.subject, 80))} ({escape(clip(one.evidence, 90))}){ask}"
