"""Secrets Manager's versions and labels, as rotation moves them. Plaintext passes through, redacted in every repr."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import SecretStr

from governor.clock import format_instant, parse_instant
from governor.secrets import SecretMalformed

Stage = Literal["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]


class VersionTaken(Exception):
    """The version has a value already, another one: a copy of ours was first. Its value stands."""


class SecretMissing(Exception):
    """There is no such secret, or it is scheduled for deletion."""


class RotationUnfinished(Exception):
    """Secrets Manager holds an earlier rotation of the secret for unfinished: its AWSPENDING must be cleared first."""


@dataclass(frozen=True)
class WorkloadSecret:
    """What a workload's secret holds (JSON), and what its consumers read.

    `hash`, `name`, `workspace_id` and `rotated_at` are empty in a secret that a person made and Governor adopted.
    """

    api_key: SecretStr
    hash: str = ""
    name: str = ""
    workspace_id: str = ""
    base_url: str = ""
    rotated_at: datetime | None = None

    def text(self) -> str:
        """The JSON, plaintext and all: for Secrets Manager only."""
        return json.dumps(
            {
                "api_key": self.api_key.get_secret_value(),
                "hash": self.hash,
                "name": self.name,
                "workspace_id": self.workspace_id,
                "base_url": self.base_url,
                "rotated_at": format_instant(self.rotated_at) if self.rotated_at else "",
            }
        )

    @classmethod
    def parse(cls, secret: str, text: str) -> "WorkloadSecret":
        """Raises `SecretMalformed`, which names the secret and the field, never a value."""
        try:
            data = json.loads(text)
            api_key = data["api_key"]
        except (ValueError, KeyError, TypeError, RecursionError):
            # `from None`: json's error carries the document, which is the secret.
            raise SecretMalformed(f"secret {secret}: expected a JSON object with the field 'api_key'") from None
        fields = {name: data.get(name, "") for name in ("hash", "name", "workspace_id", "base_url", "rotated_at")}
        for name, value in {"api_key": api_key, **fields}.items():
            if not isinstance(value, str):
                raise SecretMalformed(f"secret {secret}: field {name!r} must be a string")
        rotated_at = fields.pop("rotated_at")
        return cls(SecretStr(api_key), **fields, rotated_at=parse_instant(rotated_at) if rotated_at else None)


@dataclass(frozen=True)
class SecretState:
    """A secret as DescribeSecret shows it. `stages`: the labels of each version id.

    `replicas`: region to status (`InSync`, `InProgress`, `Failed`). `changed_at`: when anything of it last changed,
    a rotation's beginning included.
    """

    arn: str
    name: str
    rotation_enabled: bool
    stages: Mapping[str, frozenset[str]]
    changed_at: datetime | None = None
    replicas: Mapping[str, str] | None = None

    def holder(self, stage: Stage) -> str | None:
        """The id of the version that bears the label."""
        return next((version for version, stages in self.stages.items() if stage in stages), None)


class SecretVersions(Protocol):
    """Secrets Manager. Every method raises `SecretMissing` for a secret that is not there, and `SecretUnavailable`
    (`governor.secrets`) for a refusal, a throttle or a failure: neither is ever taken for "no such version".
    """

    def describe(self, secret: str) -> SecretState: ...

    def value(self, secret: str, version: str | None = None, stage: Stage | None = None) -> WorkloadSecret | None:
        """The value of a version (AWSCURRENT's without one); None when there is no such version, or it has no value
        yet, or does not bear the stage."""

    def put_at(self, secret: str) -> datetime:
        """When the present value was put there."""

    def create(self, secret: str, value: WorkloadSecret) -> None:
        """A new secret. Idempotent: one that exists stays as it is."""

    def put_pending(self, secret: str, token: str, value: WorkloadSecret) -> None:
        """Stores the value as version `token` under AWSPENDING. Idempotent. Raises `VersionTaken`."""

    def move(self, secret: str, stage: Stage, *, to: str | None, off: str | None) -> None:
        """Moves a label, or takes it off (`to` None). `off` must be the version that bears it now, or it is refused.

        Moving AWSCURRENT leaves AWSPREVIOUS where it came from.
        """

    def rotate(self, secret: str, token: str, function_arn: str, every_days: int) -> None:
        """Asks Secrets Manager to rotate now, under this token, and by its own schedule every so many days.

        The same token again is the same rotation. Raises `RotationUnfinished`.
        """
