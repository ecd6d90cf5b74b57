"""The account as a whole: where it is, who is told, when nothing rotates."""

from datetime import timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field

from governor.policy._parts import Duration, Part, SlackChannel


class ManagementKey(Part):
    """When people are told to replace the management key, which no API replaces."""

    max_age: Duration = timedelta(days=180)
    before_expiry: Duration = timedelta(days=21)


class Credits(Part):
    """When people are told how long the account's credits last: at so many USD, and hours at the rate of spend.

    An empty list tells nothing. 0 USD: the credits are used up.
    """

    alert_at_usd: tuple[Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)], ...] = (2000, 500, 50, 1, 0)
    alert_at_hours: tuple[Annotated[float, Field(gt=0, le=24 * 366, allow_inf_nan=False)], ...] = (72, 24, 4)


class Account(Part):
    """`max_key_lifetime`: what the organization has set at OpenRouter (Settings, Privacy), which no API tells.

    Keys that never expire, or expire later, are refused there, those that exist already included.
    """

    base_url: Annotated[str, Field(pattern=r"^(https://\S+|http://localhost:\S+)[^/]$")] = (
        "https://openrouter.ai/api/v1"
    )
    management_key: ManagementKey = ManagementKey()
    credits: Credits = Credits()
    max_key_lifetime: Duration | None = None


class Alerts(Part):
    """Where Governor speaks. Without it, alerts go to the e-mail topic only."""

    channel: SlackChannel


class Freeze(Part):
    """A time in which no rotation is planned; one that a person asks for, or a leak, goes on."""

    start: Annotated[AwareDatetime, Field(alias="from")]
    end: Annotated[AwareDatetime, Field(alias="to")]
    reason: str


class Rotations(Part):
    """Rotations of the account together: how many run at once, and when none is planned."""

    at_once: Annotated[int, Field(ge=1, le=100)] = 5
    freezes: tuple[Freeze, ...] = ()
