"""Broadcast's command line in a test's hands: a stack with Broadcast on, the simulator, and moto's Secrets Manager."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import yaml

from governor.broadcast.destination import HEADER
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import MANAGEMENT, Ran, Terminal

SECRET, URL, REGION = "governor/broadcast", "https://gateway.example.com/", "us-east-1"
WORKLOAD: dict[str, Any] = {
    "name": "prod-search-agent", "workspace": "search", "owner": {"slack": "U0SEARCH"}, "tier": 1,
    "key": {"limit_usd": 200, "limit_reset": "monthly"}, "secret": "openrouter/prod/search",
}  # fmt: skip
POLICY: dict[str, Any] = {
    "version": 1, "alerts": {"channel": "C0ALERTS"}, "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD"]},
    "workloads": [WORKLOAD, {**WORKLOAD, "name": "prod-triage", "workspace": "triage", "secret": "openrouter/triage"}],
}  # fmt: skip


@dataclass
class Broadcasting:
    """`aws_client`: what a command gets of Secrets Manager. `on_sleep`: what happens while it waits so many seconds."""

    folder: Path
    parameters: dict[str, str] = field(
        default_factory=lambda: {"BroadcastSecretName": SECRET, "BroadcastSamplingRate": "1"}
    )
    outputs: dict[str, str] = field(default_factory=lambda: {"BroadcastUrl": URL})
    on_sleep: Callable[[float], None] | None = None
    wrap: Callable[[Any], Any] = lambda client: client
    through: Callable[[httpx.BaseTransport], httpx.BaseTransport] = lambda transport: transport

    def __post_init__(self) -> None:
        self.at = datetime.now(UTC)  # the times of secrets are moto's own
        self.simulator = Simulator(MANAGEMENT, clock=lambda: self.at.timestamp())
        self.terminal = Terminal(self.simulator)
        for name in ("search", "triage", "unrelated"):
            self.simulator.organization.create_workspace(name, name)
        self.secrets = boto3.client("secretsmanager", REGION)
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(POLICY))))
        self.slept = 0.0

    def run(self, *words: str) -> Ran:
        policy = ("--policy", str(self.folder / "policy.yaml")) if words[0] != "notifications" else ()
        return self.terminal.run(
            "broadcast", *words, *policy, "--stack", "governor",
            aws=self._client, now=lambda: self.at, sleep=self._sleep, transport=self.through(self.terminal.transport),
        )  # fmt: skip

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        needed = dict.fromkeys(("EventBusName", "EventBusArn", "LedgerTable", "DecisionsTable"), "x")
        outputs = [{"OutputKey": key, "OutputValue": one} for key, one in {**needed, **self.outputs}.items()]
        given = [{"ParameterKey": key, "ParameterValue": one} for key, one in self.parameters.items()]
        return {"Stacks": [{"Outputs": outputs, "Parameters": given}]}

    def stored(self) -> dict[str, str]:
        held: dict[str, str] = json.loads(
            self.secrets.get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")["SecretString"]
        )
        return held

    def workspace(self, name: str) -> Any:
        return next(one for one in self.simulator.organization.workspaces.values() if one.settings["name"] == name)

    def destinations(self, name: str) -> list[Any]:
        place = self.workspace(name).id
        return [one for one in self.simulator.organization.destinations.values() if one.workspace_id == place]

    def sent(self) -> list[str]:
        """The tokens that the destinations send."""
        every = self.simulator.organization.destinations.values()
        return [str(one.settings["config"].get("headers", {}).get(HEADER)) for one in every]

    def _client(self, service: str, _region: str | None) -> Any:
        return self if service == "cloudformation" else self.wrap(self.secrets)

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.on_sleep:
            self.on_sleep(seconds)
        else:
            self.at += timedelta(seconds=seconds)
