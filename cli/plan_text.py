"""The plan as a person reads it in a terminal: what waits for them first, and what it cannot know last."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from cli.account import Account, Gap
from cli.now import NEEDS_A_PERSON, Finding
from cli.output import counted, plain, row, table, usd
from cli.replay.outcome import Outcome, Stop, Summary
from cli.replay.replayed import Replayed
from cli.terraform_command import show
from cli.terraform_drift import Difference
from cli.terraform_owners import Owners
from spend_meter.periods import minute_of, starts_at

SHOWN = 20
"""Rows of one table that a person is shown; --json has them all."""
COVERED = 0.95
"""Share of what the counters show that the history must hold: the hour that is not over is not in it."""
RULES = {
    "disable": "disabled",
    "alert_mode": "dry run: would be disabled",
    "tier_zero": "tier 0: a person decides",
    "once_a_day": "not again on one day",
    "account_leash": "three in 15 minutes: stopped",
    "already_disabled": "disabled already",
}
TOTALS = {
    "budget_alerts": "budget alerts",
    "suspicions": "runaways suspected",
    "confirmed": "runaways confirmed",
    "disables": "disables",
    "withheld": "disables withheld",
    "lost_anyway_usd": "lost until the disables",
    "refused_usd": "refused by the disables",
    "spent_while_withheld_usd": "spent while withheld",
    "false_alarm_candidates": "false-alarm candidates",
}


@dataclass(frozen=True)
class Beside:
    """Terraform's state beside account and policy. `resources`: how many it has; `gaps`: what could not be compared."""

    resources: int
    differences: Sequence[Difference]
    gaps: Sequence[Gap]
    owners: Owners


@dataclass(frozen=True)
class Shown:
    """All that is shown. `knob`: what `changed` differs by from `past`. `beside`: None without `--terraform`."""

    policy: str
    account: Account
    findings: Sequence[Finding]
    past: Replayed | None
    knob: str
    changed: Replayed | None
    beside: Beside | None = None


def render(shown: Shown, console: Console) -> None:
    """The whole plan. Money in USD, times in UTC."""
    _now(shown, console)
    if shown.beside:
        _terraform(shown.beside, console)
    if shown.past:
        _past(shown.past, console)
    if shown.past and shown.changed:
        _side_by_side(shown.past.outcome, shown.changed.outcome, shown.knob, console)
    if shown.past:
        _cannot_know(shown.past, console)


def _now(shown: Shown, console: Console) -> None:
    waiting = [one for one in shown.findings if one.kind in NEEDS_A_PERSON]
    _say(f"NOW: what {shown.policy} would do to this account ({len(waiting)} wait for you)", console)
    for gap in shown.account.gaps:
        _say(f"Not read: {gap}", console)
    made = table("what", "whose", "")
    for one in shown.findings[: SHOWN * 2]:
        row(made, one.kind.replace("_", " "), one.subject, one.text)
    if shown.findings:
        console.print(made)
    _more(len(shown.findings) - SHOWN * 2, console)


def _terraform(beside: Beside, console: Console) -> None:
    found = counted(len(beside.differences), "difference")
    console.print(f"\nTERRAFORM: {counted(beside.resources, 'resource')}, {found} between its state and the account")
    show(beside.differences[: SHOWN * 2], console)
    _more(len(beside.differences) - SHOWN * 2, console)
    for gap in beside.gaps:
        _say(f"Not compared: {gap}", console)
    left = [counted(number, noun) for noun, number in beside.owners.counts().items()]
    if left:
        _say(f"Left to Terraform: {', '.join(left)}.", console)
    # Those that wait for a person come first.
    claimed = sorted(beside.owners.claimed, key=lambda one: not one.is_rotated)
    for one in claimed[:SHOWN]:
        if one.is_rotated:
            text = (
                f"Two owners: Terraform manages {one.key} ({one.address}), and {one.workload} would rotate it. "
                "Forget it in Terraform (a `removed` block), or leave `rotation` out (docs/terraform.md)."
            )
        else:
            text = f"Terraform manages {one.key} ({one.address}); {one.workload} watches it and never replaces it."
        _say(text, console)
    _more(len(claimed) - SHOWN, console)


def _past(past: Replayed, console: Console) -> None:
    played, outcome = past.played, past.outcome
    console.print(
        f"\nTHE PAST: {played.start:%Y-%m-%d %H:%M} to {played.end:%Y-%m-%d %H:%M} UTC, had this policy watched it"
    )
    if outcome.candidates:
        console.print("\nFalse-alarm candidates (nobody stopped these keys; was it meant?)")
        made = table("at", "whose", "spent", "rule", "why it may be")
        for one in outcome.candidates[:SHOWN]:
            row(made, _at(one), one.name, usd(one.lost_usd), one.why, one.candidate)
        console.print(made)
        _more(len(outcome.candidates) - SHOWN, console)
    if outcome.stops:
        console.print("\nDecisions to disable")
        made = table("at", "whose", "decision", "lost", "then", numbers=("lost", "then"))
        for one in outcome.stops[:SHOWN]:
            row(made, _at(one), one.name, _decision(one), usd(one.lost_usd), usd(one.after_usd))
        console.print(made)
        _more(len(outcome.stops) - SHOWN, console)
        _say(
            "lost: spent from the start until the decision. then: what the keys spent from the decision until somebody "
            "looks at 08:00 UTC: refused where keys are disabled, spent where they are not.",
            console,
        )
    news = [one for one in outcome.summaries if one.is_news]
    if news:
        console.print("\nBy workload, and key that no workload claims")
        _summaries(news, console)
    _worst_days(outcome.summaries, console)
    quiet = len(outcome.summaries) - len(news)
    console.print(f"{quiet} of {len(outcome.summaries)} would have had no alert, no suspicion and no disable.")
    if outcome.others:
        console.print("\nBudgets of workspaces and members")
        made = table("at", "")
        for event in outcome.others[:SHOWN]:
            row(made, f"{event.occurred_at:%m-%d %H:%M}", event.reason)
        console.print(made)
        _more(len(outcome.others) - SHOWN, console)


def _summaries(summaries: Sequence[Summary], console: Console) -> None:
    numbers = ("spent", "alerts", "susp.", "conf.", "off", "held")
    made = table("whose", "tier, mode", *numbers, numbers=numbers)
    for one in summaries[: SHOWN * 2]:
        disables = len(one.disables)
        counts = (one.alerts, one.suspicions, one.confirmed, disables, len(one.stops) - disables)
        tier = one.mode if one.tier is None else f"{one.tier}, {one.mode}"
        row(made, one.name, tier, usd(one.spent_usd), *counts)
    console.print(made)
    _more(len(summaries) - SHOWN * 2, console)


def _worst_days(summaries: Sequence[Summary], console: Console) -> None:
    """What a cap is for: the bound on a day, whoever is asleep."""
    capped = [one for one in summaries if one.capped_usd is not None and one.worst_usd > 0]
    if not capped:
        return
    console.print("\nThe dearest day, without and with the policy's cap")
    made = table("whose", "day", "as it was", "capped", numbers=("as it was", "capped"))
    for one in sorted(capped, key=lambda one: -one.worst_usd)[:SHOWN]:
        row(made, one.name, f"{one.worst_day:%m-%d}", usd(one.worst_usd), usd(one.capped_usd))
    console.print(made)
    _more(len(capped) - SHOWN, console)


def _side_by_side(ours: Outcome, other: Outcome, knob: str, console: Console) -> None:
    console.print(f"\nWHAT IF {knob}")
    made = table("", "as it is", knob, numbers=("as it is", knob))
    before, after = ours.totals(), other.totals()
    for name, label in TOTALS.items():
        shown = usd if name.endswith("_usd") else lambda value: f"{value:.0f}"
        row(made, label, shown(before[name]), shown(after[name]))
    console.print(made)
    known = {(one.subject, one.at, one.rule) for one in ours.stops}
    for one in [one for one in other.stops if (one.subject, one.at, one.rule) not in known][:SHOWN]:
        _say(f"only with it: {_at(one)} {one.name}: {_decision(one)}, then {usd(one.after_usd)}", console)
    there = {(one.subject, one.at, one.rule) for one in other.stops}
    for one in [one for one in ours.stops if (one.subject, one.at, one.rule) not in there][:SHOWN]:
        _say(f"no more: {_at(one)} {one.name}: {_decision(one)}, then {usd(one.after_usd)}", console)


def _cannot_know(past: Replayed, console: Console) -> None:
    for line in cautions(past):
        _say(f"- {line}", console)


def cautions(past: Replayed) -> list[str]:
    """What this plan rests on, and what it cannot know (docs/plan.md)."""
    fetched = past.fetched
    lines = [
        f"Made of {fetched.rows:,} rows, for which OpenRouter was asked {fetched.queries} times; the rest was kept."
    ]
    if fetched.by_hour:
        lines.append(
            f"Of the hours in which minutes matter, {fetched.by_minute:,} are known by the minute and "
            f"{fetched.by_hour:,} by the hour only. Spend of an hour is spread evenly: its decisions may be an hour "
            "off, and a burst within it is not seen."
        )
    elif fetched.by_minute:
        lines.append(f"All {fetched.by_minute:,} hours in which minutes matter are known by the minute.")
    counted, told = _this_month(past)
    if told < COVERED * counted:
        lines.append(
            f"Analytics tells {usd(told)} of the {usd(counted)} that the keys' counters show this month: the past is "
            "not whole, and the plan is too low."
        )
    gone = sum(fetched.history.elsewhere.values())
    if gone >= 0.01:
        lines.append(f"{usd(gone)} were spent by keys that are gone or could not be read, and are judged with nobody.")
    lines.append(
        "Limits, guardrails and names are today's. Requests that OpenRouter refused then are not in the past. People "
        "are supposed to give a disabled key back at 08:00 UTC; Expected is never pressed. Credits are left out."
    )
    return [*lines, *fetched.notes]


def _this_month(past: Replayed) -> tuple[float, float]:
    """USD of this month by the keys' own counters, and by the history, which ends with the last whole hour."""
    history, end = past.fetched.history, minute_of(past.played.end)
    month = starts_at("monthly", past.played.end)
    keys = [key for keys in past.played.keys.values() for key in keys]
    counted = sum(key.usage_monthly + key.byok_usage_monthly for key in keys)
    return counted, sum(sum(history.between(key.hash, minute_of(month), end)) for key in keys) if month else counted


def _decision(stop: Stop) -> str:
    told = RULES.get(stop.rule, stop.rule.replace("_", " "))
    return f"{told} ({stop.why})" + (f", told {stop.repeats + 1} times" if stop.repeats else "")


def _at(stop: Stop) -> str:
    return f"{stop.at:%m-%d %H:%M}"


def _say(text: str, console: Console) -> None:
    """A sentence: folded in a terminal, one line for whatever reads it elsewhere."""
    console.print(Text(plain(text)), soft_wrap=not console.is_terminal)


def _more(count: int, console: Console) -> None:
    if count > 0:
        console.print(f"and {count} more; --json has them all")
