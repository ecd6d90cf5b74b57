"""What a bench comes to: a ratio of two things measured within one run, and whether it keeps its limit. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`numerator` over `denominator`, both in `unit`. `limit`: the most the ratio may be; None: it is only shown."""

    name: str
    numerator: float
    denominator: float
    unit: str
    limit: float | None = None

    @property
    def ratio(self) -> float:
        return self.numerator / self.denominator

    @property
    def held(self) -> bool:
        return self.limit is None or self.ratio <= self.limit

    def row(self) -> dict[str, Any]:
        """As it stands in `build/bench.json`."""
        values = asdict(self)
        numbers = {name: round(values[name], 4) for name in ("numerator", "denominator")}
        return {**values, **numbers, "ratio": round(self.ratio, 4), "held": self.held}


def interleaved(pairs: int, ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """The medians of two measurements, taken in turn: A B A B ..., so that a busy spell hits both alike."""
    taken = [(ours(), theirs()) for _ in range(pairs)]
    return median(a for a, _ in taken), median(b for _, b in taken)


def table(figures: Sequence[Figure]) -> str:
    """For a terminal; a missed limit is marked."""
    width = max(len(figure.name) for figure in figures)
    lines = [f"{'':<{width}}  {'ratio':>7}  {'limit':>5}  {'numerator':>10} / {'denominator':<10} unit"]
    for one in figures:
        limit = "" if one.limit is None else f"{one.limit:g}"
        missed = "" if one.held else "  MISSED"
        lines.append(
            f"{one.name:<{width}}  {one.ratio:>7.3f}  {limit:>5}  {one.numerator:>10.4g} / {one.denominator:<10.4g} "
            f"{one.unit}{missed}"
        )
    return "\n".join(lines)
