"""What people read of runaways, of leaks, and of many keys that run away together."""

from datetime import timedelta
from typing import cast

from governor.events.evidence import RequestKinds, Runaway, RunawayRule
from governor.slack.channel import Button, escape
from notifier import buttons
from notifier.case import Case
from notifier.phrases import money, span, utc
from notifier.words import GREEN, ORANGE, RED, YELLOW, Words


def suspected(case: Case) -> Words:
    evidence = cast(Runaway, case.evidence)
    if evidence.scope != "keys":
        return _fleet(case, evidence)
    if evidence.rule is RunawayRule.LEAK:
        return _leak(case, evidence)
    then = (
        "Governor disables its key once this is confirmed."
        if case.governor_disables("runaway")
        else f"Governor will not disable its key: {case.restraint}."
    )
    headline = f"🟠 {case.who} may be running away: {_pace(case, evidence)}. {then}{case.owner}"
    todo = "Is this meant? Then click *Expected* under the thread's first message. If not, stop whatever is calling."
    return Words(headline, ORANGE, _spend(case, evidence), todo, choice(case))


def _fleet(case: Case, evidence: Runaway) -> Words:
    """A workspace or the account: many keys together."""
    headline = (
        f"🟠 The keys of {case.who} may be running away together: {_pace(case, evidence)}. No single key makes up most "
        f"of it, and Governor disables none. {case.approvers}, please look."
    )
    largest = tuple(
        f"• {escape(one.name)}: {money(one.spent_usd)} (usually {money(one.usual_usd)})"
        for one in evidence.contributors
    )
    todo = (
        "Look for what the keys below have in common: a loop that takes turns, a model or client that was changed "
        "everywhere. What must stop, disable with `/governor disable <workload>`."
    )
    return Words(headline, ORANGE, (*_spend(case, evidence), *largest), todo)


def _leak(case: Case, evidence: Runaway) -> Words:
    """Two to three times the habit, for days."""
    spent, usual = evidence.spent_usd, evidence.baseline_usd
    times = f"{spent / usual:,.1f}× its habit, " if usual else ""
    headline = (
        f"🟡 {case.who} spends more than it used to: {money(spent)} in {evidence.window_minutes // 1440} days, {times}"
        f"{money(spent - usual)} more than usual. Governor disables nothing for this.{case.owner}"
    )
    todo = (
        "Is this meant? Then click *Expected* under the thread's first message. If not, look for retries, longer "
        "prompts or a dearer model."
    )
    facts = (*_requests(evidence.requests), *case.keys(evidence.keys), *case.why)
    return Words(headline, YELLOW, facts, todo, choice(case))


def confirmed(case: Case) -> Words:
    evidence = cast(Runaway, case.evidence)
    running = f"🔴 {case.who} is running away: {_pace(case, evidence)}."
    if case.governor_disables("runaway"):
        headline = f"{running} Governor is disabling its key now.{case.owner}"
        return Words(
            headline, RED, _spend(case, evidence), "Nothing yet: what became of the key follows in this thread."
        )
    headline = f"{running} Its key still works: {case.restraint}. {case.approvers} must decide.{case.owner}"
    todo = "Stop whatever is calling, or click *Disable key* under the thread's first message."
    return Words(headline, RED, _spend(case, evidence), todo, choice(case))


def ended(case: Case) -> Words:
    evidence = cast(Runaway, case.evidence)
    burned = f" It burned {case.burning}." if case.figures.rate is not None else ""
    if evidence.scope != "keys":
        return Words(f"🟢 The keys of {case.who} have calmed down together.{burned}{case.lost}", GREEN, case.why)
    if evidence.rule is RunawayRule.LEAK:
        return Words(f"🟢 {case.who} no longer spends more than it used to.", GREEN, case.why)
    untouched = "" if case.figures.disabled else " Its key was not disabled."
    headline = f"🟢 {case.who} has calmed down.{burned}{case.lost}{untouched}"
    return Words(headline, GREEN, case.why, "If this was not meant, find out what called.")


def choice(case: Case) -> tuple[Button, ...]:
    return buttons.expected(case), buttons.disable(case)


def _pace(case: Case, evidence: Runaway) -> str:
    return f"{case.burning}, {money(evidence.spent_usd)} in the last {span(timedelta(minutes=evidence.window_minutes))}"


def _spend(case: Case, evidence: Runaway) -> tuple[str, ...]:
    habit = f"habit {money(evidence.baseline_usd)}, floor {money(evidence.floor_usd)} for this window"
    since = f"*Since* {utc(evidence.started_at)} · {habit}"
    return (since, *_requests(evidence.requests), *case.keys(evidence.keys), *case.why)


def _requests(kinds: RequestKinds | None) -> tuple[str, ...]:
    """What analytics says: how many, how dear, and what was not used before."""
    if kinds is None:
        return ()
    usual = kinds.usual_usd_per_request
    beside = f" (usually {money(usual)})" if usual is not None else ""
    many = (
        f"*Requests:* {kinds.requests_per_minute:,.1f} a minute ({kinds.usual_requests_per_minute:,.1f} on average "
        f"in the 14 days before), {money(kinds.usd_per_request)} each{beside}"
    )
    named = (("New models", kinds.new_models), ("New apps", kinds.new_apps))
    new = [f"*{what}:* {', '.join(f'{escape(one)} {money(usd)}' for one, usd in ones)}" for what, ones in named if ones]
    return (many, *new)
