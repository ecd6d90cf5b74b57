"""When nobody is looking: a scope whose last good reading is older than three runs, told once per episode. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Blind
from spend_meter.periods import moment_of
from spend_meter.state import NEVER, Place

STALE_BEATS = 3
ACCOUNT = "account"


def watch(
    blind: Mapping[str, int],
    places: Mapping[str, Place],
    errors: Mapping[str, str],
    minute: int,
    timed_out: bool,
    names: Mapping[str, tuple[str, str]],
) -> tuple[dict[str, int], list[Event]]:
    """The episodes that go on, and what is news about them.

    `places`: every workspace that exists, after this reading. `errors`: those that could not be read, and why.
    `names`: workspace id to (name, slug). `timed_out`: the sweep was cut off by its deadline. Where it has read a part,
    the next run begins with the rest (decision 59); where it has read nothing, that is told at once.
    When nothing at all can be read, that is told of the account once, not of each workspace.
    """
    ages = {scope: minute - (place.read_at or place.known_from) for scope, place in places.items()}
    stale = {scope for scope in errors if scope in ages and ages[scope] > STALE_BEATS}
    everything = bool(errors) and errors.keys() >= places.keys()
    if everything:
        # Young episodes of single workspaces are left to the account's; those already told of go on.
        stale = {scope for scope in stale if scope in blind}
        if timed_out or not ages or min(ages.values()) > STALE_BEATS:
            stale.add(ACCOUNT)
    after: dict[str, int] = {}
    news: list[Event] = []
    for scope in sorted(stale | blind.keys()):
        since = blind.get(scope)
        unread = scope in errors or (scope == ACCOUNT and everything)
        if since is None:
            after[scope] = minute
            news.append(_event(DetailType.MONITOR_BLIND, scope, minute, minute, places, errors, names))
        elif unread:
            after[scope] = since
        else:
            news.append(_event(DetailType.MONITOR_RECOVERED, scope, since, minute, places, errors, names))
    return after, news


def unreadable(etag: str, place: str, lost: Sequence[str], why: str, minute: int) -> Event:
    """The stored reading could not be read: what was lost, and where its bytes are."""
    reason = (
        f"The stored reading could not be read. Its bytes are kept at {place}. Lost: {', '.join(lost) or 'nothing'}; "
        "that starts anew, and all else is metered as before. Keep the file for whoever looks into it; delete it then. "
        "No Monitor Recovered follows, because nothing is unread."
    )
    evidence = Blind(
        scope=ACCOUNT, name="the account's stored reading", kind="stored_reading", last_reading_at=None, error=why
    )
    id = event_id(DetailType.MONITOR_BLIND, "stored reading", etag)
    return Event(DetailType.MONITOR_BLIND, id, ACCOUNT, moment_of(minute), reason, evidence.model_dump(mode="json"))


def _event(
    detail_type: DetailType,
    scope: str,
    since: int,
    minute: int,
    places: Mapping[str, Place],
    errors: Mapping[str, str],
    names: Mapping[str, tuple[str, str]],
) -> Event:
    if scope == ACCOUNT:
        read = max((place.read_at for place in places.values()), default=NEVER)
        error = next(iter(errors.values()), "")
    else:
        read = places[scope].read_at if scope in places else NEVER
        error = errors.get(scope, "")
    last: datetime | None = moment_of(read) if read else None
    name = "the account" if scope == ACCOUNT else f"workspace {names.get(scope, (scope, ''))[0]}"
    whom = name[0].upper() + name[1:]
    if detail_type is DetailType.MONITOR_BLIND:
        reason = f"{whom} has not been read since {last:%Y-%m-%d %H:%M} UTC." if last else f"{whom} was never read."
    else:
        reason = f"{whom} is read again, {minute - since} min after that was told."
    evidence = Blind(scope=scope, name=name, last_reading_at=last, error=error)
    return Event(
        detail_type,
        event_id(detail_type, scope, since),
        scope,
        moment_of(minute),
        reason,
        evidence.model_dump(mode="json"),
    )
