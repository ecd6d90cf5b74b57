"""What people read about the account's credits: what is left, how long that lasts, who spends it."""

from datetime import timedelta

from governor.events.credits_evidence import CreditsLeft
from governor.events.evidence import BudgetReached
from governor.slack.channel import escape
from notifier.case import Case
from notifier.phrases import cents, money, span
from notifier.words import RED, YELLOW, Words

URGENT_HOURS = 4
_NAMED = 5


def low(case: Case, evidence: BudgetReached, credits: CreditsLeft) -> Words:
    """The words for thresholds of `account.credits` that were reached."""
    gone = credits.left_usd <= 0
    hours = [one for one in (credits.hours_at_present, credits.hours_at_usual) if one is not None]
    urgent = gone or min(hours, default=URGENT_HOURS + 1) <= URGENT_HOURS
    lasts = _lasts(credits)
    if gone:
        said = "The account's credits are used up. OpenRouter refuses paid requests of every workload with 402."
    else:
        said = f"The account has {cents(credits.left_usd)} of credits left. {lasts}"
    automatic = _automatic(credits)
    reached = [cents(usd) for usd in credits.reached_usd] + [f"{hour:g} h" for hour in credits.reached_hours]
    spenders = ", ".join(f"{escape(name)} {money(usd)}" for name, usd in credits.top_spenders[:_NAMED])
    facts = (
        *([f"*Largest spenders of the last hour:* {spenders}"] if spenders else []),
        f"*Thresholds reached:* {', '.join(reached)}",
        *([automatic] if automatic else []),
        f"*Bought in all:* {cents(evidence.limit_usd)}, *used:* {cents(evidence.spent_usd)}",
    )
    todo = "Buy credits at OpenRouter (Settings, Credits), or slow the largest spenders."
    if automatic:
        todo = "Check the automatic top-up and its card at OpenRouter (Settings, Credits), and buy credits by hand."
    return Words(f"{'🔴' if urgent else '🟡'} {said}", RED if urgent else YELLOW, facts, todo)


def _lasts(credits: CreditsLeft) -> str:
    """How long the rest lasts, at each rate that is known."""
    said = [
        f"{span(timedelta(hours=hours))} at {name} {money(rate)}/h"
        for name, rate, hours in (
            ("the present", credits.present_usd_per_hour, credits.hours_at_present),
            ("the usual", credits.usual_usd_per_hour, credits.hours_at_usual),
        )
        if rate is not None and hours is not None
    ]
    return f"They last {', '.join(said)}." if said else "How long they last is not known: too little was spent lately."


def _automatic(credits: CreditsLeft) -> str:
    if credits.auto_top_up_usd is None or credits.auto_top_up_at_usd is None:
        return ""
    return (
        f"*Automatic top-up:* {cents(credits.auto_top_up_usd)} came three times in a row, at "
        f"{cents(credits.auto_top_up_at_usd)} or more. It has not come this time."
    )
