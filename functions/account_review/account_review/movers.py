"""Why somebody's spend changed from one week to the next: five reasons that add up to the change, to the cent. Pure.

For models m with requests R, tokens T a request, and cost C:

- volume   all requests grow alike: C0 * (R1 / R0 - 1)
- mix      the models' shares shift: for each model, (R1m - R0m * R1 / R0) * C0m / R0m; a model that is new is taken at
           what it costs now
- size     tokens a request, at what a token cost before: R1m * (T1m - T0m) * C0m / (R0m * T0m)
- cache    the share of prompt tokens read from cache, at the list's discount: -(h1m - h0m) * prompt tokens * discount
- price    all the rest: what a token costs, by the list, by another provider, by fees

Each is rounded to the cent, and price takes what rounding leaves over, so that the sum is exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from account_review.costs import NOUGHT, cents


@dataclass(frozen=True)
class Usage:
    """One model's week. `cost` in USD; `cache_rate`: the share of prompt tokens read from cache, None where unknown."""

    requests: Decimal
    cost: Decimal
    prompt_tokens: Decimal = NOUGHT
    completion_tokens: Decimal = NOUGHT
    cache_rate: Decimal | None = None

    @property
    def tokens(self) -> Decimal:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Reasons:
    """USD, each in whole cents; together `change`."""

    before: Decimal
    now: Decimal
    volume: Decimal
    mix: Decimal
    size: Decimal
    cache: Decimal
    price: Decimal

    @property
    def change(self) -> Decimal:
        return self.now - self.before

    @property
    def parts(self) -> Mapping[str, Decimal]:
        return {
            "volume": self.volume, "price": self.price, "model mix": self.mix, "cache rate": self.cache,
            "request size": self.size,
        }  # fmt: skip

    @property
    def main(self) -> str:
        """The reason that moved it most in the direction that it moved."""
        sign = 1 if self.change >= 0 else -1
        return max(self.parts, key=lambda name: sign * self.parts[name])


def reasons(before: Mapping[str, Usage], now: Mapping[str, Usage], discounts: Mapping[str, Decimal]) -> Reasons:
    """`discounts`: by model, USD that a prompt token costs less when it is read from cache."""
    first, last = cents(_cost(before)), cents(_cost(now))
    requests_before, requests_now = _requests(before), _requests(now)
    if not requests_before or not requests_now:
        # It came or went: nothing to compare with, so all of it is volume.
        return Reasons(first, last, last - first, NOUGHT, NOUGHT, NOUGHT, NOUGHT)
    growth = requests_now / requests_before
    volume = cents(_cost(before) * (growth - 1))
    mix = size = cache = NOUGHT
    for model in before.keys() | now.keys():
        old, new = before.get(model), now.get(model)
        if old is None or not old.requests:
            mix += new.cost if new else NOUGHT
            continue
        new = new or Usage(NOUGHT, NOUGHT)
        mix += (new.requests - old.requests * growth) * old.cost / old.requests
        if new.requests:
            size += _size(old, new)
            cache += _cache(old, new, discounts.get(model, NOUGHT))
    mix, size, cache = cents(mix), cents(size), cents(cache)
    return Reasons(first, last, volume, mix, size, cache, last - first - volume - mix - size - cache)


def _size(old: Usage, new: Usage) -> Decimal:
    if not old.tokens or not new.tokens:
        return NOUGHT
    return (new.tokens - new.requests * old.tokens / old.requests) * old.cost / old.tokens


def _cache(old: Usage, new: Usage, discount: Decimal) -> Decimal:
    if old.cache_rate is None or new.cache_rate is None:
        return NOUGHT
    return -(new.cache_rate - old.cache_rate) * new.prompt_tokens * discount


def _cost(usage: Mapping[str, Usage]) -> Decimal:
    return sum((one.cost for one in usage.values()), NOUGHT)


def _requests(usage: Mapping[str, Usage]) -> Decimal:
    return sum((one.requests for one in usage.values()), NOUGHT)


@dataclass(frozen=True)
class Mover:
    """One workload or workspace, with why it moved."""

    kind: str
    name: str
    reasons: Reasons
