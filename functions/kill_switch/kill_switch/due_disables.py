"""A disable that was withheld for now stays due: when it is to be asked again, kept where the spend meter reads.

pk `detector`, sk `<subject>#due#<cause>`: `{"kind": "due", "subject", "cause", "trigger", "again_at", "at", "asked"}`.
The meter raises its event again, under another id, on the first reading from `again_at` on that still shows the claim.
"""

from datetime import UTC, datetime, timedelta

from governor.clock import format_instant, parse_instant
from governor.ledger import ABSENT, Put
from kill_switch.decide import Decision, Facts
from kill_switch.store import ACCOUNT_WINDOW, KillSwitchStore

REREAD = (timedelta(0), timedelta(0), timedelta(minutes=5), timedelta(minutes=15))
"""How long after each withheld disable the next reading may ask again, when OpenRouter contradicts the event, or does
not show what it rests on. One stale or partial answer must not cost a quarter of an hour; one that stays must not be
told every minute."""
FORGOTTEN = timedelta(hours=1)
"""After which a further contradiction counts as the first."""
KEPT = timedelta(days=32)


def again_at(facts: Facts, rule: str, asked: int, now: datetime) -> datetime | None:
    """When the same is to be asked again; None: a person decides, or nothing is left to do."""
    if facts.ordered_by or facts.cause not in ("runaway", "budget"):
        return None
    match rule:
        case "not_borne_out" | "not_found" | "unconfirmed":
            return now + REREAD[min(asked, len(REREAD) - 1)]
        case "once_a_day":
            today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return today + timedelta(days=1)
        case "account_leash":
            return min((at for at, _ in facts.recent_disables.recent), default=now) + ACCOUNT_WINDOW
        case _:
            return None


def keep_due(store: KillSwitchStore, facts: Facts, decision: Decision, subject: str, now: datetime) -> datetime | None:
    """Notes that the disable stays due, if it does; when. Again for the same event: the same row."""
    sk = f"{subject}#due#{facts.cause}"
    before = store.ledger.get("detector", sk)
    asked = 0
    if before:
        if before.data["trigger"] == facts.event.id:
            return parse_instant(before.data["again_at"])
        if now - parse_instant(before.data["at"]) < FORGOTTEN:
            asked = int(before.data["asked"]) + 1
    when = again_at(facts, decision.rule, asked, now)
    if when is None:
        return None
    data = {
        "kind": "due",
        "subject": subject,
        "cause": facts.cause,
        "trigger": facts.event.id,
        "again_at": format_instant(when),
        "at": format_instant(now),
        "asked": asked,
    }
    store.ledger.commit(Put("detector", sk, data, before.version if before else ABSENT, expires_at=now + KEPT))
    return when
