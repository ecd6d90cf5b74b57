"""Counters of spend: lifetime, and by UTC period, exact at any instant whatever the order of arrival."""

from sandbox.openrouter.periods import INTERVALS, Interval, day_of, start_of, starts


class Meter:
    """USD, credits (`usage`) and external BYOK inference (`byok`) apart, as OpenRouter keeps them."""

    __slots__ = ("_periods", "byok", "usage")

    def __init__(self) -> None:
        self.usage = 0.0
        self.byok = 0.0
        # By (interval, its start): a clock that moves, either way, needs no reset.
        self._periods: dict[tuple[Interval, int], list[float]] = {}

    def add(self, at: float, usage: float, byok: float) -> None:
        self.usage += usage
        self.byok += byok
        for period in starts(day_of(at)).items():
            spent = self._periods.get(period)
            if spent is None:
                self._periods[period] = [usage, byok]
            else:
                spent[0] += usage
                spent[1] += byok

    def usage_in(self, interval: Interval, at: float) -> tuple[float, float]:
        """`(usage, byok)` of the period that holds `at`."""
        spent = self._periods.get((interval, start_of(interval, at)))
        return (spent[0], spent[1]) if spent else (0.0, 0.0)

    def spent(self, interval: Interval | None, at: float, *, include_byok: bool) -> float:
        """What a limit over this interval counts; None is lifetime."""
        usage, byok = (self.usage, self.byok) if interval is None else self.usage_in(interval, at)
        return usage + byok if include_byok else usage

    def view(self, at: float) -> dict[str, float]:
        """The eight usage fields of a key."""
        fields = {"usage": round(self.usage, 10), "byok_usage": round(self.byok, 10)}
        for interval in INTERVALS:
            usage, byok = self.usage_in(interval, at)
            fields[f"usage_{interval}"] = round(usage, 10)
            fields[f"byok_usage_{interval}"] = round(byok, 10)
        return fields
