"""The meter's time when a clock is wrong: spend is metered in every minute, and no window runs backwards. Pure.

A run bears two clocks, the schedule's and the machine's. A stored reading that both say lies in the future was stamped
by a clock that was ahead, or the clocks have gone back since. Which of the two, nobody can tell here, and it does not
matter: all that is remembered is moved to the past by the same number of minutes, so that the reading before this run
is one minute old. Windows, spans and ages stay what they were, and periods are the clocks' again at once.
"""

from dataclasses import replace

from governor.events import DetailType, Event, event_id
from governor.events.evidence import Blind
from spend_meter.blindness import ACCOUNT
from spend_meter.counters import Known, Seen
from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.leaks import Leak
from spend_meter.periods import moment_of
from spend_meter.runaway import QUIET
from spend_meter.runaway import State as Suspicion
from spend_meter.small_spend import set_notes_back
from spend_meter.state import Layers, Place, State

LATE = 3
"""Minutes by which a run may be delivered late: the template gives Scheduler and Lambda's queue a minute each."""
TOLD_FROM = 5
"""Minutes from which people are told that a clock went back. Less is within what two clocks may differ by."""


def minute_to_meter(scheduled: int, received: int, last: int) -> int | None:
    """The minute that a run meters; None for one that repeats a reading that is there.

    `scheduled`, `received`: the schedule's minute and the machine's. `last`: the minute of the stored reading. The
    result may be earlier than `last`: then the clock went back, and `set_back` is to be applied first.
    """
    if scheduled > last:
        return scheduled
    if received > last:
        # The machine's clock goes on. Either the run is late, or the schedule's clock has gone back.
        return received if last - scheduled > LATE else None
    if scheduled < last and received < last:
        return max(scheduled, received)
    return None


def set_back(state: State, minutes: int) -> State:
    """The state as if all of it had been remembered so many minutes earlier."""
    days = state.tick // DAY - _earlier(state.tick, minutes) // DAY
    return replace(
        state,
        tick=_earlier(state.tick, minutes),
        layers=_layers(state.layers, minutes),
        places={id: _place(place, minutes) for id, place in state.places.items()},
        keys=_keys(state.keys, minutes),
        doubts={hash: doubt._replace(since=_earlier(doubt.since, minutes)) for hash, doubt in state.doubts.items()},
        habits={subject: _history(content, minutes) for subject, content in state.habits.items()},
        waiting={subject: set_notes_back(notes, minutes) for subject, notes in state.waiting.items()},
        leaks={subject: _leak(leak, minutes, days) for subject, leak in state.leaks.items()},
        suspicions={subject: _suspicion(one, minutes) for subject, one in state.suspicions.items()},
        blind={scope: _earlier(since, minutes) for scope, since in state.blind.items()},
        learning={
            subject: replace(attempt, next_at=_earlier(attempt.next_at, minutes))
            for subject, attempt in state.learning.items()
        },
        credits=replace(
            state.credits, samples=tuple((_earlier(when, minutes), usd) for when, usd in state.credits.samples)
        )
        if state.credits
        else None,
    )


def went_back(last: int, minute: int) -> Event | None:
    """The message that the clock went back from `last`, where it is worth one; its id is that stored reading's."""
    minutes = last + 1 - minute
    if minutes < TOLD_FROM:
        return None
    before, now = moment_of(last), moment_of(minute)
    reason = (
        f"The clock went back by {minutes} min: the last reading is stamped {before:%Y-%m-%d %H:%M} UTC, and the clock "
        f"now says {now:%Y-%m-%d %H:%M} UTC. Spend is metered in every minute all the same, from the highest counters "
        "read so far; what was remembered is dated back by as much. Budget periods follow the clock as it is now. No "
        "Monitor Recovered follows, because nothing is unread."
    )
    evidence = Blind(
        scope=ACCOUNT, name="the clock", kind="clock", last_reading_at=before, error=f"ClockWentBack: by {minutes} min"
    )
    return Event(
        DetailType.MONITOR_BLIND,
        event_id(DetailType.MONITOR_BLIND, "clock", last),
        ACCOUNT,
        now,
        reason,
        evidence.model_dump(mode="json"),
    )


def _earlier(minute: int, minutes: int) -> int:
    """A minute that has not come (0) stays one."""
    return max(minute - minutes, 0)


def _layers(layers: Layers, minutes: int) -> Layers:
    return replace(
        layers,
        read_at={part: _earlier(at, minutes) for part, at in layers.read_at.items()},
        missing={entry: _earlier(since, minutes) for entry, since in layers.missing.items()},
        odd={part: (_earlier(since, minutes), what) for part, (since, what) in layers.odd.items()},
    )


def _place(place: Place, minutes: int) -> Place:
    return replace(
        place,
        read_at=_earlier(place.read_at, minutes),
        known_from=_earlier(place.known_from, minutes),
        spent=tuple((_earlier(when, minutes), usd, span) for when, usd, span in place.spent),
    )


def _keys(known: Known, minutes: int) -> Known:
    return {
        workspace_id: {hash: _key(Seen.unpack(packed), minutes).pack() for hash, packed in keys.items()}
        for workspace_id, keys in known.items()
    }


def _key(seen: Seen, minutes: int) -> Seen:
    return seen._replace(gone=_earlier(seen.gone, minutes), moved=_earlier(seen.moved, minutes))


def _history(content: bytes, minutes: int) -> bytes:
    history = History.from_bytes(content)
    history.set_back(minutes)
    return history.to_bytes()


def _leak(leak: Leak, minutes: int, days: int) -> Leak:
    return replace(
        leak, began=_earlier(leak.began, minutes), day=_earlier(leak.day, days), told=_earlier(leak.told, minutes)
    )


def _suspicion(suspicion: Suspicion, minutes: int) -> Suspicion:
    if suspicion == QUIET:
        return suspicion
    return replace(
        suspicion,
        started_minute=_earlier(suspicion.started_minute, minutes),
        raised_minute=_earlier(suspicion.raised_minute, minutes),
        burning_minute=_earlier(suspicion.burning_minute, minutes),
        told_minute=_earlier(suspicion.told_minute, minutes),
    )
