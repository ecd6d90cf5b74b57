"""What the template says of functions, their asynchronous invocation and their queues."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class AsyncSettings:
    """How an asynchronous invocation fails. Lambda's defaults: two retries, six hours, nowhere to go."""

    retries: int = 2
    max_age_seconds: int = 21600
    on_failure: str | None = None
    on_success: str | None = None


@dataclass
class Function:
    """A function as deployed; `timeout` in seconds, `memory` in MB; `reserved`: how many runs there may be at once."""

    logical_id: str
    name: str
    arn: str
    role_arn: str
    handler: str
    timeout: int
    memory: int
    code: Path
    layers: list[Path]
    environment: dict[str, str]
    log_format: str
    log_group: str
    dead_letter_arn: str | None = None
    asynchronous: AsyncSettings = field(default_factory=AsyncSettings)
    url_auth: str | None = None
    reserved: int | None = None


@dataclass(frozen=True)
class QueueMapping:
    """An SQS event source mapping. `window_seconds` is how long a batch waits to fill."""

    function: str
    queue_arn: str
    batch_size: int
    window_seconds: int
    reports_failures: bool


@dataclass(frozen=True)
class StreamMapping:
    """A Kinesis event source mapping. `window_seconds` is how long a batch waits to fill; `tumbling_seconds`, how long
    a window lasts whose batches hand one another a state. `retries`: of a batch that fails, before it is given up."""

    function: str
    stream_arn: str
    batch_size: int
    window_seconds: int
    tumbling_seconds: int
    retries: int
    on_failure: str | None
