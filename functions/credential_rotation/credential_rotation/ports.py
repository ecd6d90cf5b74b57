"""What credential rotation works with, and what it remembers of one credential."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from governor.clock import Clock
from governor.events import Publisher
from governor.ledger import ABSENT, Ledger, Put
from governor.policy import Byok, Policy
from governor.ports import Connect, Log

if TYPE_CHECKING:
    from management_api import OpenRouter

PK = "credential"


class ProviderSecrets(Protocol):
    """Where providers' raw keys are kept. Raises `SecretMissing` and `SecretUnavailable`; neither means "none"."""

    def current(self, secret: str) -> str:
        """The id of the version that is AWSCURRENT."""

    def text(self, secret: str, version: str) -> SecretStr | None:
        """The whole text of a version; None when Secrets Manager keeps it no more."""


@dataclass(frozen=True)
class Known:
    """What was done for one credential: a row of the ledger, pk `credential`.

    `version`: the secret's that was dealt with last. `before`: the one that it replaced, to go back to. `status`:
    `putting` (the PATCH may or may not have been done), `put`, `proven`, `reverting` (the PATCH back may or may not
    have been done), `refused` (the former is in place again), or the rule by which nothing could be done. `tries`:
    probes that told nothing. `saying`: the event that the bus may not have yet.
    """

    name: str
    version: str
    before: str = ""
    status: str = "proven"
    tries: int = 0
    saying: Mapping[str, Any] | None = None
    row: int = ABSENT

    def put(self) -> Put:
        data = {
            "version": self.version,
            "before": self.before,
            "status": self.status,
            "tries": self.tries,
            "saying": self.saying,
        }
        return Put(PK, self.name, data, self.row)

    @classmethod
    def read(cls, ledger: Ledger, name: str) -> "Known | None":
        row = ledger.get(PK, name)
        return cls._of(name, row.data, row.version) if row else None

    @classmethod
    def _of(cls, name: str, data: Mapping[str, Any], row: int) -> "Known":
        return cls(name, data["version"], data["before"], data["status"], int(data["tries"]), data["saying"], row)


@dataclass(frozen=True)
class Ports:
    """What outlives an invocation. `probe_key`: the inference key in a secret."""

    policy: Policy
    secrets: ProviderSecrets
    probe_key: "ProbeKey"
    ledger: Ledger
    bus: Publisher
    connect: "Connect[OpenRouter]"
    clock: Clock
    log: Log


class ProbeKey(Protocol):
    """Reads the inference key that probes. Raises `SecretUnavailable` and `SecretMalformed`."""

    def __call__(self, secret: str) -> SecretStr: ...


def name_of(byok: Byok) -> str:
    """The credential's name in the ledger and to people."""
    return "/".join(part for part in (byok.workspace, byok.provider, byok.credential) if part)
