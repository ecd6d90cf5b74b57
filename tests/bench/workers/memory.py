"""A meter's memory as it is after a month: 28 days of every key's habits, and notes up to 90 minutes old,
as many as a key has that spends every fifth minute."""

from dataclasses import replace

from spend_meter.days import DAY
from spend_meter.history import History
from spend_meter.small_spend import PATIENCE, Waiting, headroom, noted
from spend_meter.state import State

USD = 0.005
EVERY = 5


def ripe(state: State, minute: int) -> State:
    """`state` with such a memory for each of its keys. They differ in how long their notes have waited."""
    longest = PATIENCE * 3 // 2
    history = History.empty(minute - 28 * DAY)
    history.advance(minute - longest)
    first = (minute - 28 * DAY) // 60
    history.learn([(first + hour, USD * 60 / EVERY) for hour in range(28 * 24)])
    encoded, empty = history.to_bytes(), headroom(history)
    habits: dict[str, bytes] = {}
    waiting: dict[str, Waiting] = {}
    for number, hash in enumerate(hash for keys in state.keys.values() for hash in keys):
        habits[hash] = bytes(bytearray(encoded))  # a copy: no two keys share theirs
        notes = empty
        for when in range(minute - number % longest, minute, EVERY):
            notes = noted(notes, hash, when, USD, 1) or notes
        waiting[hash] = notes
    return replace(state, habits=habits, waiting=waiting)
