"""The demo's second account: five workloads whose keys rotate, the keys made by hand that they had before, and their
consumers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from governor.policy import lineage_name
from sandbox.openrouter.bodies import CredentialCreation, DestinationCreation
from sandbox.openrouter.resources import add_credential, add_destination
from sandbox.scenario.consumer import Consumer
from sandbox.scenario.organization import Founding, KeyOfOrganization
from sandbox.scenario.world import World

BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
DAYS = 60
WORKSPACE = "platform-production"
ANSWERS, CRAWLER, LOOPS, DIGEST = "prod-answers", "prod-crawler", "prod-order-loop", "prod-digest"
BY_HAND = "answers, made by hand"
GUARDRAIL = "answers"
REPLICA = "eu-west-1"
SECRETS = {name: f"openrouter/{name.replace('-', '/', 1)}" for name in (ANSWERS, CRAWLER, LOOPS, DIGEST)}
ANSWERS_USD, CRAWLER_USD, LOOPS_USD = 0.0005, 0.016, 0.004
"""What one request costs."""
ANSWERS_CAP, CRAWLER_CAP = 160.0, 40.0
"""By the month, and by the week. The crawler and its old container want twice that."""
TICK, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
PLANNED = timedelta(hours=7)
"""The time of day at which the daily plan, of 06:30, has been carried out."""
FORGETFUL = "an old container"
_REPEAT = timedelta(minutes=2)


def _policy(base_url: str) -> str:
    return f"""\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: C0GOVERNOR}}
defaults:
  budget: {{alert_at: [1.0]}}
  runaway: {{mode: alert}}
workloads:
  - name: {ANSWERS}
    workspace: {WORKSPACE}
    owner: {{slack: U0ANSWERS}}
    key: {{limit_usd: {ANSWERS_CAP}, limit_reset: monthly, include_byok_in_limit: true, guardrail: {GUARDRAIL},
      adopts: "{BY_HAND}"}}
    secret: {SECRETS[ANSWERS]}
    copies: {{parameter: /{SECRETS[ANSWERS]}, regions: [{REPLICA}]}}
    rotation: {{every: 13d, overlap: 24h, quiet: 1h, drain_deadline: 3d, quarantine: 5d}}
  - name: {CRAWLER}
    workspace: {WORKSPACE}
    owner: {{slack: U0CRAWLER}}
    key: {{limit_usd: {CRAWLER_CAP}, limit_reset: weekly}}
    secret: {SECRETS[CRAWLER]}
    rotation: {{every: 17d, overlap: 24h, quiet: 1h, drain_deadline: 1d, quarantine: 3d}}
  - name: {LOOPS}
    workspace: {WORKSPACE}
    owner: {{slack: U0ORDERS}}
    key: {{limit_usd: 2000, limit_reset: monthly}}
    secret: {SECRETS[LOOPS]}
    rotation: {{every: 90d, overlap: 24h, quiet: 1h, drain_deadline: 3d, quarantine: 5d}}
    runaway: {{mode: disable}}
  - name: {DIGEST}
    workspace: {WORKSPACE}
    owner: {{slack: U0DIGEST}}
    key: {{limit_usd: 30, limit_reset: monthly, expires_in: 60d}}
    secret: {SECRETS[DIGEST]}
    rotation: {{every: 21d, overlap: 24h, quarantine: 5d}}
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC], by_event: true}}
"""


def fleet() -> Founding:
    """As Governor finds it: three of the four workloads have a key that somebody made, and one has nothing."""
    keys = (
        KeyOfOrganization(BY_HAND, WORKSPACE, "steady", 120.0, ANSWERS_CAP, "monthly", byok=True, include_byok=True),
        KeyOfOrganization(CRAWLER, WORKSPACE, "steady", 150.0, CRAWLER_CAP, "weekly"),
        KeyOfOrganization(LOOPS, WORKSPACE, "steady", 160.0, 2000, "monthly"),
        KeyOfOrganization("prod-mail-agent", WORKSPACE, "office hours", 6.0),
        KeyOfOrganization("dev-ana-agent", None, "sporadic development", 3.0),
    )
    held = {SECRETS[ANSWERS]: BY_HAND, SECRETS[CRAWLER]: CRAWLER, SECRETS[LOOPS]: LOOPS}
    return Founding(BEGUN, timedelta(days=28), (WORKSPACE,), keys, _policy, held)


@dataclass
class Fleet:
    """The world with its consumers. `forgetful` reads its secret when it is started, which is every ten days."""

    world: World
    answers: Consumer
    crawler: Consumer
    forgetful: Consumer
    loops: Consumer

    def keys(self, workload: str) -> list[Any]:
        """The workload's keys as OpenRouter has them, made by hand or not."""
        names = {workload, *([BY_HAND] if workload == ANSWERS else [])}
        return [key for key in self.world.simulator.organization.keys if lineage_name(key.name) in names]

    def live(self, workload: str) -> list[Any]:
        return [key for key in self.keys(workload) if not key.disabled]

    def ask(self, detail_type: str, workload: str, by: str = "U0LEAD", **evidence: str) -> None:
        self.world.put_event(detail_type, {"subject": workload, "evidence": {"requested_by": by, **evidence}})

    def told(self, detail_type: str, workload: str) -> list[dict[str, Any]]:
        """The evidence of each event of this type about the workload."""
        return [event["detail"]["evidence"] for event in self.world.events(detail_type, subject=workload)]

    def credential(self) -> Any:
        return next(iter(self.world.simulator.organization.credentials.values()))

    def destination(self) -> Any:
        return next(iter(self.world.simulator.organization.destinations.values()))

    def pass_time(self, until: datetime) -> None:
        """Days in which nobody asks for anything: every run for an hour after the daily plan began a rotation, one in
        six hours while two keys of a workload are live, and else one in twelve; the meter's once a day.
        """
        while self.world.now < until:
            today = self.world.now.replace(hour=0, minute=0, second=0, microsecond=0)
            planned = min(one for one in (today + PLANNED, today + PLANNED + DAY) if one > self.world.now)
            before = self._rotated()
            self._wait(min(planned, until))
            if self._rotated() > before:
                self.closely(min(planned + HOUR, until))

    def closely(self, until: datetime) -> None:
        """Every run of key retirement, and the meter with it."""
        self.world.run(until, every=TICK)

    def _wait(self, until: datetime) -> None:
        # From full hour to full hour: orphans are looked for in an hour's first run only.
        while self.world.now < until:
            now = self.world.now.replace(second=0, microsecond=0)
            hours = (until - now) // HOUR
            if now.minute or not hours:
                self.closely(min(now.replace(minute=0) + HOUR, until))
                continue
            overlap = any(len(self.live(workload)) > 1 for workload in SECRETS)
            tick = min(6 if overlap else 12, hours) * HOUR
            self.world.run(now + tick, every=DAY, maintenance=tick)

    def _rotated(self) -> int:
        return sum(len(self.told("Key Rotated", workload)) for workload in SECRETS)


def settle_in(world: World) -> Fleet:
    """Gives the keys made by hand what stands around them, and starts the consumers."""
    organization = world.simulator.organization
    organization.workspace(WORKSPACE).settings["is_observability_broadcast_enabled"] = True
    budget = {"limit_usd": 10.0, "reset_interval": "daily", "include_byok_in_budgets": True}
    guardrail = organization.create_guardrail(GUARDRAIL, WORKSPACE, **budget)
    by_hand, other = world.hash(BY_HAND), world.hash("prod-mail-agent")
    organization.assign(guardrail, [by_hand])
    credential = CredentialCreation(
        provider="anthropic", key="fake-raw-key", workspace_id=WORKSPACE, allowed_api_key_hashes=[by_hand, other]
    )
    add_credential(organization, credential)
    destination = DestinationCreation(
        type="s3", name="answers' traces", config={}, workspace_id=WORKSPACE, api_key_hashes=[by_hand, other]
    )
    add_destination(organization, destination)
    for name in (BY_HAND, CRAWLER, LOOPS):
        world.traffic[name].scale = 0.0  # from now on their consumers spend

    def consumer(workload: str, usd: float, every: timedelta, **more: Any) -> Consumer:
        return Consumer(world.simulator, lambda: world.api_key(SECRETS[workload]), BEGUN, usd=usd, every=every, **more)

    found = Fleet(
        world,
        consumer(ANSWERS, ANSWERS_USD, timedelta(seconds=10)),
        consumer(CRAWLER, CRAWLER_USD, timedelta(minutes=4), replicas=1),
        consumer(CRAWLER, CRAWLER_USD, timedelta(minutes=4), replicas=1, cached=10 * DAY, app=FORGETFUL),
        consumer(LOOPS, LOOPS_USD, _REPEAT, replicas=2),
    )
    world.consumers = [found.answers, found.crawler, found.forgetful, found.loops]

    def beside_every_write() -> None:
        found.answers.now(world.now)

    world.simulator.on_write = beside_every_write
    return found


def runs_away(consumer: Consumer, usd_per_hour: float) -> None:
    """From now on each request of the consumer costs so much more."""
    consumer.usd = usd_per_hour * _REPEAT / timedelta(hours=1)


def weeks(first: datetime, days: int) -> Iterable[tuple[datetime, datetime]]:
    """OpenRouter's weeks, from Monday, that begin in this time."""
    starts = (first + timedelta(days=day) for day in range(days))
    return [(start, start + timedelta(days=7)) for start in starts if start.weekday() == 0]
