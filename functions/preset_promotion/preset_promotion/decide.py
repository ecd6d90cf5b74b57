"""What to do about a preset, from what was read of both workspaces and what is remembered. Pure.

Where a POST that may have been made ended up; the first rule that applies decides:
 1. `landed`     its version is known, or one made since holds what was posted, or what is left of it
 2. `overtaken`  versions were made since, and none of them is ours
 3. `in_hand`    whoever posts may still be at it
 4. `absent`     no version was made since: the POST was lost, or never left

Whether a candidate is still what was checked:
 1. `candidate_changed`   staging serves another version than the one that was checked
 2. `production_changed`  production serves another version than the one it was compared with

Whether an order about what production serves can be carried out:
 1. `not_an_approver`     somebody granted it whom the policy's preset does not name
 2. `not_enough_approvals`   its approvals do not suffice, or the author of the edit is among them
 3. `not_the_last`        it names a promotion that is not the last
 4. `production_changed`  production serves another version than the one the order is about
 5. `not_drifted`         an edit to adopt or revert that is dealt with already
 6. `no_former`           there is nothing to go back to
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from preset_promotion.content import Content, plain_name, remains_of
from preset_promotion.record import Candidate, Posting, Record, Seen

Rule = Literal["candidate_changed", "production_changed"]


@dataclass(frozen=True)
class Whereabouts:
    """`version`: what it became, where it landed."""

    rule: Literal["landed", "overtaken", "in_hand", "absent"]
    version: int = 0


def whereabouts(
    posting: Posting, wanted: Content, versions: Mapping[int, Content], now: datetime, *, answered: bool = False
) -> Whereabouts:
    """`versions`: of production, by number. `answered`: OpenRouter has answered our POST, so none is under way."""
    if posting.landed:
        return Whereabouts("landed", posting.landed)
    since = {number: content for number, content in versions.items() if number > posting.newest}
    whole = [number for number, content in since.items() if content.digest == wanted.digest]
    remains = [number for number, content in since.items() if remains_of(wanted, content)]
    for found in (whole, remains):
        if found:
            return Whereabouts("landed", max(found))
    if since:
        return Whereabouts("overtaken", max(since))
    return Whereabouts("absent" if answered or now >= posting.until else "in_hand")


def stale(candidate: Candidate, staging: Seen, production: Seen) -> Rule | None:
    """Whether it is no longer what was checked, against what it was checked."""
    if staging != candidate.version:
        return "candidate_changed"
    return "production_changed" if production != candidate.base else None


def due(record: Record, staging: Seen, production: Seen) -> bool:
    """Whether staging has a version that nobody has taken up yet and that production does not hold."""
    return staging.number > record.taken_up and staging.digest != production.digest


def drifted(record: Record, production: Seen) -> bool:
    """Whether production serves what no decision put there, and nobody was told of this version yet."""
    if record.served is None or record.posting is not None:
        return False
    return production != record.served.version and production.number != record.drifted


def refusal(kind: str, change: Mapping[str, Any], record: Record, production: Seen) -> str | None:
    """The rule by which an order to roll back, to adopt or to revert cannot be carried out."""
    served = record.served
    if kind == "rollback":
        wanted = change.get("promotion")
        if served is None or (wanted and wanted != served.id):
            return "not_the_last"
        if production != served.version:
            return "production_changed"
        return None if served.former.number else "no_former"
    if str(production.number) != str(change.get("version")) or not production.number:
        return "production_changed"
    if served and production == served.version:
        return "not_drifted"
    return "no_former" if kind == "revert" and (served is None or not served.version.number) else None


def named(fields: Sequence[str]) -> str:
    """Names of fields for a sentence."""
    return ", ".join(map(plain_name, fields[:10])) + (", …" if len(fields) > 10 else "")
