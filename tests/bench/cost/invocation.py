"""One invocation of a function, in what of it AWS bills: computing, waiting, logging. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

VCPU_MB = 1769
"""Memory at which a function has one vCPU (Lambda Developer Guide, "Configure function memory")."""

CALL_SECONDS = 0.150
"""Assumed: a call to OpenRouter or Slack, as a function waits for it."""
AWS_CALL_SECONDS = 0.015
"""Assumed: a call to an AWS service in the region, as a function waits for it."""
S3_BYTES_PER_SECOND = 50e6
"""Assumed: how fast a function writes to S3."""
PLATFORM_BYTES = 800
"""Assumed: Lambda's own `platform.start`, `.report` and `.runtimeDone` lines of an invocation, as JSON."""
LINE_BYTES = 26
"""CloudWatch Logs counts this much more for each event (PutLogEvents)."""


@dataclass(frozen=True)
class Invocation:
    """What one invocation of a function takes, on the average. `calls`: to AWS, `service:Operation` to how often.

    `cpu`: seconds of this machine's processor. `printed`: bytes of its own log lines, and `lines` of them.
    `asked`: calls to OpenRouter (and Slack), `sent` their bytes. `in_turn`: how many of those go on side by side.
    `kept`: bytes written to S3. `read`, `written`: of the tables, in the units that DynamoDB bills.
    """

    cpu: float
    calls: Mapping[str, float]
    printed: float
    lines: float
    asked: float = 0.0
    sent: float = 0.0
    in_turn: int = 1
    kept: float = 0.0
    read: float = 0.0
    written: float = 0.0

    @property
    def log_bytes(self) -> float:
        return self.printed + PLATFORM_BYTES + LINE_BYTES * (self.lines + 3)

    @property
    def secret_calls(self) -> float:
        return sum(count for name, count in self.calls.items() if name.startswith("secretsmanager:"))

    def aws_calls(self, *names: str) -> float:
        return sum(self.calls.get(name, 0.0) for name in names)

    def seconds(self, memory_mb: float, paced: float | None = None) -> float:
        """Billed duration. Waiting and computing are added up, though some of it coincides.

        `paced`: calls to OpenRouter a second at most.
        """
        waiting = self.asked / self.in_turn * CALL_SECONDS
        if paced:
            waiting = max(waiting, (self.asked - 1) / paced)
        waiting += sum(self.calls.values()) * AWS_CALL_SECONDS + self.kept / S3_BYTES_PER_SECOND
        return self.cpu / min(memory_mb / VCPU_MB, 1.0) + waiting
