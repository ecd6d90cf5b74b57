"""Analytics, activity and credits: what was spent, in USD."""

from typing import Any

from pydantic import AwareDatetime, Field

from management_api._models._base import Answer, Request


class Credits(Answer):
    """The account's credits over its whole life, in USD; the difference is what is left."""

    total_credits: float
    total_usage: float


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

    `metrics`: `total_usage`, `request_count`, `tokens_total`, ... `dimensions`: at most two of `api_key_id`, `model`,
    `provider`, `app`, `user`, `workspace`, ... `granularity`: `minute`, `hour`, `day`, `week` or `month`.
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
    """

    rows: list[dict[str, Any]]
    truncated: bool


class ActivityItem(Answer):
    """One model at one endpoint on one completed UTC day. `date` is `YYYY-MM-DD`."""

    date: str
    model: str
    model_permaslug: str = ""
    endpoint_id: str = ""
    provider_name: str = ""
    requests: int
    usage: float
    byok_usage_inference: float
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


def number(value: Any) -> float | None:
    """A metric as a number, whether it came as one or as a string of digits; None for what was not used.

    Raises `ValueError` for anything else.
    """
    if value is None or isinstance(value, bool):
        return None
    return float(value)
