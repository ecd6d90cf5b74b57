"""The subjects' histories, as bytes until one is needed: at 10,000 subjects most have not spent, or next to nothing."""

from collections.abc import Mapping

from spend_meter.history import History
from spend_meter.small_spend import Waiting, enter, headroom, left_to_spend, noted


class Habits:
    """Histories by subject: decoded when opened, encoded again only then; small spend waits beside them as notes."""

    def __init__(self, encoded: Mapping[str, bytes], waiting: Mapping[str, Waiting]) -> None:
        self._encoded = encoded
        self._waiting = dict(waiting)
        self._open: dict[str, History] = {}

    def __contains__(self, subject: str) -> bool:
        return subject in self._encoded or subject in self._open

    def note(self, subject: str, minute: int, usd: float, span: int) -> bool:
        """Puts spend aside. False, with nothing done, when the subject must be opened for it."""
        waiting = self._waiting.get(subject)
        if waiting is None or subject in self._open:
            return False
        after = noted(waiting, subject, minute, usd, span)
        if after is None:
            return False
        self._waiting[subject] = after
        return True

    def open(self, subject: str, still_since: int) -> History:
        """The history, to be changed; a subject without one has spent nothing since the minute `still_since`."""
        history = self._open.get(subject)
        if history is None:
            history = self._open[subject] = self._decoded(subject) or History.empty(still_since)
        return history

    def look(self, subject: str, minute: int) -> History | None:
        """The history as it stands at `minute`, not to be changed; None for a subject that has never spent."""
        history = self._open.get(subject)
        if history is None:
            history = self._decoded(subject)
            if history is not None:
                history.advance(minute)
        return history

    def opened(self) -> Mapping[str, History]:
        """The histories that were opened."""
        return self._open

    def spent(self, subject: str, minute: int, window: int) -> float:
        """USD in the last `window` minutes (at most 60); 0 for a subject that has never spent."""
        history = self._open.get(subject) or self._decoded(subject)
        if history is None:
            return 0.0
        if subject not in self._open:
            history.advance(minute)
        return history.spent(window)

    def nearest(self, subjects: list[str], count: int) -> list[str]:
        """Of the subjects with notes, those with the least left to spend: the greatest spenders are among them."""
        return sorted(subjects, key=lambda subject: left_to_spend(self._waiting[subject]))[:count]

    def close(self) -> tuple[dict[str, bytes], dict[str, Waiting]]:
        """All of them encoded, and what waits to be entered."""
        encoded = dict(self._encoded)
        for subject, history in self._open.items():
            encoded[subject] = history.to_bytes()
            self._waiting[subject] = headroom(history)
        return encoded, self._waiting

    def _decoded(self, subject: str) -> History | None:
        encoded = self._encoded.get(subject)
        if encoded is None:
            return None
        history = History.from_bytes(encoded)
        enter(self._waiting[subject], history)
        return history
