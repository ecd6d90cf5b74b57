"""What the tally is told by its environment, and what Lambda hands it of a shard."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field

from governor.environment import Settings
from governor.events import BadEvent


class TallySettings(Settings):
    """`sampling_rate`: the share of requests that OpenRouter is told to push. `shards`: of the stream."""

    reading_bucket: str
    spend_meter: str
    sampling_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    shards: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class Batch:
    """Some of a shard's records in order, with what the window's batches before left. `final`: the window is over."""

    records: tuple[bytes, ...]
    state: Mapping[str, Any]
    final: bool

    @classmethod
    def received(cls, event: Any) -> Self:
        """Lambda's event of a Kinesis stream with a tumbling window. Raises `BadEvent`.

        Source: Lambda Developer Guide, "Implementing stateful Kinesis Data Streams processing".
        """
        if not isinstance(event, Mapping) or not isinstance(event.get("Records"), list):
            raise BadEvent("not a batch of a stream: Records is missing; fix the event source mapping")
        if "window" not in event:
            raise BadEvent("the batch has no window; set TumblingWindowInSeconds in the event source mapping")
        try:
            records = tuple(base64.b64decode(one["kinesis"]["data"]) for one in event["Records"])
        except (KeyError, TypeError, binascii.Error) as error:
            raise BadEvent(f"Records: no record of Kinesis: {type(error).__name__}") from None
        state = event.get("state") or {}
        return cls(records, state if isinstance(state, Mapping) else {}, event.get("isFinalInvokeForWindow") is True)
