"""The rate limit of automatic disables, and the writes that count a disable together with its cause's intent.

- pk `leash`, sk `account`: recent automatic disables. pk `leash#<YYYY-MM-DD>` (UTC), sk `<subject>`: today's.
- pk `detector`, sk `<subject>`: the moment from which the spend meter is to learn the subject's habits anew.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from governor.clock import format_instant, parse_instant
from governor.keys.causes import CauseRow, CauseStore
from governor.ledger import ABSENT, Put

ACCOUNT_WINDOW = timedelta(minutes=15)
"""How far back the account's rate limit looks (promise 9)."""


@dataclass(frozen=True)
class RecentDisables:
    """`today`: the subject was disabled automatically today. `recent`: (instant, subject) of the last 15 minutes."""

    today: bool = False
    recent: tuple[tuple[datetime, str], ...] = ()
    version: int = ABSENT


class KillSwitchStore(CauseStore):
    """The kill switch's rows in the ledger."""

    def recent_disables(self, subject: str, now: datetime) -> RecentDisables:
        account = self.ledger.get("leash", "account")
        recent = [(parse_instant(at), subject) for at, subject in account.data["recent"]] if account else []
        return RecentDisables(
            today=self.ledger.get(_day(now), subject) is not None,
            recent=tuple((at, subject) for at, subject in recent if now - at < ACCOUNT_WINDOW),
            version=account.version if account else ABSENT,
        )

    def intend(self, row: CauseRow, spends: RecentDisables | None, now: datetime) -> CauseRow:
        """The intent to disable, and its count against the rate limit: both or neither, so that no two at once exceed
        it.
        """
        puts = [row.put()]
        if spends:
            recent = [[format_instant(at), subject] for at, subject in (*spends.recent, (now, row.subject))]
            spent = {"trigger": row.trigger, "at": format_instant(now)}
            puts += [
                Put("leash", "account", {"recent": recent}, spends.version),
                Put(_day(now), row.subject, spent, ABSENT, expires_at=now + timedelta(days=3)),
            ]
        self.ledger.commit(*puts)
        return replace(row, version=row.version + 1)

    def intend_lift(self, row: CauseRow, now: datetime) -> CauseRow:
        """The intent to give the keys back, and the detector's fresh start: what is past is no habit to judge by."""
        before = self.ledger.get("detector", row.subject)
        fresh = {"kind": "rebaseline", "at": format_instant(now)}
        detector = Put("detector", row.subject, fresh, before.version if before else ABSENT)
        self.ledger.commit(row.put(), detector)
        return replace(row, version=row.version + 1)


def _day(now: datetime) -> str:
    return f"leash#{now.astimezone(UTC):%Y-%m-%d}"
