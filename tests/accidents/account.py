"""The account in which accidents happen: workloads that are all alike, each with a secret, a cap, a guardrail, a place
in an allowlist and in a filter, and a service that uses its key. Accidents do not mix: each has a workload of its own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from governor.policy import lineage_name
from sandbox.openrouter.bodies import CredentialCreation, DestinationCreation
from sandbox.openrouter.identities import hash_of
from sandbox.openrouter.resources import add_credential, add_destination
from sandbox.openrouter.traffic import unusable
from sandbox.scenario.consumer import Consumer
from sandbox.scenario.organization import Founding, KeyOfOrganization
from sandbox.scenario.world import World, open_world

BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
PLACE, ELSEWHERE = "platform-production", "platform-staging"
CAP = 100.0
SPENT = 20.0
"""USD of each key in the history, before this month began."""
REQUEST_USD = 0.002
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TEN = 10 * MINUTE
OVERLAP, QUARANTINE = HOUR, 4 * HOUR


def secret_of(workload: str) -> str:
    return f"openrouter/{workload}"


def policy(base_url: str, workloads: list[str], changes: dict[str, str] | None = None) -> str:
    """YAML. `changes`: other text for a workload's `key`; empty text leaves the workload out."""
    lines = [
        "version: 1", f'account: {{base_url: "{base_url}"}}', "alerts: {channel: C0GOVERNOR}",
        "defaults:", "  budget: {alert_at: [0.8, 1.0]}", "  runaway: {mode: alert}",
        "rotations: {at_once: 100}", "workloads:",
    ]  # fmt: skip
    for name in workloads:
        key = (changes or {}).get(name, f"limit_usd: {CAP:g}, limit_reset: monthly, guardrail: production")
        if key:
            lines += [
                f"  - name: {name}", f"    workspace: {PLACE}", "    owner: {slack: U0OWNER}",
                f"    key: {{{key}}}", f"    secret: {secret_of(name)}",
                "    runaway: {mode: disable}", "    exposed: {mode: disable}",
                "    rotation: {every: 30d, overlap: 1h, quiet: 30m, drain_deadline: 3h, quarantine: 4h}",
            ]  # fmt: skip
    approvals = "approvals: {channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC], by_event: true}"
    return "\n".join([*lines, approvals, ""])


@dataclass
class Hands:
    """What people did to a workload's keys, by hash, which Governor must not undo. `put_back`: the secret holds an old
    key, which Governor keeps beside the new one."""

    deleted: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    limited: set[str] = field(default_factory=set)
    attached: set[str] = field(default_factory=set)
    put_back: bool = False


class Account:
    """The world, and of each workload its keys, and what people did to them."""

    def __init__(self, world: World, folder: Path, workloads: list[str]) -> None:
        self.world, self.folder, self.workloads = world, folder, workloads
        self.first = {name: world.hash(name) for name in workloads}
        self.hands = {name: Hands() for name in workloads}
        self.places: dict[str, str] = {}
        self.consumers = {name: self._consumer(name) for name in workloads}
        world.consumers = list(self.consumers.values())

    @property
    def organization(self) -> Any:
        return self.world.simulator.organization

    def held(self, workload: str) -> dict[str, Any]:
        """What the secret holds now; nothing where it is not JSON."""
        try:
            found = json.loads(self.world.engine.secret_text(secret_of(workload)))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def held_hash(self, workload: str) -> str:
        return hash_of(str(self.held(workload).get("api_key", "")))

    def works(self, key_hash: str) -> bool:
        """Whether OpenRouter would take a request of the key, whatever it has spent."""
        return unusable(self.organization.keys.get(key_hash), self.world.now.timestamp()) is None

    def keys(self, workload: str) -> list[Any]:
        """Governor's keys of the workload, and the one that it began with, as OpenRouter has them."""
        return [
            key
            for key in self.organization.keys
            if key.hash not in self.hands[workload].made
            and (key.hash == self.first[workload] or self.places.get(key.hash) == workload)
        ]

    def note_new_keys(self) -> None:
        """Whose a key is stands in its name when it is made; a person may rename it afterwards."""
        for key in self.organization.keys:
            if key.hash not in self.places and "#" in key.name:
                self.places[key.hash] = lineage_name(key.name)

    def current(self, workload: str) -> Any:
        """The key that the secret holds."""
        return self.organization.keys.get(self.held_hash(workload))

    def old(self, workload: str) -> Any:
        """The key that it began with."""
        return self.organization.keys.get(self.first[workload])

    def ask(self, detail_type: str, workload: str, **evidence: Any) -> None:
        by = {"requested_by": "U0LEAD"}
        self.world.put_event(detail_type, {"subject": workload, "evidence": {**by, **evidence}})

    def told(self, workload: str) -> list[str]:
        """The detail types of all events about the workload or one of its keys."""
        subjects = {workload, *(key for key, place in self.places.items() if place == workload), self.first[workload]}
        return [event["detail-type"] for event in self.world.events() if event["detail"]["subject"] in subjects]

    def pass_time(self, span: timedelta, every: timedelta = TEN) -> None:
        self.world.run(self.world.now + span, every=every)

    def deploy_policy(self, changes: dict[str, str]) -> None:
        """Another policy, as after a deployment: every function starts anew with it."""
        from sandbox import build

        path = self.folder / "changed.yaml"
        path.write_text(policy(self.world.base_url, self.workloads, changes))
        build.replace_policy(path, self.folder / "stack")
        self.world.engine.recycle()

    def _consumer(self, workload: str) -> Consumer:
        return Consumer(
            self.world.simulator,
            lambda: str(self.held(workload).get("api_key", "")),
            BEGUN,
            usd=REQUEST_USD,
            every=TEN,
            replicas=1,
            app=workload,
        )


@contextmanager
def opened(folder: Path, names: list[str]) -> Iterator[Account]:
    """The account on the day that Governor is installed, with a workload for each name."""
    keys = tuple(KeyOfOrganization(name, PLACE, "steady", SPENT, CAP, "monthly") for name in names)
    founding = Founding(
        BEGUN, timedelta(days=28), (PLACE, ELSEWHERE), keys, lambda url: policy(url, names),
        {secret_of(name): name for name in names},
    )  # fmt: skip
    with open_world(folder, account=founding) as world:
        organization = world.simulator.organization
        organization.workspace(PLACE).settings["is_observability_broadcast_enabled"] = True
        hashes = [world.hash(name) for name in names]
        guardrail = organization.create_guardrail("production", PLACE, limit_usd=CAP, reset_interval="monthly")
        organization.create_guardrail("lax", PLACE)
        organization.assign(guardrail, hashes)
        add_credential(
            organization,
            CredentialCreation(
                provider="anthropic", key="fake-raw-key", workspace_id=PLACE, allowed_api_key_hashes=list(hashes)
            ),
        )
        add_destination(
            organization,
            DestinationCreation(type="s3", name="traces", config={}, workspace_id=PLACE, api_key_hashes=list(hashes)),
        )
        for name in names:
            world.traffic[name].scale = 0.0  # from now on their services spend
        account = Account(world, folder, names)
        world.run(world.now + 2 * MINUTE)
        yield account
