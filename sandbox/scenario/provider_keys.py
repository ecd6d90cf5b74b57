"""The demo's third account: three workspaces that bring their own provider keys, each with what can go wrong there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.credentials import Credential
from sandbox.openrouter.resources import add_credential
from sandbox.scenario.consumer import Consumer
from sandbox.scenario.organization import Founding, KeyOfOrganization
from sandbox.scenario.world import CHANNEL, World

BEGUN = datetime(2026, 4, 7, 9, tzinfo=UTC)
"""A Tuesday."""
TICK = timedelta(minutes=10)
ANSWERS, ORDERS, REPORTS, PROBE = "prod-answers", "prod-orders", "prod-reports", "probe-reports"
PLACES = {ANSWERS: "platform-answers", ORDERS: "platform-orders", REPORTS: "platform-reports"}
SECRETS = {name: f"openrouter/{name.replace('-', '/', 1)}" for name in (ANSWERS, ORDERS, REPORTS, PROBE)}
WITHIN_SECONDS = 3
REQUEST_USD, EVERY = 0.01, timedelta(seconds=30)
MODEL = "anthropic/claude-haiku-4.5"


def _policy(base_url: str) -> str:
    workloads = "".join(
        f"""\
  - name: {name}
    workspace: {place}
    owner: {{slack: U0{name[5:].upper()}}}
    secret: {SECRETS[name]}
"""
        for name, place in PLACES.items()
    )
    why = "reason: committed spend with the provider, owner: cloud-platform, exit: the commitment ends"
    return f"""\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: {CHANNEL}}}
defaults:
  budget: {{alert_at: [1.0]}}
  runaway: {{mode: "off"}}
workloads:
{workloads}byok:
  - {{workspace: {PLACES[ANSWERS]}, provider: anthropic, models: [{MODEL}], {why}}}
  - workspace: {PLACES[ORDERS]}
    provider: anthropic
    expect: {{prioritized: 2}}
    probe: {{model: {MODEL}, secret: {SECRETS[ORDERS]}}}
    drill: {{within_seconds: {WITHIN_SECONDS}}}
    reason: committed spend with the provider
    owner: orders-team
    exit: the commitment ends
  - workspace: {PLACES[REPORTS]}
    provider: anthropic
    expect: {{prioritized: 2}}
    action: bench
    probe: {{model: {MODEL}, secret: {SECRETS[REPORTS]}, keys: {{primary: {SECRETS[PROBE]}}}, per_day: 100}}
    reason: committed spend with the provider
    owner: data-team
    exit: the commitment ends
approvals: {{channel: {CHANNEL}, approvers: [U0LEAD, U0SEC], by_event: true}}
"""


def provider_keys() -> Founding:
    """As Governor finds it: every workload was served by the organization's own keys for four weeks."""
    keys = (
        *(KeyOfOrganization(name, place, "steady", 60.0, byok=True) for name, place in PLACES.items()),
        KeyOfOrganization(PROBE, PLACES[REPORTS], "steady", 0.01, byok=True),
    )
    return Founding(
        BEGUN,
        timedelta(days=28),
        tuple(PLACES.values()),
        keys,
        _policy,
        {secret: name for name, secret in SECRETS.items()},
    )


@dataclass
class ProviderKeys:
    """The world with its consumers, and each workspace's credentials by name."""

    world: World
    consumers: Mapping[str, Consumer]
    credentials: Mapping[tuple[str, str], Credential]

    def credential(self, workload: str, name: str) -> Credential:
        return self.credentials[workload, name]

    def told(self, detail_type: str, workload: str) -> list[dict[str, Any]]:
        """The details of each event of this type about the workload's workspace, in order."""
        subject = f"{PLACES[workload]}/anthropic"
        return [event["detail"] for event in self.world.events(detail_type, subject=subject)]

    def drill(self, id: str) -> None:
        """Somebody asks for a drill of the orders' workspace, a minute after a run."""
        subject = f"{PLACES[ORDERS]}/anthropic"
        self.world.put_event("Drill Requested", {"subject": subject, "id": id, "evidence": {"requested_by": "U0LEAD"}})

    def ticks(self, count: int) -> None:
        """So many runs of the checks, and a minute more, in which they are carried out."""
        now = self.world.now.replace(second=0, microsecond=0)
        end = now + TICK * count - timedelta(minutes=now.minute % 10)
        while self.world.now < end:
            self.world.run(min(self.world.now + TICK, end), every=TICK)
        self.world.run(end + timedelta(minutes=1))

    def probes(self) -> int:
        """Requests that Governor itself sent to a model."""
        return sum(one.path.endswith("/chat/completions") for one in self.world.simulator.requests)

    def remembered(self) -> list[str]:
        """The names of the rows that the checks keep."""
        client = self.world.engine.client("dynamodb")
        table = next(name for name in client.list_tables()["TableNames"] if name.endswith("-ledger"))
        rows = client.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "byok"}}
        )
        return [row["sk"]["S"] for row in rows["Items"]]

    def slack(self, words: str) -> str:
        """The newest message whose first line has these words."""
        return next((line for line in reversed(self.world.slack_lines()) if words in line), "")


def settle_in(world: World) -> ProviderKeys:
    """Gives each workspace its credentials, and starts the consumers."""
    organization = world.simulator.organization
    credentials: dict[tuple[str, str], Credential] = {}

    def add(workload: str, name: str, **more: Any) -> None:
        made = CredentialCreation(
            provider="anthropic", key=f"fake-{workload}-{name}", name=name, workspace_id=PLACES[workload], **more
        )
        credentials[workload, name] = add_credential(organization, made)

    add(ANSWERS, "primary")
    add(ORDERS, "primary")
    add(ORDERS, "second")
    add(REPORTS, "primary")
    add(REPORTS, "second", allowed_api_key_hashes=[world.hash(REPORTS)])
    consumers = {}
    for name in PLACES:
        world.traffic[name].scale = 0.0  # from now on its consumer spends
        secret = SECRETS[name]
        consumers[name] = Consumer(
            world.simulator, partial(world.api_key, secret), BEGUN, usd=REQUEST_USD, every=EVERY, replicas=1
        )
    world.traffic[PROBE].scale = 0.0
    world.consumers = list(consumers.values())
    return ProviderKeys(world, consumers, credentials)
