"""A workload's lineage of keys: one row of the ledger, every change of it a conditional write.

pk `lineage`, sk the workload's name. The row knows every key that Governor made or adopted for the workload, until
what it spent no longer counts. The states of a key:

    pending ─> current ─> overlap ─> quarantined ─> deleted
                  ^           └─ rolled back ─┘
                  └───────────────┘

`pending`: its secret is AWSPENDING. `current`: AWSCURRENT. `overlap`: replaced, enabled until it is quiet.
`quarantined`: disabled by the cause `rotation`, which its `cause#rotation` row holds. An abandoned or withdrawn key
goes through the same states. A key that OpenRouter has and no row knows is an orphan.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from governor.clock import format_instant, parse_instant
from governor.keys.limit_claim import LimitClaim
from governor.keys.sighting import Sighting
from governor.ledger import ABSENT, Ledger, LedgerConflict, Put, Row
from governor.policy import ROTATION_TAG

if TYPE_CHECKING:
    from management_api import ApiKey

KeyState = Literal["pending", "current", "overlap", "quarantined", "deleted"]
Why = Literal["provision", "due", "expiry", "asked", "exposed"]
"""Why a rotation runs. `asked`: by a person, or by Secrets Manager's own schedule: it does not say which."""
PK = "lineage"
GIVEN_UP = timedelta(days=1)
"""A rotation that has not ended by then is no longer under way."""


@dataclass(frozen=True)
class Limit:
    """A key's `limit` and `limit_reset` as they are to be set. `limit_usd` None: no limit."""

    limit_usd: float | None
    limit_reset: str | None


@dataclass(frozen=True)
class Attribution:
    """Whose a key is, as OpenRouter has it; set when the key is made, and never changed. None: nobody's.

    `creator_user_id`: the member whose guardrail, budget and BYOK access it follows. `external_user`: a partner's.
    """

    creator_user_id: str | None = None
    external_user: str | None = None

    @classmethod
    def of(cls, key: "ApiKey") -> "Attribution":
        return cls(key.creator_user_id, key.external_user)


@dataclass(frozen=True)
class LineageKey:
    """One key. `since`: when it entered its state; `until`: when overlap or quarantine may end.

    `token`: the rotation that made it, empty for an adopted key. `exposed`: it leaked, and never comes back. `spent`:
    USD in its `daily`, `weekly` and `monthly` period and its `lifetime`, read last at `spent_at`: a cap still counts it
    once the key is deleted. `told_at`: when people were last told that it is still used. `given`: the limits that
    Governor last set, the one before and the one after, since it may have died in between; empty when it never set any.
    `drifted`: what differs from the policy, by field, and has been told. `given_at`: when OpenRouter last answered a
    limit of Governor's, and `share`: what the caps alone would give; both under an allowance only. `attribution`: whose
    it is; None while nobody has looked. `attached`: the lists that have named it while it was the current key (`byok:`
    or `destination:`, and an id); None while nobody has looked. `order`: the id of the bulk order by which it was
    replaced, empty for a rotation by itself.
    """

    hash: str
    name: str
    state: KeyState
    since: datetime
    token: str = ""
    until: datetime | None = None
    expires_at: datetime | None = None
    exposed: bool = False
    seen: Sighting | None = None
    spent: Mapping[str, float] | None = None
    spent_at: datetime | None = None
    told_at: datetime | None = None
    given: tuple[Limit, ...] = ()
    given_at: datetime | None = None
    share: Limit | None = None
    drifted: Mapping[str, str] | None = None
    attribution: Attribution | None = None
    attached: tuple[str, ...] | None = None
    order: str = ""

    def data(self) -> dict[str, Any]:
        return {
            "hash": self.hash,
            "name": self.name,
            "state": self.state,
            "since": format_instant(self.since),
            "token": self.token,
            "until": _text(self.until),
            "expires_at": _text(self.expires_at),
            "exposed": self.exposed,
            "seen": self.seen.data() if self.seen else None,
            "spent": dict(self.spent) if self.spent else None,
            "spent_at": _text(self.spent_at),
            "told_at": _text(self.told_at),
            "given": [[limit.limit_usd, limit.limit_reset] for limit in self.given],
            "given_at": _text(self.given_at),
            "share": [self.share.limit_usd, self.share.limit_reset] if self.share else None,
            "drifted": dict(self.drifted) if self.drifted else None,
            "attribution": asdict(self.attribution) if self.attribution else None,
            "attached": None if self.attached is None else list(self.attached),
            "order": self.order,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "LineageKey":
        return cls(
            hash=data["hash"],
            name=data["name"],
            state=data["state"],
            since=parse_instant(data["since"]),
            token=data["token"],
            until=_instant(data.get("until")),
            expires_at=_instant(data.get("expires_at")),
            exposed=data.get("exposed", False),
            seen=Sighting.of(data["seen"]) if data.get("seen") else None,
            spent={period: float(usd) for period, usd in data["spent"].items()} if data.get("spent") else None,
            spent_at=_instant(data.get("spent_at")),
            told_at=_instant(data.get("told_at")),
            given=tuple(_limit(limit) for limit in data.get("given") or ()),
            given_at=_instant(data.get("given_at")),
            share=_limit(data["share"]) if data.get("share") else None,
            drifted=data.get("drifted"),
            attribution=_attribution(data.get("attribution")),
            attached=None if data.get("attached") is None else tuple(data["attached"]),
            order=data.get("order", ""),
        )


@dataclass(frozen=True)
class Rotation:
    """The rotation in hand. `token`: Secrets Manager's, the id of the pending version.

    `attempt` counts the POSTs that were begun; each bears a name of its own, so that a key whose answer was lost is
    told from the one whose plaintext was kept. `hash`: the key that the pending version holds, empty until it does.
    `attribution`: whose the new key is to be.
    """

    token: str
    why: Why
    started_at: datetime
    attempt: int = 1
    hash: str = ""
    attribution: Attribution | None = None

    def key_name(self, workload: str) -> str:
        """The name of the key to be made: the workload's, the tag, and after it date, rotation and attempt."""
        tag = hashlib.sha256(self.token.encode()).hexdigest()[:8]
        return f"{workload}{ROTATION_TAG}{self.started_at:%Y%m%d}-{tag}-{self.attempt}"


@dataclass(frozen=True)
class Asked:
    """Why the next rotation of this lineage runs, noted before Secrets Manager is asked, whose call carries no reason.

    `by`: the id of the event that asked, or the planner's day.
    """

    why: Why
    by: str
    at: datetime


@dataclass(frozen=True)
class Lineage:
    """One workload's keys, and the rotation in hand. `version`: the ledger's.

    `rolled_back_by`: the id of the request that was last carried out, so that it is carried out once. `limits_claim`:
    who sets limits of the keys now; nobody else may. `allowance`: the need in USD by which limits were last held to an
    allowance (`governor.keys.allowance`); None: they are the caps' own.
    """

    workload: str
    keys: tuple[LineageKey, ...] = ()
    rotation: Rotation | None = None
    asked: Asked | None = None
    rolled_back_by: str = ""
    limits_claim: LimitClaim | None = None
    allowance: float | None = None
    version: int = ABSENT

    @property
    def current(self) -> LineageKey | None:
        return next((key for key in self.keys if key.state == "current"), None)

    def key(self, hash: str) -> LineageKey | None:
        return next((key for key in self.keys if key.hash == hash), None)

    def is_under_way(self, now: datetime, within: timedelta = GIVEN_UP) -> bool:
        """Whether a rotation was begun, or asked for, within that time and has not ended."""
        begun = (self.rotation and self.rotation.started_at, self.asked and self.asked.at)
        return any(now - at < within for at in begun if at)

    def with_key(self, key: LineageKey) -> "Lineage":
        """With this key in place of the one of its hash, or added."""
        if self.key(key.hash) is None:
            return replace(self, keys=(*self.keys, key))
        return replace(self, keys=tuple(key if one.hash == key.hash else one for one in self.keys))

    def put(self) -> Put:
        data = {
            "keys": [key.data() for key in self.keys],
            "rotation": asdict(self.rotation) | {"started_at": format_instant(self.rotation.started_at)}
            if self.rotation
            else None,
            "asked": asdict(self.asked) | {"at": format_instant(self.asked.at)} if self.asked else None,
            "rolled_back_by": self.rolled_back_by,
            "limits_claim": self.limits_claim.data() if self.limits_claim else None,
            "allowance": self.allowance,
        }
        return Put(PK, self.workload, data, self.version)

    @classmethod
    def of(cls, row: Row) -> "Lineage":
        rotation, asked = row.data.get("rotation"), row.data.get("asked")
        return cls(
            workload=row.sk,
            keys=tuple(LineageKey.of(key) for key in row.data["keys"]),
            rotation=Rotation(
                rotation["token"],
                rotation["why"],
                parse_instant(rotation["started_at"]),
                int(rotation["attempt"]),
                rotation["hash"],
                _attribution(rotation.get("attribution")),
            )
            if rotation
            else None,
            asked=Asked(asked["why"], asked["by"], parse_instant(asked["at"])) if asked else None,
            rolled_back_by=row.data.get("rolled_back_by", ""),
            limits_claim=LimitClaim.of(row.data["limits_claim"]) if row.data.get("limits_claim") else None,
            allowance=None if row.data.get("allowance") is None else float(row.data["allowance"]),
            version=row.version,
        )


class Lineages:
    """Every lineage in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def get(self, workload: str) -> Lineage:
        """The lineage as it stands; an empty one for a workload that has none yet."""
        row = self.ledger.get(PK, workload)
        return Lineage.of(row) if row else Lineage(workload)

    def all(self) -> list[Lineage]:
        return [Lineage.of(row) for row in self.ledger.rows(PK)]

    def write(self, lineage: Lineage, *beside: Put) -> Lineage:
        """The lineage and the writes beside it, all or none; the lineage as it now stands. Raises `LedgerConflict`."""
        self.ledger.commit(lineage.put(), *beside)
        return replace(lineage, version=lineage.version + 1)

    def release(self, lineage: Lineage) -> Lineage:
        """The lineage without its claim on limits, which whoever holds it gives back once OpenRouter has answered.

        Raises `LedgerConflict` when the row was changed meanwhile; the claim is given back all the same, unless that
        write is lost too: then it ends by itself.
        """
        try:
            return self.write(replace(lineage, limits_claim=None))
        except LedgerConflict:
            now = self.get(lineage.workload)
            if now.limits_claim == lineage.limits_claim:
                self.write(replace(now, limits_claim=None))
            raise


def _attribution(data: Mapping[str, Any] | None) -> Attribution | None:
    """None too in a row that was written before there was such a field."""
    return Attribution(data.get("creator_user_id"), data.get("external_user")) if data else None


def _limit(data: Sequence[Any]) -> Limit:
    usd, reset = data
    return Limit(usd if usd is None else float(usd), reset)


def _text(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment else None


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
