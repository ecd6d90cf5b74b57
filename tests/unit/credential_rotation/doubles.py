"""A workspace with credentials, a secret with versions, and a credential rotation over them. Every outside call goes
through `World.outside`, which a test may let die."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import SecretStr

from credential_rotation.ports import Ports
from credential_rotation.service import CredentialRotation, Report
from governor.events import Event
from governor.ledger import Delete, MemoryLedger, Put, Row
from governor.policy import Policy
from governor.secrets.versions import SecretMissing
from management_api import AuthenticationFailed, ByokKey, ByokPatch, ChatCompletion, Unavailable, Workspace

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
SECRET, NAME = "providers/anthropic", "platform/anthropic"
OLD, NEW = "fake-provider-key-old", "fake-provider-key-new"


def credential(id: str = "c-1", provider: str = "anthropic", **more: Any) -> ByokKey:
    nothing = dict.fromkeys(("allowed_models", "allowed_user_ids", "allowed_api_key_hashes"))
    fields = {"id": id, "provider": provider, "disabled": False, "is_fallback": False, "sort_order": 0}
    return ByokKey.model_validate({**nothing, **fields, "workspace_id": "ws", "created_at": NOW, **more})


@dataclass
class World:
    """`raw`: the key in each credential, which OpenRouter shows to nobody. `dead`: keys that the provider refuses.

    `answers`: what the probe gets instead, an exception or a completion.
    """

    credentials: list[ByokKey] = field(default_factory=lambda: [credential()])
    raw: dict[str, str] = field(default_factory=lambda: {"c-1": OLD})
    dead: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=lambda: {"v1": OLD})
    current: str = "v1"
    places: list[str] = field(default_factory=lambda: ["platform"])
    answers: list[Exception | ChatCompletion] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    probes: int = 0
    byok: dict[str, Any] = field(default_factory=dict)
    outside: Callable[[str, Callable[[], Any]], Any] = lambda _, call: call()
    lines: list[str] = field(default_factory=list)
    kept: MemoryLedger = field(default_factory=MemoryLedger)

    def put(self, text: str) -> None:
        """Somebody puts a new value into the secret."""
        self.current = f"v{len(self.versions) + 1}"
        self.versions[self.current] = text

    def tick(self) -> Report:
        fields = {
            "workspace": "platform",
            "provider": "anthropic",
            "reason": "r",
            "owner": "cloud-platform",
            "exit": "e",
        }
        probe = {"model": "anthropic/claude-haiku-4.5", "secret": "openrouter/probe"}
        declared = {**fields, "secret": SECRET, "probe": probe, **self.byok}
        policy = Policy.model_validate({"version": 1, "byok": [declared]})
        ports = Ports(
            policy=policy,
            secrets=_Secrets(self),
            probe_key=lambda _: SecretStr("fake-probe-key"),
            ledger=_Ledger(self),
            bus=_Bus(self),
            connect=cast(Any, lambda _deadline, fresh=False: _Account(self)),
            clock=lambda: NOW,
            log=self,
        )
        return CredentialRotation(ports).act(lambda: 50.0)

    def info(self, msg: object, *, extra: object = None) -> None:
        self.lines.append(f"{msg} {extra}")

    warning = info

    def told(self) -> list[tuple[str, str]]:
        """Each event once: its type, and its proof or rule."""
        once = {event.id: event for event in self.events}
        return [(one.detail_type.value, one.evidence["proof"] or one.evidence["rule"]) for one in once.values()]


@dataclass
class _Secrets:
    world: World

    def current(self, secret: str) -> str:
        if secret != SECRET:
            raise SecretMissing(f"there is no secret {secret}")
        return str(self.world.outside("describe", lambda: self.world.current))

    def text(self, secret: str, version: str) -> SecretStr | None:
        held = self.world.outside("text", lambda: self.world.versions.get(version))
        return None if held is None else SecretStr(held)


@dataclass
class _Ledger:
    world: World

    def get(self, pk: str, sk: str) -> Row | None:
        return cast("Row | None", self.world.outside("get", lambda: self.world.kept.get(pk, sk)))

    def rows(self, pk: str, prefix: str = "") -> list[Row]:
        return self.world.kept.rows(pk, prefix)

    def commit(self, *writes: Put | Delete) -> None:
        self.world.outside("commit", lambda: self.world.kept.commit(*writes))


@dataclass
class _Bus:
    world: World

    def publish(self, events: Any) -> None:
        self.world.outside("publish", lambda: self.world.events.extend(events))


@dataclass
class _Account:
    world: World

    @property
    def workspaces(self) -> Any:
        return _Listing(lambda: self.world.outside("workspaces", lambda: [
            Workspace(id=f"ws-{n}", name=name, slug=name, created_at=NOW) for n, name in enumerate(self.world.places)
        ]))  # fmt: skip

    @property
    def byok(self) -> Any:
        return self

    def list(self, *, workspace_id: str) -> list[ByokKey]:
        return cast("list[ByokKey]", self.world.outside("credentials", lambda: list(self.world.credentials)))

    def update(self, id: str, patch: ByokPatch) -> None:
        assert patch.key
        raw = {id: patch.key.get_secret_value()}
        self.world.outside("patch", lambda: self.world.raw.update(raw))

    def with_key(self, _: SecretStr) -> "_Account":
        return self

    def chat(self, request: Any, *, metadata: bool = False) -> ChatCompletion:
        assert metadata
        assert request["provider"] == {"only": ["anthropic"]}
        return cast(ChatCompletion, self.world.outside("chat", self._served))

    def _served(self) -> ChatCompletion:
        world = self.world
        world.probes += 1
        if world.answers:
            answer = world.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        statuses = [401 if world.raw[one.id] in world.dead else 200 for one in world.credentials]
        return completion(*statuses) if 200 in statuses else completion(*statuses, 200, is_byok=False)


@dataclass
class _Listing:
    list: Callable[[], Any]


def completion(*statuses: int, is_byok: bool = True) -> ChatCompletion:
    """A probe's answer with the attempts that led to it."""
    attempts = [{"provider": "Anthropic", "status": status} for status in statuses]
    told = {"is_byok": is_byok, "attempt": len(statuses), "attempts": attempts}
    return ChatCompletion.model_validate({"id": "g", "model": "m", "choices": [], "openrouter_metadata": told})


REFUSED_PROBE = AuthenticationFailed("no", request="POST /chat/completions", status=401)
SILENT = Unavailable("no answer", request="POST /chat/completions")
