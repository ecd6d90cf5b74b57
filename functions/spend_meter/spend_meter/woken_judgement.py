"""The judgement of a woken reading: the detector's very path, on a copy. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from governor.broadcast.messages import HASH
from governor.events import DetailType, Event, event_id
from governor.events.evidence import Blind
from governor.keys.owners import Owned
from governor.policy import Policy
from spend_meter.counters import meter
from spend_meter.facts import Facts
from spend_meter.judgement import judge_subjects
from spend_meter.periods import minute_of
from spend_meter.runaway import QUIET
from spend_meter.runaway import State as Suspicion
from spend_meter.state import State
from spend_meter.subjects import Subjects, lineages
from spend_meter.sweep_reading import Reading
from spend_meter.woken import LATE, Content

if TYPE_CHECKING:
    from management_api import ApiKey

NEWS = (DetailType.RUNAWAY_CONFIRMED, DetailType.RUNAWAY_SUSPECTED)
"""What a woken reading may tell. An incident's end, a budget and blindness are the runs' to tell."""


@dataclass(frozen=True)
class Told:
    """What the ledger tells the detector, for all subjects: see `Facts`."""

    rebaselines: Mapping[str, str]
    expected: Mapping[str, int]


def minute_between(state: State, received: int) -> int | None:
    """The minute under which a woken reading judges: that of the run to come. None where the clock has gone back, or
    there was no run yet."""
    if not state.tick or received < state.tick - LATE:
        return None
    return max(state.tick + 1, received)


def keys_of(state: State, beginnings: Sequence[str]) -> dict[str, str]:
    """The known keys whose hashes begin so, each with its workspace."""
    wanted = set(beginnings)
    return {hash: workspace_id for workspace_id, keys in state.keys.items() for hash in keys if hash[:HASH] in wanted}


def judge_between(
    state: State,
    keys: Mapping[str, Sequence["ApiKey"]],
    subject: str,
    previous: tuple[Suspicion, Mapping[str, float]],
    now: datetime,
    policy: Policy,
    owners: Mapping[str, Owned],
    told: Told,
) -> tuple[Suspicion, Event | None]:
    """What the detector makes of one subject's keys as read now (by workspace).

    `previous`: `woken.before`. A subject that a human restored, or says is expected, since the last run is left to the
    next one, which applies that.
    """
    suspicion, seen = previous
    minute = minute_between(state, minute_of(now))
    restored = told.rebaselines.get(subject)
    if minute is None or minute < told.expected.get(subject, 0):
        return suspicion, None
    if restored and restored != state.rebaselined.get(subject):
        return suspicion, None
    hashes = {key.hash for some in keys.values() for key in some}
    known = {
        place: {hash: packed for hash, packed in those.items() if hash in hashes} for place, those in state.keys.items()
    }
    subjects = Subjects(policy, state.layers.workspaces, owners)
    read_at = {place: one.read_at or one.known_from for place, one in state.places.items()}
    doubts = {hash: doubt for hash, doubt in state.doubts.items() if hash in hashes}
    metered = meter(known, keys, minute, read_at, subjects.counts_byok, doubts)
    alone = replace(
        state,
        suspicions={subject: suspicion} if suspicion != QUIET else {},
        habits={subject: state.habits[subject]} if subject in state.habits else {},
        waiting={subject: state.waiting[subject]} if subject in state.waiting else {},
        learning={},
        spenders=(),
        outbox=(),
    )
    rebaselines = {subject: restored} if restored else {}
    reading = Reading(keys, state.layers)
    facts = Facts(alone, reading, minute, policy, rebaselines, {}, {}, owners, woken={subject: seen} if seen else {})
    judgement = judge_subjects(facts, metered, subjects, lineages(keys, subjects))
    event = next((one for one in judgement.events if one.detail_type in NEWS and one.subject == subject), None)
    # The minute is the coming run's; what happened, happened now.
    event = replace(event, occurred_at=now.replace(microsecond=0)) if event else None
    return judgement.suspicions.get(subject, QUIET), event


def content_event(content: Content, now: datetime) -> Event:
    """Deliveries hold prompts or completions; told once while it lasts."""
    reason = (
        "OpenRouter's Broadcast sends prompts or completions. Governor drops each such delivery, so spend is seen by "
        "the minute and not within seconds. No Monitor Recovered follows, because the minutes are read as ever."
    )
    evidence = Blind(
        scope="broadcast",
        name="OpenRouter's Broadcast",
        kind="broadcast_content",
        last_reading_at=None,
        error="ContentPushed: the destination's privacy_mode is off",
    )
    id = event_id(DetailType.MONITOR_BLIND, "broadcast content", content.since)
    return Event(
        DetailType.MONITOR_BLIND, id, "broadcast", now.replace(microsecond=0), reason, evidence.model_dump(mode="json")
    )
