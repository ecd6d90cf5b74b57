"""The two bases: what is read tolerates more than is documented, what is sent does not."""

import threading
from datetime import UTC
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime

from redaction import redact

Instant = Annotated[
    AwareDatetime | Annotated[NaiveDatetime, AfterValidator(lambda moment: moment.replace(tzinfo=UTC))],
    Field(union_mode="left_to_right"),
]
"""An aware datetime. OpenRouter documents UTC; a text without an offset is read as that."""

_SHORT_RUNS = r"^(?:[A-Za-z0-9]{0,11}[^A-Za-z0-9])*[A-Za-z0-9]{0,11}$"
"""No letters and digits twelve in a row, as every real credential has them: ten thousand keys' names are told apart by
pydantic's own regular expressions, in a tenth of the time."""
Name = Annotated[
    Annotated[str, Field(pattern=_SHORT_RUNS)] | Annotated[str, AfterValidator(redact)],
    Field(union_mode="left_to_right"),
]
"""What a person called something. People paste keys into names; a name is stored, logged and shown."""

MOST_USD = 1e12
"""USD. No amount that OpenRouter answers can be larger: a limit may be set high to mean none, but not so high."""
Usd = Annotated[float, Field(ge=0, le=MOST_USD, allow_inf_nan=False, strict=True)]
"""An amount of money: a JSON number, finite and not negative. Anything else makes the answer unreadable: an infinite
counter would be a habit that no loop ever passes, and one that is not a number a silent zero."""
Balance = Annotated[float, Field(ge=-MOST_USD, le=MOST_USD, allow_inf_nan=False, strict=True)]
"""What is left of a limit, USD. It may be below zero: requests under way complete."""
IDENTIFIER = r"^[A-Za-z0-9_.:~-]{1,128}$"
Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
"""An id that is kept, compared and put into paths and rows: no blank, no line break, no separator of ours."""
Slug = Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]{0,200}$")]
"""The part of an address that names something: no blank and no control character."""

_BUILDING = threading.RLock()


def ready[M: BaseModel](model: type[M]) -> type[M]:
    """`model`, its deferred validator built. Pydantic builds on first use without a lock, and threads that race to it
    meet a model half built; so everything that validates goes through here."""
    if not model.__pydantic_complete__:
        with _BUILDING:
            model.model_rebuild()
    return model


class Answer(BaseModel):
    """Read from OpenRouter: immutable, unknown fields dropped. Enumerations are open: plain `str`, values documented.

    A field that OpenRouter always sends and on which money depends is required: its absence must never read as zero.
    `defer_build`: validators are built when first used, which a cold start feels.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", defer_build=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class Request(BaseModel):
    """Sent to OpenRouter: only the fields that were set are sent, and an explicit None is sent as null."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)

    def __init__(self, **fields: Any) -> None:
        ready(type(self))
        super().__init__(**fields)
