"""How long the management key will do. No API replaces it: a person makes a new one and puts it into the secret, which
every function reads again within five minutes."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Expiring
from governor.policy import ManagementKey
from key_retirement.ports import Ports

if TYPE_CHECKING:
    from management_api import OpenRouter

SUBJECT = "management key"


def notice(ports: Ports, account: "OpenRouter", secret: str) -> Event | None:
    """What to tell of it, if anything: every day once it expires soon, every Monday while it is merely old."""
    rules, now = ports.policy.account.management_key, ports.clock()
    most = ports.policy.account.max_key_lifetime
    since = ports.secrets.put_at(secret)
    expires_at = account.current_key().expires_at
    why = verdict(rules, since, expires_at, now, most)
    if why is None or (why != "expiry" and now.weekday() != 0):
        return None
    evidence = Expiring(name=SUBJECT, why=why, secret=secret, since=since, expires_at=expires_at)
    id = event_id(DetailType.KEY_EXPIRING, secret, f"{now:%Y-%m-%d}")
    reason = _sentence(why, since, expires_at, now)
    return Event(DetailType.KEY_EXPIRING, id, SUBJECT, now, reason, evidence.model_dump(mode="json"))


def verdict(
    rules: ManagementKey,
    since: datetime,
    expires_at: datetime | None,
    now: datetime,
    most: timedelta | None = None,
) -> str | None:
    """Why it should be replaced, `expiry` first, then `lifetime`, then `age`; None when it should not. Pure.

    `most`: the longest life that the organization allows a key.
    """
    if expires_at and expires_at - now <= rules.before_expiry:
        return "expiry"
    if most and (expires_at is None or expires_at - since > most):
        return "lifetime"
    return "age" if now - since >= rules.max_age else None


def _sentence(why: str, since: datetime, expires_at: datetime | None, now: datetime) -> str:
    if why == "expiry" and expires_at:
        when = f"expires at {expires_at:%Y-%m-%d %H:%M} UTC, in {max(0, (expires_at - now).days)} days"
        return f"OpenRouter's management key {when}: Governor is blind and can do nothing after that."
    if why == "lifetime":
        end = f"expires at {expires_at:%Y-%m-%d}" if expires_at else "never expires"
        return (
            f"OpenRouter's management key {end}, which is later than the organization's maximum API key lifetime "
            f"allows: OpenRouter may refuse it. Make one that expires in time."
        )
    return f"OpenRouter's management key has been in use since {since:%Y-%m-%d}, {(now - since).days} days."
