"""How long the account's credits last: in dollars, and in hours at the present and at the usual rate. Pure.

Each threshold is told once and armed again by a top-up. `GET /credits` gives two lifetime sums, what was bought and
what was used; both only grow, except for refunds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from governor.events import DetailType, Event, event_id
from governor.events.credits_evidence import CreditsLeft
from governor.events.evidence import BudgetReached
from spend_meter.periods import moment_of

if TYPE_CHECKING:
    from governor.policy import Credits as Rules
    from management_api import Credits

CENT = 0.01
PRESENT = 60
"""Minutes over which the present rate is measured."""
SHORTEST = 15
"""Minutes of readings without which no rate is known: one lump in a minute is no rate."""
USUAL = 7 * 24 * 60
"""Minutes over which the usual rate is measured."""
USUAL_AFTER = 6 * 60
"""Minutes of readings without which no usual rate is known."""
SAMPLE_EVERY = 5
COARSE = 6 * 60
"""Minutes between readings kept that are older than the present."""
EQUAL_STEPS = 3
"""So many purchases of one amount in a row are an automatic top-up: two may be a person's."""
OVERDUE = 0.5
"""Share of the balance at which top-ups came, below which one that does not come has failed."""
HOURS_KNOWN = 24.0 * 366
TOP_SPENDERS = 5


@dataclass(frozen=True)
class Purse:
    """What is remembered of the credits. Money in USD, minutes since 1970.

    `told`: the thresholds told or passed since the last top-up, as `usd:500`, `present:24` or `usual:24` (hours at that
    rate). `top_ups`: how many were seen. `steps`: the last purchases as (USD, lowest balance before it). `lowest`:
    balance since the last top-up. `samples`: (minute, used). `rising`: the last reading showed a top-up that is
    believed only when the next one shows it too.
    """

    bought: float
    used: float
    lowest: float
    told: tuple[str, ...] = ()
    top_ups: int = 0
    steps: tuple[tuple[float, float], ...] = ()
    samples: tuple[tuple[int, float], ...] = ()
    rising: bool = False

    @property
    def left(self) -> float:
        return self.bought - self.used

    @property
    def automatic(self) -> tuple[float, float] | None:
        """Of an automatic top-up, its amount and the lowest balance at which it came; None without one."""
        amounts = [usd for usd, _ in self.steps]
        if len(amounts) < EQUAL_STEPS or max(amounts) - min(amounts) > CENT:
            return None
        return amounts[-1], min(lowest for _, lowest in self.steps)


def judge_credits(
    credits: "Credits | None",
    before: Purse | None,
    rules: "Rules",
    minute: int,
    spenders: Callable[[], Sequence[tuple[str, float]]],
) -> tuple[Purse | None, Event | None]:
    """What to remember of the credits from now on, and the message that is due.

    `spenders`: name and USD of the last hour, greatest first; asked only for a message. An account that has bought
    nothing is not judged: it has only its own provider keys. Two zeros from one that has bought are no answer.
    """
    if credits is None or credits.total_credits <= 0:
        return before, None
    bought, used = credits.total_credits, credits.total_usage
    left = bought - used
    passed: tuple[str, ...] = ()
    if before is None:
        purse = Purse(bought, used, left)
    elif bought > before.bought + CENT or left > before.left + CENT:
        if not before.rising:
            return replace(before, rising=True), None
        purse = _topped_up(before, bought, used)
        # A threshold that the top-up does not reach was told before it, and nobody can act on it anew.
        passed = tuple(f"usd:{usd:g}" for usd in rules.alert_at_usd if left <= usd + CENT)
    else:
        purse = replace(before, bought=bought, used=used, lowest=min(before.lowest, left), rising=False)
    purse = replace(purse, told=(*purse.told, *passed), samples=_sampled(purse.samples, minute, used))
    present, usual = _rate(purse, minute, PRESENT, SHORTEST), _rate(purse, minute, USUAL, USUAL_AFTER)
    due = [one for one in _reached(purse, rules, present, usual) if one not in purse.told]
    if not due:
        return purse, None
    event = _event(purse, due, present, usual, minute, spenders()[:TOP_SPENDERS])
    return replace(purse, told=(*purse.told, *due)), event


def _topped_up(before: Purse, bought: float, used: float) -> Purse:
    step = bought - before.bought
    steps = (*before.steps, (step, before.lowest))[-EQUAL_STEPS:] if step > CENT else before.steps
    # Usage that shrank is a refund or a correction: rates from before it would be too low.
    samples = before.samples if used >= before.used - CENT else ()
    return Purse(bought, used, bought - used, (), before.top_ups + 1, steps, samples)


def _sampled(samples: Sequence[tuple[int, float]], minute: int, used: float) -> tuple[tuple[int, float], ...]:
    """One reading each few minutes of the last hour, and one each few hours of the last week."""
    kept: list[tuple[int, float]] = []
    for when, usd in samples:
        if when < minute - USUAL:
            continue
        old = when < minute - PRESENT - SAMPLE_EVERY
        if not old or not kept or when // COARSE != kept[-1][0] // COARSE:
            kept.append((when, usd))
    if not kept or minute >= kept[-1][0] + SAMPLE_EVERY:
        kept.append((minute, used))
    return tuple(kept)


def _rate(purse: Purse, minute: int, window: int, shortest: int) -> float | None:
    """USD an hour over the window; None while too little was read. A gap in the readings widens the window."""
    earlier = [sample for sample in purse.samples if sample[0] <= minute - shortest]
    if not earlier:
        return None
    when, usd = next((sample for sample in earlier if sample[0] >= minute - window), earlier[-1])
    return max(0.0, purse.used - usd) / (minute - when) * 60


def _hours(left: float, rate: float | None) -> float | None:
    """None: not known, or longer than a year."""
    if not rate or left / rate > HOURS_KNOWN:
        return None
    return max(0.0, left / rate)


def _reached(purse: Purse, rules: "Rules", present: float | None, usual: float | None) -> list[str]:
    """All thresholds that the balance is at or under.

    Of an account that tops itself up only those that it does not pass each time. Its hours say nothing, unless the
    top-up did not come.
    """
    reached = [usd for usd in rules.alert_at_usd if purse.left <= usd + CENT / 2]
    automatic = purse.automatic
    if automatic and purse.left > automatic[1] * OVERDUE:
        return [f"usd:{usd:g}" for usd in reached if usd < automatic[1]]
    return [f"usd:{usd:g}" for usd in reached] + [
        f"{name}:{limit:g}"
        for name, rate in (("present", present), ("usual", usual))
        for limit in rules.alert_at_hours
        if (hours := _hours(purse.left, rate)) is not None and 0 < hours <= limit
    ]


def _event(
    purse: Purse,
    due: Sequence[str],
    present: float | None,
    usual: float | None,
    minute: int,
    spenders: Sequence[tuple[str, float]],
) -> Event:
    now = moment_of(minute)
    split = [one.partition(":") for one in due]
    automatic = purse.automatic
    at_present, at_usual = _hours(purse.left, present), _hours(purse.left, usual)
    evidence = BudgetReached(
        scope="credits",
        scope_id="account",
        scope_name="credits",
        period="lifetime",
        threshold=round(purse.used / purse.bought, 6),
        spent_usd=round(purse.used, 6),
        limit_usd=purse.bought,
        rate_usd_per_hour=None if present is None else round(present, 6),
        credits=CreditsLeft(
            left_usd=round(purse.left, 6),
            reached_usd=sorted({float(n) for kind, _, n in split if kind == "usd"}, reverse=True),
            reached_hours=sorted({float(n) for kind, _, n in split if kind != "usd"}, reverse=True),
            present_usd_per_hour=None if present is None else round(present, 6),
            usual_usd_per_hour=None if usual is None else round(usual, 6),
            hours_at_present=None if at_present is None else round(at_present, 2),
            hours_at_usual=None if at_usual is None else round(at_usual, 2),
            auto_top_up_usd=automatic[0] if automatic else None,
            auto_top_up_at_usd=automatic[1] if automatic else None,
            top_ups=purse.top_ups,
            top_spenders=[(name, round(usd, 6)) for name, usd in spenders],
        ),
    )
    id = event_id(DetailType.BUDGET_THRESHOLD_REACHED, "credits", purse.bought, purse.top_ups, *due)
    reason = f"${purse.left:,.2f} of the account's credits are left (${purse.bought:,.2f} were bought in all)."
    return Event(DetailType.BUDGET_THRESHOLD_REACHED, id, "account", now, reason, evidence.model_dump(mode="json"))
