"""The simulated account in one object: its state, its faults, its clock, and what people and providers do to it."""

import copy
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from sandbox.openrouter.broadcast import Broadcaster
from sandbox.openrouter.clock import Clock
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.faults import Fault, Faults
from sandbox.openrouter.federation import FederationPolicy
from sandbox.openrouter.identities import hash_of, label_of
from sandbox.openrouter.keys import Key
from sandbox.openrouter.organization import Organization
from sandbox.openrouter.otlp import connection_tests
from sandbox.openrouter.refusals import Refusal
from sandbox.openrouter.resources import credential as find_credential
from sandbox.openrouter.resources import destination as find_destination
from sandbox.openrouter.seeding import declare
from sandbox.openrouter.traffic import Asked, Spent, ask, spend
from sandbox.openrouter.troubles import Kind, Trouble

LOGGED = 100_000
"""Requests remembered; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One request as `/_sim/requests` shows it. Status 0: the connection was closed without an answer."""

    at: float
    method: str
    path: str
    query: str
    status: int
    key_hash: str | None


class SimulatedAccount:
    """`clock` answers epoch seconds (default: the machine's). Touch `organization` under `lock` while it is served."""

    def __init__(
        self,
        management_key: str,
        clock: Callable[[], float] | None = None,
        seed: int = 0,
        *,
        credits: float = 1000.0,
        byok_fee: float = 0.0,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(clock)
        self.organization = Organization(self.clock, seed, label_of(management_key), credits=credits, byok_fee=byok_fee)
        self.management_hashes = {hash_of(management_key)}
        self.faults = Faults()
        self.latency = 0.0
        self.requests: deque[Logged] = deque(maxlen=LOGGED)
        self.on_write: Callable[[], None] = lambda: None
        """Called, under the lock, after each request that may have changed something, before it is answered."""
        self.on_answer: Callable[[str, Any], Any] = lambda _path, answer: answer
        """Called, under the lock, with the path and the value of each answer; gives what is sent, bytes as they are."""
        self.broadcaster = Broadcaster()

    def create_key(self, name: str, **fields: Any) -> tuple[Key, str]:
        """See `Organization.create_key`."""
        with self.lock:
            return self.organization.create_key(name, **fields)

    def spend(self, key_hash: str, usd: float, at: float | None = None, **traffic: Any) -> Spent:
        """Spend as inference would, without a request; `at` defaults to now. See `sandbox.openrouter.traffic`."""
        with self.lock:
            spent = spend(self.organization, key_hash, usd, at=self.clock.now() if at is None else at, **traffic)
        if self.organization.outbox:
            self.flush()
        return spent

    def ask(self, plaintext: str, usd: float, at: float | None = None, **traffic: Any) -> Asked:
        """One inference request, in process; `at` defaults to now. See `sandbox.openrouter.traffic.ask`."""
        with self.lock:
            return ask(self.organization, hash_of(plaintext), usd, at=self.clock.now() if at is None else at, **traffic)

    def fault(self, path: str, mode: Any, **more: Any) -> Fault:
        """Set a fault, see `sandbox.openrouter.faults.Fault`; the one set is answered, so that `seen` can be read."""
        fault = Fault(path, mode, **more)
        with self.lock:
            self.faults.add(fault, copy.deepcopy(self.organization) if fault.mode == "stale_list" else None)
        return fault

    def revoke_provider_key(self, raw: str) -> None:
        """The provider answers 401 to this key, in whatever credential it is put."""
        with self.lock:
            self.organization.revoked_provider_keys.add(raw)

    def lose_fields(self, *names: str) -> None:
        """From now on no saved preset keeps these fields of its config (or `system_prompt`); none ends that."""
        with self.lock:
            self.organization.lost_fields = set(names)

    def restrict_management(self, *, read_only: bool = False, workspace: str | None = None) -> None:
        """From now on the management key may only read, or act in one workspace (id or slug) alone; neither ends that.

        Writes of a read-only key, and calls that name another workspace or something in it, are answered 403; lists
        are cut to the workspace. No source says what the vendor answers.
        """
        with self.lock:
            self.organization.management_read_only = read_only
            self.organization.management_workspace_id = (
                "" if workspace is None else self.organization.workspace(workspace).id
            )

    def allow_addresses(self, *networks: str) -> None:
        """From now on every key, the management key too, is refused from any other address (vendor: guide on security
        settings; the 403's text is ours). None ends it.
        """
        with self.lock:
            self.organization.allowed_networks = tuple(ip_network(each) for each in networks)

    def federate(self, key_hash: str, *, issuer: str, subject: str, audience: str) -> FederationPolicy:
        """A federation policy, as an administrator makes one in Settings: it targets this key, whatever comes after."""
        with self.lock:
            policy = FederationPolicy(self.organization.ids.uuid("federation"), key_hash, issuer, subject, audience)
            self.organization.federation.policies[policy.id] = policy
            return policy

    def trouble(
        self,
        *,
        credential: str | None = None,
        trouble: Kind | None = None,
        provider: str | None = None,
        status: int | None = None,
        **when: Any,
    ) -> Trouble | None:
        """Put a BYOK credential (by id or name) or a whole provider (by slug) into trouble, or out of it with None.

        `when`: which requests it strikes, see `Trouble`; the one set is answered, so that `seen` can be read.
        """
        made = None if trouble is None else Trouble(trouble, **when)
        with self.lock:
            if credential is not None:
                self._credential(credential).trouble = made
            if provider is not None and status is not None:
                self.organization.outages[provider] = status
            elif provider is not None:
                self.organization.outages.pop(provider, None)
        return made

    def end_troubles(self) -> None:
        """Every credential and every provider is well again."""
        with self.lock:
            self.organization.outages.clear()
            for credential in self.organization.credentials.values():
                credential.trouble = None

    def troubles(self) -> dict[str, Any]:
        """Those that are set, whether or not they strike just now: of credentials by id, of providers by slug."""
        credentials = self.organization.credentials.values()
        return {
            "credentials": {each.id: each.trouble.view() for each in credentials if each.trouble},
            "providers": dict(self.organization.outages),
        }

    def _credential(self, id_or_name: str) -> Credential:
        named = [each for each in self.organization.credentials.values() if each.settings["name"] == id_or_name]
        if len(named) > 1:
            raise Refusal(400, f"{len(named)} credentials are named {id_or_name}")
        return named[0] if named else find_credential(self.organization, id_or_name)

    def test_connection(self, destination_id: str) -> None:
        """Send a destination what OpenRouter's Test Connection sends."""
        with self.lock:
            self.broadcaster.send(
                connection_tests(find_destination(self.organization, destination_id), self.clock.now())
            )

    def flush(self) -> None:
        """Hand what inference put in the outbox to the broadcaster."""
        with self.lock:
            waiting, self.organization.outbox = self.organization.outbox, []
        self.broadcaster.send(waiting)

    def state(self) -> dict[str, Any]:
        """Everything that can be read of the organization, in the API's own shapes."""
        organization, now = self.organization, self.clock.now()
        return {
            "now": now,
            "credits": {"total_credits": organization.credits, "total_usage": organization.meter.usage},
            "workspaces": [
                {**each.view(), "usage": each.meter.usage, "byok_usage": each.meter.byok}
                for each in organization.workspaces.values()
            ],
            "keys": [key.view(now) for key in organization.keys],
            "guardrails": [each.view() for each in organization.guardrails.values()],
            "assignments": {each.holder: each.guardrail_id for each in organization.key_assignments.values()},
            "byok": [
                {**each.view(), "trouble": each.trouble and each.trouble.view()}
                for each in organization.credentials.values()
            ],
            "destinations": [each.view() for each in organization.destinations.values()],
            "presets": [each.view_with_version() for each in organization.presets.values()],
            "faults": self.faults.view(),
        }

    def declare(self, document: dict[str, Any]) -> dict[str, str]:
        """Add what a seed document declares; answers the plaintext of every key in it, by name."""
        with self.lock:
            return declare(self.organization, document)
