"""Which picture an incident has: pure, from the events that its row in the ledger holds.

By the incident's newest event of a kind that has a picture; None where there is nothing to draw:

| events | picture |
|---|---|
| Runaway Suspected, Confirmed, Ended, Key Disabled, Disable Withheld, of a runaway | spend by minute (`runaways`) |
| Runaway Suspected, rule `leak` | days against the habit (`spending`) |
| Budget Threshold Reached | what was spent, or credits left, and when it ends (`spending`) |
| Drain Blocked | who still pays with the replaced key (`spending`) |
| Credits Leak Suspected, Ended | credits spent beyond the habit (`spending`) |
"""

from collections.abc import Sequence

from governor.events import DetailType, Event
from governor.events.byok_evidence import CreditsLeak
from governor.events.evidence import BudgetReached, Drain, Runaway, RunawayRule
from incident_picture import runaways, spending
from incident_picture.plot import Plot

_RUNAWAY = frozenset({DetailType.RUNAWAY_SUSPECTED, DetailType.RUNAWAY_CONFIRMED, DetailType.RUNAWAY_ENDED})
_LEAK = frozenset({DetailType.CREDITS_LEAK_SUSPECTED, DetailType.CREDITS_LEAK_ENDED})


def decide(events: Sequence[Event]) -> Plot | None:
    """The picture, of an incident's events in the order in which they happened. Raises `BadEvent`."""
    for event in reversed(events):
        kind = event.detail_type
        if kind in _RUNAWAY:
            if Runaway.of(event).rule is RunawayRule.LEAK:
                return spending.leak(event, Runaway.of(event))
            return runaways.runaway(events)
        if kind is DetailType.BUDGET_THRESHOLD_REACHED:
            reached = [(one, BudgetReached.of(one)) for one in events if one.detail_type is kind]
            return spending.credits(reached) if reached[-1][1].credits else spending.budget(reached)
        if kind is DetailType.DRAIN_BLOCKED:
            return spending.drain(event, Drain.of(event))
        if kind in _LEAK:
            return spending.credits_leak([(one, CreditsLeak.of(one)) for one in events if one.detail_type in _LEAK])
    return None
