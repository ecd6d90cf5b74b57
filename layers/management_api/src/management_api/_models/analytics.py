"""Analytics, activity and credits: what was spent, in USD."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, AwareDatetime, Field

from management_api._models._base import MOST_USD, Answer, Request, Usd


class Credits(Answer):
    """The account's credits over its whole life, in USD; the difference is what is left."""

    total_credits: Usd
    total_usage: Usd


class Metric(StrEnum):
    """The metrics that are asked for, and what each means (vendor: guide on the analytics schema). USD, or requests.

    `usage_upstream` is missing on purpose: it is what the providers charge for all inference, not the part that our
    own provider keys paid.
    """

    TOTAL_USAGE = "total_usage"
    """All spend: billed to credits, and BYOK inference beside it."""
    CREDITS_USAGE = "credits_usage"
    """Spend that was billed to the account's credits, fees on BYOK requests included."""
    BYOK_USAGE = "byok_usage"
    """BYOK inference: what our own provider accounts paid."""
    REQUEST_COUNT = "request_count"
    """Requests, whoever paid them."""


class Dimension(StrEnum):
    """The dimensions that are asked for. Keys and workspaces come back by name."""

    API_KEY = "api_key_id"
    MODEL = "model"
    PROVIDER = "provider"
    APP = "app"
    USER = "user"
    WORKSPACE = "workspace"


SINGLE_REQUESTS_WITHIN = timedelta(days=31)
"""The longest range with a dimension or a filter that is read from single requests: `provider`, `app`, `workspace`."""


class AnalyticsFilter(Request):
    """`operator`: `eq`, `neq`, `in`, `not_in`, `gt`, `gte`, `lt`, `lte`. The field `api_key_id` takes a key's hash."""

    field: str
    operator: str
    value: str | float | list[str | float]


class TimeRange(Request):
    """From `start` to `end`."""

    start: AwareDatetime
    end: AwareDatetime


class AnalyticsOrder(Request):
    """`direction`: `asc` or `desc`."""

    field: str
    direction: str


class AnalyticsQuery(Request):
    """A question to `POST /analytics/query`.

    `metrics`: `Metric`, or any other that `GET /analytics/meta` lists. `dimensions`: at most two of `Dimension`, or
    others. `granularity`: `minute` (over three hours at most), `hour`, `day`, `week` or `month`. The account may ask
    64 times a minute.
    """

    metrics: list[str]
    dimensions: list[str] = Field(default_factory=list)
    filters: list[AnalyticsFilter] = Field(default_factory=list)
    granularity: str | None = None
    time_range: TimeRange | None = None
    order_by: AnalyticsOrder | None = None
    limit: int | None = None
    group_limit: int | None = None


class AnalyticsResult(Answer):
    """`rows` by name of metric, dimension and time; `truncated` when there were more than were sent.

    Counts may be strings of digits (`number` reads both), a component that was not used is None, and the dimensions
    `api_key_id` and `workspace` hold *names*, never ids.

    `warnings`: values of a filter that OpenRouter could not resolve, a key's hash for one. The rows are then of other
    traffic than was asked about, and no rows do not mean no traffic. `cached_at`: when the rows were computed, where
    they were not computed now; what came later is not among them.
    """

    rows: list[dict[str, Any]]
    truncated: bool
    warnings: list[str] = Field(default_factory=list)
    cached_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the rows answer the question that was asked, and all of it."""
        return not self.truncated and not self.warnings


class AnalyticsMetric(Answer):
    """One metric that can be asked for. `display_format`: `number`, `currency`, `percent`, `latency`, `throughput`."""

    name: str
    display_label: str = ""
    display_format: str = ""
    is_rate: bool = False


class AnalyticsName(Answer):
    """One dimension, granularity or operator that can be asked for."""

    name: str
    display_label: str = ""


class AnalyticsMeta(Answer):
    """What can be asked of analytics at present: `GET /analytics/meta`."""

    metrics: list[AnalyticsMetric]
    dimensions: list[AnalyticsName]
    granularities: list[AnalyticsName] = Field(default_factory=list)
    operators: list[AnalyticsName] = Field(default_factory=list)


class ActivityItem(Answer):
    """One model at one endpoint on one completed UTC day. `date` is `YYYY-MM-DD`."""

    date: str
    model: str
    model_permaslug: str = ""
    endpoint_id: str = ""
    provider_name: str = ""
    requests: int
    usage: Usd
    byok_usage_inference: Usd
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    workspace_id: str | None = None


class AnalyticsMetadata(Answer):
    """`truncated` is required: without it nobody knows whether the rows are all."""

    truncated: bool


class AnalyticsData(Answer):
    """The inside of the answer, as it is sent."""

    data: list[dict[str, Any]]
    metadata: AnalyticsMetadata
    warnings: list[str] | None = None
    cached_at: float | None = Field(None, validation_alias=AliasChoices("cachedAt", "cached_at"))
    """Since 1970; no source states the unit."""

    @property
    def computed_at(self) -> datetime | None:
        """`cached_at` as an instant, in seconds or milliseconds; None where it is neither."""
        if self.cached_at is None:
            return None
        seconds = self.cached_at / 1000 if self.cached_at >= _MILLISECONDS else self.cached_at
        return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < _MILLISECONDS else None


_MILLISECONDS = 1e11
"""From here on a number is one of milliseconds: as seconds it would lie beyond the year 5000."""


def number(value: Any) -> float | None:
    """A metric as a number, whether it came as one or as a string of digits; None for what was not used.

    Raises `ValueError` for anything else, and for a number that no metric can be: not finite, negative, or beyond
    `MOST_USD`.
    """
    if value is None or isinstance(value, bool):
        return None
    read = float(value)
    if not 0 <= read <= MOST_USD:
        raise ValueError(f"a metric of {read} cannot be")
    return read
