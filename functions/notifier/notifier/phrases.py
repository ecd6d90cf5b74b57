"""Numbers, moments, names and links as people read them, in Slack's mrkdwn."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from governor.slack import text as slack_text
from governor.slack.text import escape

_BARS = "▁▂▃▄▅▆▇█"
KEYS_PAGE = "https://openrouter.ai/settings/keys"


def money(usd: float) -> str:
    """US dollars with the digits that matter: $4,980, $31, $2.40, $0.042."""
    if usd < 0:
        return f"-{money(-usd)}"
    if usd >= 20:
        return f"${usd:,.0f}"
    if usd >= 0.1 or usd == 0:
        return cents(usd)
    return f"${usd:.2g}" if usd >= 0.001 else "less than $0.001"


def cents(usd: float) -> str:
    """US dollars to the cent, whole dollars without: $160, $199.60."""
    return f"${usd:,.2f}".removesuffix(".00")


def share(part: float) -> str:
    """A share of a limit: 80 %, 101 %."""
    return f"{part * 100:.0f} %"


def span(duration: timedelta) -> str:
    """A duration in its two largest units: 40 s, 5 min, 3 h 20 min, 2 d 4 h."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def utc(moment: datetime) -> str:
    """A moment in UTC: 21 Nov 08:03 UTC."""
    return f"{moment.astimezone(UTC):%-d %b %H:%M} UTC"


def local(moment: datetime) -> str:
    """A moment that Slack shows in each reader's own time zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{utc(moment)}>"


def sparkline(values: Sequence[float]) -> str:
    """One bar per value, scaled to the largest; a value above zero is never shown as the empty bar."""
    top = max(values, default=0)
    if top <= 0:
        return _BARS[0] * len(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[min(steps, max(1, round(value / top * steps)))] if value > 0 else _BARS[0] for value in values)


def plain(name: str) -> str:
    """A name for Slack's plain text, cut where it is long: a question of 300 characters must keep its end."""
    return slack_text.clip(slack_text.plain(name), 48)


def names(given: Iterable[str]) -> str:
    """Names for Slack's plain text, one after the other."""
    return ", ".join(map(plain, given))


def mention(users: Sequence[str]) -> str:
    """Slack users by id: U0LEAD or U0SEC, each notified."""
    return " or ".join(map(slack_text.mention, users))


def person(by: str) -> str:
    """Whoever it was: a Slack user by id, notified, or what else an event names."""
    return slack_text.mention(by)


def key_link(key_hash: str, name: str) -> str:
    """A key by name and hash prefix, linked to its page at OpenRouter.

    The path is the one in OpenRouter's own "Key limit exceeded ... Manage it using" answers; whether it opens keys of
    other workspaces than the default one is unverified, so `KEYS_PAGE` always stands beside it.
    """
    return f"<https://openrouter.ai/workspaces/default/keys/{key_hash}|{escape(name)}> ({key_hash[:8]}…)"
