"""What the policy's fields are made of."""

import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: Any) -> Any:
    """`60d`, `24h`, `15m` or `2w` as a timedelta; raises `ValueError` with the forms that are understood."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([1-9][0-9]*)([mhdw])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"not a duration: {value!r}; write a number and one of m, h, d, w, for example 24h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _format_duration(value: timedelta) -> str:
    return f"{int(value.total_seconds() // 60)}m"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=Annotated[str, Field(pattern=r"^[1-9][0-9]*[mhdw]$")]),
    PlainSerializer(_format_duration, return_type=str),
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _given_as_text(value: object) -> object:
    # YAML 1.1 reads an unquoted 09:30 as 570, the number of minutes.
    return time(*divmod(value, 60)) if isinstance(value, int) and 0 <= value < 24 * 60 else value


TimeOfDay = Annotated[time, BeforeValidator(_given_as_text, json_schema_input_type=str)]
SlackUser = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,20}$")]
SlackChannel = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,20}$")]
Share = Annotated[float, Field(gt=0, le=10)]
"""A share of a limit: 0.8 is 80 %. Above 1 it alerts past a limit that does not block."""


class Part(BaseModel):
    """Base: immutable; an unknown field is a fault. A fault quotes no value: golden cases hold prompts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,512}$")]
"""A secret's name in Secrets Manager."""
