"""The time, as a port: code that needs `now` is handed a `Clock`, so tests and replays choose the moment."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Clock = Callable[[], datetime]
"""Returns the present moment as an aware datetime in UTC."""


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset, as an aware datetime in UTC.

    Raises `ValueError` when the text is not an instant or bears no offset: a local time has no meaning here.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"instant without an offset: {text!r}; end it in Z or +00:00")
    return moment.astimezone(UTC)


def format_instant(moment: datetime) -> str:
    """An aware datetime as ISO 8601 in UTC, whole seconds, ending in `Z` (EventBridge's own form)."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def seconds_left(context: Any, keep: float = 0.0) -> Callable[[], float]:
    """The seconds that Lambda's `context` still gives this invocation, less `keep`; asked again at each call."""
    return lambda: int(context.get_remaining_time_in_millis()) / 1000 - keep
