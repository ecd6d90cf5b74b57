"""Watches who leaves the organization, and tells of the keys that are still in their name.

| effect | dies before | dies after | twice, beside itself |
|---|---|---|---|
| row `members`: list | the run is read again | the run is not counted twice | one wins, the other comes back |
| event, stored first | told by the next try or run | the same id, in the stored words | consumers drop it |
| row `members`: told | the same event again, under its id | nothing | as the first |

Nothing is written at OpenRouter.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from account_review.departures import Roll, count, mark
from account_review.ports import Ports
from governor.events import DetailType, Event, event_id
from governor.events.member_evidence import MOST_KEYS, DepartedKey, MemberDeparted
from governor.ledger import ABSENT, Put
from governor.policy import Policy
from management_api import Deadline, OpenRouterError, Read

if TYPE_CHECKING:
    from management_api import ApiKey, OpenRouter

ROWS, LIST = "members", "list"


def watch(ports: Ports, at: datetime, remaining: Callable[[], float]) -> int:
    """How many departures were told. `at`: the run's own time.

    A list that cannot be read says nothing. Raises `AuthenticationFailed`, `LedgerConflict`, `PublishFailed`, an AWS
    error, or what kept the keys of somebody who left from being read: Lambda tries again, and so does the next run.
    """
    row = ports.ledger.get(ROWS, LIST)
    roll, version = (Roll.of(row.data), row.version) if row else (None, ABSENT)
    account = ports.connect(Deadline(remaining))
    if roll is None or at > roll.at:
        try:
            members = [one.id for one in account.organization.members()]
        except OpenRouterError as error:
            if error.status == 401:
                raise
            ports.log.warning("the list of members is unread, and says nothing", extra={"error": str(error)})
            return 0
        counted = count(roll, members, at)
        if counted.rule != "counted" or counted.roll is None:
            ports.log.warning("the list of members says nothing", extra={"rule": counted.rule, "members": len(members)})
            return 0
        roll, version = _keep(ports, counted.roll, version)
    if not roll.left:
        return 0
    keys, unread = _keys(account, roll.left)
    events = [_event(ports.policy, member, roll, held, unread) for member, held in sorted(keys.items())]
    ports.bus.publish(events)
    # Who has no key is nobody to tell of, unless keys of theirs may be among those that could not be read.
    _keep(ports, roll.settled(map(mark, keys) if unread else roll.left), version)
    ports.log.info("members left", extra={"told": len(events), "unread": len(unread)})
    return len(events)


def _keep(ports: Ports, roll: Roll, version: int) -> tuple[Roll, int]:
    ports.ledger.commit(Put(ROWS, LIST, roll.data(), version))
    return roll, version + 1


def _keys(
    account: "OpenRouter", left: Mapping[str, datetime]
) -> "tuple[dict[str, list[tuple[str, ApiKey]]], list[str]]":
    """The keys of those who left, by member, each with its workspace; and the workspaces that were not read whole."""
    places = {one.id: one.slug or one.id for one in account.workspaces.list()}
    keys: dict[str, list[tuple[str, ApiKey]]] = defaultdict(list)
    unread = []
    for id, reading in account.read_account(places).items():
        if not isinstance(reading, Read) or reading.unreadable:
            unread.append(places[id])
        for key in reading.keys if isinstance(reading, Read) else ():
            if key.creator_user_id and mark(key.creator_user_id) in left:
                keys[key.creator_user_id].append((places[id], key))
    return dict(keys), sorted(unread)


def _event(policy: Policy, member: str, roll: Roll, held: "list[tuple[str, ApiKey]]", unread: list[str]) -> Event:
    since, kind = roll.left[mark(member)], DetailType.MEMBER_DEPARTED
    keys = sorted((_key(policy, place, key) for place, key in held), key=_first)
    evidence = MemberDeparted(
        member=member,
        slack=policy.slack_user_of(member) or "",
        since=since,
        total=len(keys),
        keys=keys[:MOST_KEYS],
        unread=unread[:MOST_KEYS],
    )
    said = f"{member} is not a member of the organization any more, and {len(keys)} keys are in their name."
    id = event_id(kind, member, since.isoformat())
    return Event(kind, id, member, roll.at, said, evidence.model_dump(mode="json"))


def _key(policy: Policy, place: str, key: "ApiKey") -> DepartedKey:
    workload = policy.workload(policy.lineage_of(key.name))
    if workload is None or workload.workspace != place:
        return DepartedKey(hash=key.hash, name=key.name, workspace=place, disabled=key.disabled)
    creator = workload.key.creator_user_id or ""
    return DepartedKey(
        hash=key.hash,
        name=key.name,
        workspace=place,
        workload=workload.name,
        tier=workload.tier,
        disabled=key.disabled,
        creator="" if creator == key.creator_user_id else creator,
    )


def _first(key: DepartedKey) -> tuple[bool, int, str, str]:
    return key.disabled, 99 if key.tier is None else key.tier, key.workspace, key.name
