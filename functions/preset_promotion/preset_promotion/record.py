"""What is remembered of one preset: a row of the ledger, pk `preset`, sk its slug, replaced whole under its version.

No prompt and no config is in it: a version is named by its number and by the hash of what it holds, and is read again
where it is needed (versions do not change). What has ended is kept beside it, pk `promotion`, sk `<slug>#<id>`.

    nothing ─▶ checking ─▶ checked ─▶ asked ──granted──▶ posting ─▶ served
                  └─▶ blocked ──override asked──┘           └─▶ undo ─▶ former served
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from governor.clock import format_instant, parse_instant
from governor.events import Event
from governor.events.preset_evidence import How
from governor.ledger import ABSENT, Ledger, Put
from preset_promotion.checks import Check

PK, ENDED = "preset", "promotion"
Status = Literal["checking", "blocked", "checked", "asked"]


@dataclass(frozen=True)
class Seen:
    """A version that was looked at. `number` 0: there is none. `digest`: of its content.

    `creator`: who saved it, by OpenRouter's user id; None where OpenRouter names nobody, and in older rows. It makes no
    other version of one.
    """

    number: int = 0
    digest: str = ""
    creator: str | None = field(default=None, compare=False)

    def data(self) -> list[Any]:
        return [self.number, self.digest, self.creator]

    @classmethod
    def of(cls, data: Sequence[Any]) -> "Seen":
        return cls(int(data[0]), data[1], data[2] if len(data) > 2 else None)


NONE = Seen()


@dataclass(frozen=True)
class Candidate:
    """A version of staging on its way. `base`: what production served when it was taken up.

    `until`: whoever checks it has it in hand that long. `tries`: check runs that were begun. `approval`: the request
    that people decide. `how`: `override` where its failing checks are what is asked about.
    """

    id: str
    version: Seen
    base: Seen
    by: str
    loosen: bool = False
    status: Status = "checking"
    until: datetime | None = None
    tries: int = 0
    how: Literal["promotion", "override"] = "promotion"
    approval: str = ""
    checks: tuple[Check, ...] = ()
    shown: tuple[str, ...] = ()
    usd: float = 0.0

    def data(self) -> dict[str, Any]:
        return {
            **{
                name: getattr(self, name)
                for name in ("id", "by", "loosen", "status", "tries", "how", "approval", "usd")
            },
            "version": self.version.data(),
            "base": self.base.data(),
            "until": format_instant(self.until) if self.until else None,
            "checks": [check.data() for check in self.checks],
            "shown": list(self.shown),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Candidate":
        return cls(
            id=data["id"],
            version=Seen.of(data["version"]),
            base=Seen.of(data["base"]),
            by=data["by"],
            loosen=data["loosen"],
            status=data["status"],
            until=parse_instant(data["until"]) if data["until"] else None,
            tries=int(data["tries"]),
            how=data["how"],
            approval=data["approval"],
            checks=tuple(Check.of(check) for check in data["checks"]),
            shown=tuple(data["shown"]),
            usd=float(data["usd"]),
        )


@dataclass(frozen=True)
class Posting:
    """A version being posted to production. `origin`: the workspace whose version `source` is posted.

    `former`: what production served before, and goes back to. `newest`: production's newest version before this POST.
    `until`: nobody else posts before that. `tries`: POSTs that were begun. `landed`: the version it became, 0 while
    nobody knows. `rule`: why a posting `automatic` takes the one before back.
    """

    id: str
    how: How
    by: str
    approval: str
    origin: Literal["from", "to"]
    source: Seen
    former: Seen
    newest: int
    until: datetime
    tries: int = 1
    landed: int = 0
    rule: str = ""
    approved_by: tuple[str, ...] = ()
    loosen: bool = False
    checks: tuple[Check, ...] = ()
    shown: tuple[str, ...] = ()
    usd: float = 0.0

    def data(self) -> dict[str, Any]:
        plain = ("id", "how", "by", "approval", "origin", "newest", "tries", "landed", "rule", "loosen", "usd")
        return {
            **{name: getattr(self, name) for name in plain},
            "source": self.source.data(),
            "former": self.former.data(),
            "until": format_instant(self.until),
            "approved_by": list(self.approved_by),
            "checks": [check.data() for check in self.checks],
            "shown": list(self.shown),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Posting":
        made = {
            "source": Seen.of(data["source"]),
            "former": Seen.of(data["former"]),
            "until": parse_instant(data["until"]),
            "approved_by": tuple(data["approved_by"]),
            "checks": tuple(Check.of(check) for check in data["checks"]),
            "shown": tuple(data["shown"]),
        }
        return cls(**{**data, **made})


@dataclass(frozen=True)
class Served:
    """What production serves by a decision: `version`, put there instead of `former` by the promotion or approval `id`,
    which is empty for what was there when Governor first looked. `former_approved`: false where `former` was an edit by
    hand that nobody had approved.
    """

    version: Seen
    id: str = ""
    former: Seen = NONE
    former_approved: bool = True

    def data(self) -> dict[str, Any]:
        return {
            "version": self.version.data(),
            "id": self.id,
            "former": self.former.data(),
            "former_approved": self.former_approved,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Served":
        approved = bool(data.get("former_approved", True))  # older rows do not say
        return cls(Seen.of(data["version"]), data["id"], Seen.of(data["former"]), approved)


@dataclass(frozen=True)
class Finishing:
    """What came of a grant, to be noted on it."""

    approval: str
    result: Literal["done", "failed"]
    why: str = ""


@dataclass(frozen=True)
class Purse:
    """What the golden cases of a UTC day have cost, in USD. A run under way counts as its whole purse."""

    day: str = ""
    usd: float = 0.0


EMPTY = Purse()


@dataclass(frozen=True)
class Judged:
    """What a run of golden cases came to. `key`: a hash of all that it was run on: both contents and the cases."""

    key: str
    at: datetime
    checks: tuple[Check, ...]
    shown: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        checks = [check.data() for check in self.checks]
        return {"key": self.key, "at": format_instant(self.at), "checks": checks, "shown": list(self.shown)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Judged":
        checks = tuple(Check.of(check) for check in data["checks"])
        return cls(data["key"], parse_instant(data["at"]), checks, tuple(data["shown"]))


@dataclass(frozen=True)
class Record:
    """`looked`: Governor has looked at this preset before. `taken_up`: the newest version of staging that was taken up.

    `purse`: what golden cases cost today. `judged`: the last run of golden cases that held a candidate back.
    `drifted`: the version of production that was last told as drift (0: it was gone). `edit`: the same with its
    creator, for the approval desk (`governor.approvals.authorship`). `saying`: events that the bus may
    not have yet. `finishing`: a grant's outcome that may not be noted yet.
    """

    slug: str
    looked: bool = False
    served: Served | None = None
    taken_up: int = 0
    candidate: Candidate | None = None
    posting: Posting | None = None
    drifted: int | None = None
    saying: tuple[Mapping[str, Any], ...] = ()
    finishing: Finishing | None = None
    purse: Purse = EMPTY
    judged: Judged | None = None
    edit: Seen = NONE
    row: int = ABSENT

    def put(self) -> Put:
        finishing = self.finishing
        data = {
            "looked": self.looked,
            "served": self.served.data() if self.served else None,
            "taken_up": self.taken_up,
            "candidate": self.candidate.data() if self.candidate else None,
            "posting": self.posting.data() if self.posting else None,
            "drifted": self.drifted,
            "edit": self.edit.data(),
            "purse": [self.purse.day, self.purse.usd],
            "judged": self.judged.data() if self.judged else None,
            "saying": list(self.saying),
            "finishing": [finishing.approval, finishing.result, finishing.why] if finishing else None,
        }
        return Put(PK, self.slug, data, self.row)

    def telling(self, *events: Event) -> "Record":
        """With these events to be told."""
        return replace(self, saying=(*self.saying, *(_envelope(event) for event in events)))

    @classmethod
    def read(cls, ledger: Ledger, slug: str) -> "Record":
        """The record as it stands; an empty one for a preset that was never looked at."""
        row = ledger.get(PK, slug)
        if row is None:
            return cls(slug)
        data = row.data
        return cls(
            slug=slug,
            looked=data["looked"],
            served=Served.of(data["served"]) if data["served"] else None,
            taken_up=int(data["taken_up"]),
            candidate=Candidate.of(data["candidate"]) if data["candidate"] else None,
            posting=Posting.of(data["posting"]) if data["posting"] else None,
            drifted=data["drifted"],
            edit=Seen.of(data["edit"]) if data.get("edit") else NONE,  # older rows have none
            purse=Purse(*data["purse"]) if data.get("purse") else EMPTY,  # older rows have none
            judged=Judged.of(data["judged"]) if data.get("judged") else None,
            saying=tuple(data["saying"]),
            finishing=Finishing(*data["finishing"]) if data["finishing"] else None,
            row=row.version,
        )


def _envelope(event: Event) -> dict[str, Any]:
    detail = event.detail()
    return {"detail-type": event.detail_type.value, "id": event.id, "time": detail["occurred_at"], "detail": detail}
