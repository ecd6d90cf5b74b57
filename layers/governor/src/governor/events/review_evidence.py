"""What the events of the weekly review hold."""

from pydantic import Field

from governor.events.evidence import Evidence


class ReviewRequested(Evidence):
    """Review Requested, from outside: review the account now. Who asks counts for nothing: it changes nothing."""

    requested_by: str = ""


class Reviewed(Evidence):
    """Account Reviewed. USD; the week is the seven completed UTC days before, `usual` the mean of the three before it.

    `findings`: open ones by severity, `accepted` apart; `new`, `ended` since the last review. `unread`: parts of the
    account that could not be read, of which the review says nothing. `run`: names its objects under `reviews/`.
    """

    run: str
    week_usd: float
    week_before_usd: float
    usual_week_usd: float
    month_so_far_usd: float | None = None
    month_expected_usd: float | None = None
    month_low_usd: float | None = None
    month_high_usd: float | None = None
    findings: dict[str, int] = Field(default_factory=dict)
    accepted: int = 0
    new: int = 0
    ended: int = 0
    unread: list[str] = Field(default_factory=list)
