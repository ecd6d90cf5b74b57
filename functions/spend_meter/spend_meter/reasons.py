"""What people read of a verdict: one sentence, with the rule's own numbers. Pure."""

from governor.events.evidence import RunawayRule as Rule
from spend_meter.history import History


def reason_of(rule: Rule, history: History, window: int, rate_usd_per_hour: float) -> str:
    """Why the window's spend is an excess by this rule, and what burns now."""
    span = f"{window} minutes" if window < 60 else "an hour" if window == 60 else f"{window // 60} hours"
    spent, (largest, second) = history.spent(window), history.maxima(window)
    said = f"Spent ${spent:,.2f} in {span}, {_beside(rule, history, window, spent, largest, second)}"
    return f"{said}; now burning ${rate_usd_per_hour:,.2f} an hour."


def _beside(rule: Rule, history: History, window: int, spent: float, largest: float, second: float) -> str:
    match rule:
        case Rule.HOURS:
            usual = history.usual(window)
            return f"at hours that usually bring ${usual:,.2f} at most (${largest:,.2f} on its largest day)"
        case Rule.ON_END:
            return f"without a pause, as it never burned before (${largest:,.2f} on its largest day)"
        case Rule.MONTH:
            return f"more than its largest days of four weeks together, ${history.month():,.2f}"
        case Rule.ALLOWANCE:
            beside = f"{spent / second:,.1f} times its habit of ${second:,.2f}" if second else "which is no habit of it"
            return f"{beside}, and has used up its allowance, so that OpenRouter refuses its requests"
        case Rule.NEW:
            return "by a key that is less than a day old"
        case _ if second:
            return f"{spent / second:,.1f} times its habit of ${second:,.2f}"
        case _:
            return "and it has no such habit"
