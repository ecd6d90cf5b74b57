"""Small spend put aside: noted in 14 bytes now, entered into the subject's history later, with the same verdicts.

Entering spend into a history costs thirty times what noting it costs, and of 10,000 subjects nearly all spend cents. A
note may wait as long as each of the subject's windows stays so `LOW` that it can raise no suspicion, and that what it
teaches cannot matter. Every day of spend is still taught as one.
"""

from struct import Struct
from zlib import crc32

from spend_meter.days import DAY, WINDOWS
from spend_meter.history import History
from spend_meter.limits import LIMITS

_HEAD = Struct("<d")
_NOTE = Struct("<IdH")
_LONGEST_SPAN = 65535
_FIRST_MINUTE = Struct("<I")
PATIENCE = 60
"""Minutes after which notes are entered when the next is made, and up to twice as many: not all subjects at once."""
MOST = 30
"""Notes after which they are entered sooner, and up to twice as many: a subject that spends every minute has no more
than 834 bytes of them."""
LOW = tuple(
    floor / (LIMITS.thinness(LIMITS.warm_days_of_spend) * max(multiple, peak))
    for floor, multiple, peak in zip(LIMITS.floor, LIMITS.multiple, LIMITS.peak, strict=True)
)
"""USD by window. So far below the floors that no multiple the detector takes of it lifts a limit above them."""

type Waiting = bytes
"""What the subject may yet spend before its notes must be entered (USD), then the notes: minute, USD, span."""


def left_to_spend(waiting: Waiting) -> float:
    """USD until the notes must be entered."""
    left: float = _HEAD.unpack_from(waiting)[0]
    return left


def headroom(history: History) -> Waiting:
    """No notes, and the spend that is left until one of the windows is no longer low."""
    return _HEAD.pack(min(low - history.spent(window) for low, window in zip(LOW, WINDOWS, strict=True)))


def noted(waiting: Waiting, subject: str, minute: int, usd: float, span: int) -> Waiting | None:
    """The notes with one more; None when this one must be entered at once, and the others before it."""
    left = left_to_spend(waiting) - usd
    if left <= 0 or span > _LONGEST_SPAN:
        return None
    if len(waiting) > _HEAD.size:
        age = minute - _FIRST_MINUTE.unpack_from(waiting, _HEAD.size)[0]
        count = (len(waiting) - _HEAD.size) // _NOTE.size
        if age >= PATIENCE or count >= MOST:
            phase = crc32(subject.encode())
            if age >= PATIENCE + phase % PATIENCE or count >= MOST + phase % MOST:
                return None
    return _HEAD.pack(left) + waiting[_HEAD.size :] + _NOTE.pack(minute, usd, span)


def set_notes_back(waiting: Waiting, minutes: int) -> Waiting:
    """The notes as if they had been made so many minutes earlier: the clock was ahead."""
    notes = _NOTE.iter_unpack(waiting[_HEAD.size :])
    return waiting[: _HEAD.size] + b"".join(
        _NOTE.pack(max(minute - minutes, 0), usd, span) for minute, usd, span in notes
    )


def enter(waiting: Waiting, history: History) -> None:
    """Enters the notes, in the order they were made, and teaches each day's."""
    taught = True
    for minute, usd, span in _NOTE.iter_unpack(waiting[_HEAD.size :]):
        if not taught and minute // DAY != history.minute // DAY:
            history.teach()
        history.record(minute, usd, span)
        taught = False
    if not taught:
        history.teach()
