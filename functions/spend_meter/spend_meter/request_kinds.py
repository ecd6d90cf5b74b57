"""What kind of requests a suspected spend is made of, from OpenRouter's analytics: for the message, and for no verdict.

Two questions a suspicion: its window, and the fortnight before it. Analytics may be late, cut short or unavailable:
then the message stays as it is. A disable never waits for it: in a run that confirms a runaway nothing is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from governor.clock import parse_instant
from governor.events import DetailType, Event
from governor.events.evidence import RequestKinds
from management_api import (
    AnalyticsFilter,
    AnalyticsOrder,
    AnalyticsQuery,
    Deadline,
    Dimension,
    Metric,
    OpenRouter,
    OpenRouterError,
    TimeRange,
    number,
)

type Kinds = Mapping[tuple[str, str], tuple[float, float]]
"""Model and app to USD and requests."""

ASKED_PER_BEAT = 3
"""Suspicions explained in one run: six questions of the vendor's 64 a minute, beside ten of `baselines`."""
SECONDS = 5.0
"""For all questions of a run: what is told must not be late for them."""
BEFORE = timedelta(days=14)
ROWS = 100
NEW = 0.1
"""The share of the window's spend from which a new model or app is named."""
NAMED = 3
SEEN = 0.5
"""The share of the metered spend that analytics must show: what it does not show yet could be anything."""


def to_explain(outbox: Sequence[Event]) -> list[Event]:
    """The suspicions about which analytics is asked before they are told; none while a runaway is confirmed."""
    if any(event.detail_type is DetailType.RUNAWAY_CONFIRMED for event in outbox):
        return []
    suspected = [event for event in outbox if event.detail_type is DetailType.RUNAWAY_SUSPECTED]
    return [event for event in suspected if event.evidence["keys"]][:ASKED_PER_BEAT]


def explain(client: OpenRouter, events: Sequence[Event], seconds_left: Callable[[], float]) -> dict[str, RequestKinds]:
    """What analytics says, by the event's id; nothing of those for which it gives no whole answer in time."""
    end = seconds_left() - SECONDS
    hurried = client.within(Deadline(lambda: seconds_left() - end))
    found: dict[str, RequestKinds] = {}
    for event in events:
        now = parse_instant(event.evidence["observed_at"])
        since = now - timedelta(minutes=event.evidence["window_minutes"])
        hashes = [key["hash"] for key in event.evidence["keys"]]
        try:
            present = _kinds(hurried, hashes, since, now)
            usual = _kinds(hurried, hashes, since - BEFORE, since)
        except (OpenRouterError, KeyError, ValueError, TypeError):
            break  # a question that fails or is refused is not put again for the next: others ask, too
        kinds = compare(present, usual, event.evidence["spent_usd"], event.evidence["window_minutes"])
        if kinds:
            found[event.id] = kinds
    return found


def compare(present: Kinds | None, usual: Kinds | None, spent_usd: float, minutes: float) -> RequestKinds | None:
    """The window's requests beside those of the fortnight before. None where either is not known whole. Pure."""
    if present is None or usual is None:
        return None
    usd, requests = _sums(present)
    if requests <= 0 or usd < SEEN * spent_usd:
        return None
    usual_usd, usual_requests = _sums(usual)
    return RequestKinds(
        requests_per_minute=round(requests / minutes, 3),
        usual_requests_per_minute=round(usual_requests / (BEFORE / timedelta(minutes=1)), 3),
        usd_per_request=round(usd / requests, 6),
        usual_usd_per_request=round(usual_usd / usual_requests, 6) if usual_requests else None,
        new_models=_new(present, usual, 0) if usual_requests else [],
        new_apps=_new(present, usual, 1) if usual_requests else [],
    )


def _sums(kinds: Kinds) -> tuple[float, float]:
    return sum(usd for usd, _ in kinds.values()), sum(requests for _, requests in kinds.values())


def _new(present: Kinds, usual: Kinds, part: int) -> list[tuple[str, float]]:
    """Models (part 0) or apps (1) that were not used before, with their USD, the dearest first."""
    known = {kind[part] for kind in usual}
    spent: dict[str, float] = {}
    for kind, (usd, _) in present.items():
        if kind[part] not in known:
            spent[kind[part]] = spent.get(kind[part], 0.0) + usd
    least = NEW * _sums(present)[0]
    dearest = sorted(((name, usd) for name, usd in spent.items() if usd >= least), key=lambda one: -one[1])
    return [(name, round(usd, 6)) for name, usd in dearest[:NAMED]]


def _kinds(client: OpenRouter, hashes: Sequence[str], since: datetime, until: datetime) -> Kinds | None:
    answer = client.analytics.query(
        AnalyticsQuery(
            metrics=[Metric.TOTAL_USAGE, Metric.REQUEST_COUNT],
            dimensions=[Dimension.MODEL, Dimension.APP],
            filters=[AnalyticsFilter(field=Dimension.API_KEY, operator="in", value=list(hashes))],
            time_range=TimeRange(start=since, end=until),
            order_by=AnalyticsOrder(field=Metric.TOTAL_USAGE, direction="desc"),
            limit=ROWS,
        )
    )
    if not answer.is_whole:
        return None
    kinds: dict[tuple[str, str], tuple[float, float]] = {}
    for row in answer.rows:
        kind = str(row[Dimension.MODEL] or "unknown"), str(row[Dimension.APP] or "unknown")
        usd, requests = kinds.get(kind, (0.0, 0.0))
        more = number(row[Metric.TOTAL_USAGE]) or 0.0, number(row[Metric.REQUEST_COUNT]) or 0.0
        kinds[kind] = usd + more[0], requests + more[1]
    return kinds
