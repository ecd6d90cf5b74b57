"""One day of one key while it is being drawn: requests of uneven cost at random moments, never a smooth curve."""

from math import exp, sqrt
from random import Random

DAY = 1440
_UNEVEN = 0.9  # sigma of a request's log-cost: the dearest in a hundred costs eight times the median
_MOST_A_MINUTE = 20  # above this, requests are drawn in bundles; their sum hardly differs


class Day:
    """The minutes of one epoch day. `age`: days since the profile's origin; `weekday`: Monday is 0.

    `rng` is the day's own; `dice(what)` gives one shared by all days that name the same thing (a week, the launch).
    """

    def __init__(self, name: str, monthly_usd: float, seed: int, day: int, age: int) -> None:
        self.spend = [0.0] * DAY
        self.number = day
        self.age = age
        self.weekday = (day + 3) % 7  # 1 January 1970 was a Thursday
        self.daily_usd = monthly_usd / 30
        self.rng = self._dice_of(f"{name} {seed} day {day}")
        self._stem = f"{name} {seed}"
        # Dearer keys make more requests, and dearer ones: $5 a month in half-cent calls, $5,000 in four-cent calls.
        self._request_usd = 0.01 * (monthly_usd / 50) ** 0.3

    def dice(self, what: str) -> Random:
        """Random numbers that depend on the key and on `what`, not on the day."""
        return self._dice_of(f"{self._stem} {what}")

    def noise(self, sigma: float) -> float:
        """A factor with a mean of 1, log-normal."""
        return self.rng.lognormvariate(-sigma * sigma / 2, sigma)

    def add(self, first: int, minutes: int, usd: float) -> None:
        """About `usd`, at random over `minutes` from the minute `first` of the day; what falls outside it is lost."""
        mean = max(self._request_usd, usd / (minutes * _MOST_A_MINUTE))
        scale = mean * exp(-_UNEVEN * _UNEVEN / 2)
        for _ in range(self._poisson(usd / mean)):
            minute = first + int(self.rng.random() * minutes)
            cost = scale * exp(self.rng.gauss(0, _UNEVEN))
            if 0 <= minute < DAY:
                self.spend[minute] += cost

    def by_hour(self, usd: float, weights: list[float], noise: float) -> None:
        """`usd` over the day's hours by weight, each hour with noise of its own."""
        total = sum(weights)
        for hour, weight in enumerate(weights):
            if weight:
                self.add(hour * 60, 60, usd * weight / total * self.noise(noise))

    def _poisson(self, mean: float) -> int:
        if mean > 30:
            return max(0, round(self.rng.gauss(mean, sqrt(mean))))
        count, product, limit = 0, self.rng.random(), exp(-mean)
        while product > limit:
            count += 1
            product *= self.rng.random()
        return count

    @staticmethod
    def _dice_of(what: str) -> Random:
        return Random(what)
