"""Pictures as inline SVG, with the same said in words (`<title>`). Pure; colours are the page's variables."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape
from itertools import pairwise

from account_review.forecast import Forecast
from account_review.movers import Reasons
from account_review.summary import usd

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 220, 56, 24, 14


def days(spend: Sequence[tuple[date, Decimal]], ahead: Forecast | None) -> str:
    """A bar a day. The words give first, last, and largest day."""
    if not spend:
        return ""
    most = max(usd for _, usd in spend) or Decimal(1)
    step = (WIDTH - LEFT) / len(spend)
    bars, labels = [], []
    for number, (day, amount) in enumerate(spend):
        height = float(amount / most) * (HEIGHT - TOP - BOTTOM)
        x = LEFT + number * step
        this_month = ahead is not None and day >= ahead.month
        bars.append(
            f'<rect class="{"now" if this_month else "past"}" x="{x:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" '
            f'width="{max(step - 1.5, 1):.1f}" height="{height:.1f}"><title>{day}: {usd(amount)}</title></rect>'
        )
        if day.day == 1 or number == 0:
            labels.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}">{day:%d %b}</text>')
    largest = max(spend, key=lambda one: one[1])
    words = (
        f"Spend by day from {spend[0][0]} ({usd(spend[0][1])}) to {spend[-1][0]} ({usd(spend[-1][1])}); the largest is "
        f"{largest[0]} with {usd(largest[1])}"
    )
    return _svg(words, _axis(most) + "".join(bars) + "".join(labels))


def _axis(most: Decimal) -> str:
    bottom = HEIGHT - BOTTOM
    lines = []
    for share in (0, 0.5, 1):
        y = bottom - share * (bottom - TOP)
        amount = f"${float(most) * share:,.0f}" if most >= 10 else f"${float(most) * share:,.2f}"
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="axis" x="{LEFT - 6}" y="{y + 4:.1f}">{amount}</text>')
    return "".join(lines)


def month(ahead: Forecast) -> str:
    """The month so far, what is expected, and the interval."""
    top = max(one for one in (ahead.expected, ahead.high, ahead.so_far) if one is not None) or Decimal(1)
    width = WIDTH - 20

    def x(amount: Decimal) -> float:
        return 10 + float(amount / top) * width

    parts = [
        f'<rect class="rail" x="10" y="26" width="{width}" height="18"/>',
        f'<rect class="past" x="10" y="26" width="{x(ahead.expected) - 10:.1f}" height="18"/>',
        f'<rect class="now" x="10" y="26" width="{x(ahead.so_far) - 10:.1f}" height="18"/>',
    ]
    words = f"{usd(ahead.so_far)} so far, {usd(ahead.expected)} expected"
    if ahead.low is not None and ahead.high is not None:
        low, high = x(ahead.low), x(ahead.high)
        parts.append(f'<path class="range" d="M{low:.1f} 20V50M{high:.1f} 20V50M{low:.1f} 35H{high:.1f}"/>')
        words += f", between {usd(ahead.low)} and {usd(ahead.high)}"
    return _svg(words, "".join(parts), height=64).replace("<svg", '<svg class="fit"', 1)


def waterfall(reasons: Reasons) -> str:
    """From last week's spend to this week's, a step a reason."""
    steps = [("before", reasons.before), *reasons.parts.items(), ("now", reasons.now)]
    levels, level = [Decimal(0), reasons.before], reasons.before
    for amount in reasons.parts.values():
        level += amount
        levels.append(level)
    least, most = min(levels), max(levels) or Decimal(1)
    height, scale = HEIGHT - 60, float(most - least) or 1.0
    width = WIDTH / len(steps)

    def y(amount: Decimal) -> float:
        return 30 + (1 - float(amount - least) / scale) * height

    bars, start = [], Decimal(0)
    for number, (name, amount) in enumerate(steps):
        whole = name in ("before", "now")
        low, high = (Decimal(0), amount) if whole else sorted((start, start + amount))
        kind = "past" if whole else "up" if amount >= 0 else "down"
        x = number * width
        sign = "" if whole or amount < 0 else "+"
        bars.append(
            f'<rect class="{kind}" x="{x + 8:.1f}" y="{y(high):.1f}" width="{width - 16:.1f}" '
            f'height="{max(y(low) - y(high), 1):.1f}"/>'
            f'<text class="mid" x="{x + width / 2:.1f}" y="{y(high) - 5:.1f}">{sign}{usd(amount)}</text>'
            f'<text class="mid" x="{x + width / 2:.1f}" y="{HEIGHT - 8}">{name}</text>'
        )
        start = amount if whole else start + amount
    words = ", ".join(f"{name} {usd(amount)}" for name, amount in steps)
    return _svg(words, "".join(bars))


def spark(weeks: Sequence[Decimal]) -> str:
    """Four weeks as a line, the oldest first."""
    points = list(reversed(weeks))
    most = max(points) or Decimal(1)
    places = [(4 + number * 24, 22 - float(one / most) * 18) for number, one in enumerate(points)]
    path = "".join(
        f'<line class="line" x1="{ax}" y1="{ay:.1f}" x2="{bx}" y2="{by:.1f}"/>'
        for (ax, ay), (bx, by) in pairwise(places)
    )
    words = ", ".join(usd(one) for one in points)
    return f'<svg class="spark" viewBox="0 0 80 26" role="img"><title>{escape(words)}</title>{path}</svg>'


def _svg(words: str, body: str, height: int = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words)}">{body}</svg>'
