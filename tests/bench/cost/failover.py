"""What byok_failover takes: its shipped handler over the simulator and a local AWS, in the world of failover's bench.

The keys of the size in question are spread over that world's workspaces, and over more where the account has more. An
hour of runs is let pass, in which everything is seen for the first time; the hour after it is measured.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from governor.clock import format_instant
from sandbox.openrouter.simulator import Simulator
from tests.bench.byok_world import WORKSPACES, declared, founded, traffic
from tests.bench.cost.invocation import Invocation
from tests.bench.cost.measure import average, aws, stack_facing
from tests.bench.far_side import MANAGEMENT_KEY
from tests.bench.processes import REGION, Worker

START, TICK, BEATS_AN_HOUR = datetime(2026, 5, 12, tzinfo=UTC), timedelta(minutes=10), 6


@dataclass
class _Clock:
    now: datetime = START


class Ticks:
    """`reading`: the average of an hour's runs that send no probe. `probing`: of the one that does."""

    reading: Invocation
    probing: Invocation

    def __init__(self, built: Path, keys: int, workspaces: int) -> None:
        self._clock = _Clock()
        self._simulator = Simulator(MANAGEMENT_KEY, clock=lambda: self._clock.now.timestamp(), credits=1e9)
        self._traffic = founded(self._simulator)
        self._fill(keys, workspaces)
        with self._simulator.serve() as url, aws() as variables:
            stack = stack_facing(built, url, declared(self._traffic))
            secrets = boto3.Session("fake", "fake", region_name=REGION).client(
                "secretsmanager", endpoint_url=variables["AWS_ENDPOINT_URL"]
            )
            for slug, (_, plaintext) in self._traffic.items():
                secrets.create_secret(Name=f"openrouter/{slug}", SecretString=json.dumps({"api_key": plaintext}))
            named = {**variables, "POWERTOOLS_SERVICE_NAME": "byok_failover"}
            with Worker.shipped("handlers.py", stack, "ByokFailoverFunction", **named) as worker:
                worker.tell("start", function="byok_failover", apart=True)
                taken = [self._tick(worker) for _ in range(2 * BEATS_AN_HOUR)][BEATS_AN_HOUR:]
        unread = [told["answer"]["unread"] for told in taken]
        assert not any(unread), unread
        probing = [told for told in taken if told["answer"]["probes"]]
        assert len(probing) == 1, "an hour has one run in which probes are due"
        self.probing = average(probing, 1)
        self.reading = average([told for told in taken if told not in probing], 1)

    def _fill(self, keys: int, workspaces: int) -> None:
        organization = self._simulator.organization
        slugs = [f"team-{number}" for number in range(max(WORKSPACES, workspaces))]
        for slug in slugs[WORKSPACES:]:
            organization.create_workspace(slug.title(), slug)
        for number in range(keys - WORKSPACES):
            self._simulator.create_key(f"prod-team-key{number}", workspace=slugs[number % len(slugs)])

    def _tick(self, worker: Worker) -> dict[str, Any]:
        traffic(self._simulator, self._traffic)
        self._clock.now += TICK
        self._simulator.requests.clear()
        told = worker.tell("invoke", event={"version": 1, "scheduled_time": format_instant(self._clock.now)})
        return {**told, "asked": len(self._simulator.requests), "sent": 0}
