"""What Budget Threshold Reached tells of the account's credits, in USD and hours."""

from pydantic import BaseModel, ConfigDict


class CreditsLeft(BaseModel):
    """How long the account's credits last. `left_usd` is negative where more was used than bought.

    `reached_usd`, `reached_hours`: the policy's thresholds that this message is about, highest first. `hours_at_...`:
    until the credits are used up at that rate; None: the rate is not known, or they last longer than a year.
    `auto_top_up_usd`: the amount that was bought three times in a row, taken for an automatic top-up;
    `auto_top_up_at_usd`: the lowest balance at which it came. `top_ups`: purchases and refunds that the meter has seen.
    `top_spenders`: workload or key and USD of the last hour, greatest first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    left_usd: float
    reached_usd: list[float] = []
    reached_hours: list[float] = []
    present_usd_per_hour: float | None = None
    usual_usd_per_hour: float | None = None
    hours_at_present: float | None = None
    hours_at_usual: float | None = None
    auto_top_up_usd: float | None = None
    auto_top_up_at_usd: float | None = None
    top_ups: int = 0
    top_spenders: list[tuple[str, float]] = []
