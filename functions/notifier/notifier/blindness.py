"""What people read when Governor cannot see, or cannot believe what it sees."""

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from governor.events.evidence import Blind
from governor.slack.channel import escape
from notifier.phrases import span, utc
from notifier.words import GREEN, ORANGE, RED, Words

if TYPE_CHECKING:
    from notifier.case import Case


def blind(case: "Case") -> Words:
    """Monitor Blind, by its kind."""
    evidence = cast(Blind, case.evidence)
    match evidence.kind:
        case "stored_reading":
            return _stored_reading(case, evidence)
        case "clock":
            return _clock(case, evidence)
        case "partial_list":
            return _list(case, evidence)
        case "broadcast_content":
            return _content(case, evidence)
        case "broadcast_silent" | "broadcast_drifted":
            return _not_pushed(case, evidence)
        case _:
            return _unread(case, evidence)


def recovered(case: "Case") -> Words:
    """Monitor Recovered."""
    evidence = cast(Blind, case.evidence)
    headline = f"🟢 Governor sees again: {_place(evidence)} is read and metered."
    if evidence.kind == "partial_list":
        headline = f"🟢 OpenRouter's {escape(evidence.name)} is as it should be again. Governor goes by it."
    if evidence.kind == "broadcast_silent":
        headline = f"🟢 OpenRouter's Broadcast pushes requests of {escape(evidence.name)} again."
    if evidence.kind == "broadcast_drifted":
        headline = f"🟢 OpenRouter's Broadcast of {escape(evidence.name)} is set up as Governor needs it again."
    return Words(headline, GREEN, case.why)


def _unread(case: "Case", evidence: Blind) -> Words:
    last = evidence.last_reading_at
    since = f"since {utc(last)} ({span(case.event.occurred_at - last)})" if last else "at all yet"
    headline = (
        f"🔴 Governor is blind: it has not been able to read {_place(evidence)} {since}. "
        f"Spend there is not metered and a runaway there is not stopped. {case.approvers}, please look."
    )
    todo = "Check the management key and OpenRouter's status; spend_meter's log says more."
    if evidence.error.startswith("ReadForbidden"):
        todo = (
            "A 403 need not mean the key: compare OpenRouter's IP allowlist (Settings, Security) with the address that "
            "Governor calls from, then the management key's workspace and kind."
        )
    return Words(headline, RED, (_error(evidence), *case.why), todo)


def _stored_reading(case: "Case", evidence: Blind) -> Words:
    headline = (
        "🟠 Governor lost a part of what it remembered of spending: its stored reading could not be read. "
        "Spend is metered all the same."
    )
    todo = (
        "Nothing at once. Until the habits of what was lost are learned again, a runaway there is suspected and not "
        "confirmed, and a budget alert may come a second time. Keep the file for whoever looks into it. "
        "No second message follows."
    )
    return Words(headline, ORANGE, (_error(evidence), *case.why), todo)


def _clock(case: "Case", evidence: Blind) -> Words:
    now, last = case.event.occurred_at, evidence.last_reading_at or case.event.occurred_at
    headline = (
        f"🟠 The clock that Governor meters by went back by {span(last + timedelta(minutes=1) - now)}: it now says "
        f"{utc(now)}. Spend is metered all the same."
    )
    todo = (
        "Compare that time with the real one. If it is right, do nothing: the clock was ahead before. If it is wrong, "
        "open a case with AWS: until it is right, Governor takes budgets to be reset when this clock says so. "
        "No second message follows."
    )
    return Words(headline, ORANGE, case.why, todo)


def _list(case: "Case", evidence: Blind) -> Words:
    name = escape(evidence.name)
    if evidence.error.startswith("EmptyList"):
        headline = f"🟠 OpenRouter's {name} came back empty. Governor goes on with what it read last."
        todo = "If somebody removed its entries, do nothing. If nobody did, look in OpenRouter, and ask its support."
    else:
        headline = f"🟠 OpenRouter's {name} has an entry that Governor cannot read. It goes on with all the others."
        todo = (
            "Ask OpenRouter's support about the entry that the error names. Until Governor can read it, watch in "
            "OpenRouter what is new there."
        )
    return Words(headline, ORANGE, (_error(evidence), *case.why), todo)


def _content(case: "Case", evidence: Blind) -> Words:
    headline = (
        "🟠 OpenRouter's Broadcast sends prompts or completions to Governor, which drops every such delivery. "
        "Spend is metered every minute all the same; a runaway is seen within minutes, not within seconds."
    )
    todo = (
        "Switch privacy mode on in the destination that sends to Governor (OpenRouter, Settings, Observability). "
        "Governor keeps nothing of what was sent. No second message follows while it lasts."
    )
    return Words(headline, ORANGE, (_error(evidence), *case.why), todo)


def _not_pushed(case: "Case", evidence: Blind) -> Words:
    what = "pushes nothing of" if evidence.kind == "broadcast_silent" else "is not set up as Governor needs it in"
    headline = (
        f"🟠 OpenRouter's Broadcast {what} {escape(evidence.name)}. "
        "Spend there is metered every minute all the same; a runaway is seen within minutes, not within seconds."
    )
    todo = (
        "`governor broadcast check` shows what differs, and `governor broadcast setup` puts it right. If nothing "
        "differs: Test Connection in OpenRouter (Settings, Observability). Governor posts this once, and "
        "posts again when it ends."
    )
    return Words(headline, ORANGE, (_error(evidence), *case.why), todo)


def _error(evidence: Blind) -> str:
    return f"*Error:* {escape(evidence.error)}"


def _place(evidence: Blind) -> str:
    return "the whole account" if evidence.scope == "account" else escape(evidence.name)
