"""What Governor did in the week, what that saved, and who decided: from its own records. Pure.

The records are the events that each function stored before it published them (`governor.events.published`) and the
table of decisions; no event's word about a person is shown, only what the votes say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from account_review.costs import NOUGHT, cents
from governor.clock import parse_instant
from governor.events import DetailType, Event
from governor.events.evidence import Disable

WEEK = timedelta(days=7)
MONTH_DAYS = Decimal("30.44")


@dataclass(frozen=True)
class Decided:
    """One vote. `what`: the kind of request and its subject."""

    by: str
    verdict: str
    what: str
    at: datetime


@dataclass(frozen=True)
class Deeds:
    """Seven days. `saved`: USD that runaways which were disabled would have cost until 08:00 UTC, had they gone on at
    their rate; `cost`: this stack's own, USD, None where the policy does not say."""

    counts: Mapping[str, int] = field(default_factory=dict)
    saved: Decimal = NOUGHT
    stopped: Sequence[str] = ()
    cost: Decimal | None = None
    decided: Sequence[Decided] = ()


def deeds(
    events: Iterable[Event],
    requests: Mapping[str, Mapping[str, Any]],
    decisions: Mapping[str, Mapping[str, Any]],
    now: datetime,
    usd_per_month: float | None,
) -> Deeds:
    """`requests`, `decisions`: the rows' data by the request's id."""
    first = now - WEEK
    recent = [one for one in events if first <= one.occurred_at < now]
    saved, stopped = NOUGHT, []
    for event in recent:
        if event.detail_type == DetailType.KEY_DISABLED:
            evidence = Disable.of(event)
            if evidence.cause == "runaway" and evidence.by_morning_usd is not None:
                saved += Decimal(f"{evidence.by_morning_usd}")
                stopped.append(evidence.name)
    cost = None if usd_per_month is None else cents(Decimal(f"{usd_per_month}") * WEEK.days / MONTH_DAYS)
    counts = Counter(one.detail_type.value for one in recent)
    return Deeds(dict(sorted(counts.items())), cents(saved), stopped, cost, _votes(requests, decisions, first, now))


def _votes(
    requests: Mapping[str, Mapping[str, Any]],
    decisions: Mapping[str, Mapping[str, Any]],
    first: datetime,
    now: datetime,
) -> list[Decided]:
    found = []
    for id, decision in decisions.items():
        request = requests.get(id, {})
        what = f"{request.get('kind', 'a request')} of {request.get('name') or request.get('subject') or id}"
        for vote in decision.get("votes", ()):
            at = parse_instant(vote["at"])
            if first <= at < now:
                found.append(Decided(str(vote["by"]), str(vote["verdict"]), what, at))
    return sorted(found, key=lambda one: (one.at, one.by))
