"""Everything leaked: a vault was read, and every key of a workspace is replaced by one order while its consumers work.

One key is known to be in use by somebody else, and disabled at once: its own consumer fails until it has the new key.
The others overlap, and nobody notices; one container that reads its secret once in ten days is named in the report.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sandbox.scenario.consumer import CACHED, Consumer
from sandbox.scenario.organization import Founding, KeyOfOrganization
from sandbox.scenario.scenario import Scenario
from sandbox.scenario.world import CHANNEL, MINUTE, World

BEGUN = datetime(2026, 3, 2, 7, tzinfo=UTC)
"""A Monday, after the daily plan."""
WORKSPACE = "platform-production"
TEAMS = ("billing", "catalog", "chat", "docs", "fraud", "mail", "risk", "search", "seo", "sms", "translate", "triage")
NAMES = tuple(f"prod-{team}" for team in TEAMS)
KNOWN, FORGETFUL = "prod-chat", "prod-mail"
"""The one whose key somebody uses, and the one of which a container keeps its key for ten days."""
OWNER, LEAD, SEC, STRANGER = "U0CHAT", "U0LEAD", "U0SEC", "U0INTERN"
AT_ONCE = 3
EVERY, DAY = timedelta(minutes=1), timedelta(days=1)
TICK, HOUR = timedelta(minutes=10), timedelta(hours=1)
WORDS = f"rotate workspace {WORKSPACE} because the vault was read"


def _policy(base_url: str) -> str:
    workloads = "".join(
        f"""\
  - name: {name}
    workspace: {WORKSPACE}
    owner: {{slack: U0{name.removeprefix("prod-").upper()}}}
    tier: {number % 4}
    key: {{limit_usd: 100, limit_reset: monthly}}
    secret: openrouter/prod/{name.removeprefix("prod-")}
    rotation: {{every: 90d, overlap: 24h, quiet: 1h, drain_deadline: 3d, quarantine: 5d}}
    exposed: {{mode: disable}}
"""
        for number, name in enumerate(NAMES)
    )
    return f"""\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: {CHANNEL}}}
rotations: {{at_once: {AT_ONCE}}}
workloads:
{workloads}approvals: {{channel: {CHANNEL}, approvers: [{LEAD}, {SEC}], by_event: true}}
"""


def leaked_account() -> Founding:
    """Twelve workloads whose keys somebody made; Governor has rotated none of them yet."""
    keys = tuple(KeyOfOrganization(name, WORKSPACE, "steady", 20.0, 100, "monthly") for name in NAMES)
    return Founding(BEGUN, timedelta(days=7), (WORKSPACE,), keys, _policy, {_secret(name): name for name in NAMES})


def _secret(name: str) -> str:
    return f"openrouter/prod/{name.removeprefix('prod-')}"


@dataclass
class Leak:
    """The world with a consumer for each workload. `forgetful`: the container beside its workload's other ones."""

    world: World
    consumers: dict[str, Consumer]
    forgetful: Consumer

    def failed(self) -> dict[str, int]:
        return {name: one.total.failed for name, one in self.consumers.items() if one.total.failed}

    def told(self, detail_type: str) -> list[dict[str, Any]]:
        return [event["detail"]["evidence"] for event in self.world.events(detail_type)]

    def rotated(self) -> set[str]:
        """Whom the order has given a new key."""
        return {one["name"] for one in self.told("Key Rotated") if one["order"]}


def settle_in(world: World) -> Leak:
    """Starts the consumers; from now on they spend, and nothing else does."""
    for traffic in world.traffic.values():
        traffic.scale = 0.0

    def consumer(name: str, cached: timedelta = CACHED) -> Consumer:
        read = partial(world.api_key, _secret(name))
        return Consumer(world.simulator, read, BEGUN, usd=0.0005, every=EVERY, replicas=2, cached=cached)

    found = Leak(world, {name: consumer(name) for name in NAMES}, consumer(FORGETFUL, 10 * DAY))
    world.consumers = [*found.consumers.values(), found.forgetful]
    return found


def everything_leaked(leak: Leak) -> Scenario:
    scenario = Scenario("everything leaked: one order replaces twelve keys, and only the stolen one's consumer fails")
    world = leak.world
    world.run(BEGUN + timedelta(minutes=30), every=TICK)
    known = world.hash(KNOWN)
    world.put_event("Key Exposed", {"subject": known, "evidence": {"source": "abuse", "requested_by": LEAD}})
    world.run(world.now + TICK, every=MINUTE)
    world.command(STRANGER, WORDS)
    refused = len(leak.told("Approval Requested"))
    world.command(OWNER, WORDS)
    world.run(world.now + MINUTE)
    (asked,) = leak.told("Approval Requested")
    world.click(LEAD, "Approve", holding=WORKSPACE)
    world.run(world.now + 2 * MINUTE)
    before = len(leak.rotated())
    world.click(SEC, "Approve", holding=WORKSPACE)
    began = world.now
    world.run(world.now + timedelta(seconds=30), every=timedelta(seconds=10))
    world.click(LEAD, "Pause", holding=WORKSPACE)
    world.run(world.now + MINUTE)
    paused = len(leak.rotated())
    world.run(world.now + TICK)
    still = len(leak.rotated())
    world.click(SEC, "Resume", holding=WORKSPACE)
    resumed = world.now
    world.run_while(lambda: len(leak.rotated()) < len(NAMES), at_most=timedelta(minutes=30))
    minutes = (world.now - resumed + (timedelta(minutes=1))) / MINUTE
    world.run(world.now + TICK)
    lines = [line for line in world.slack_lines() if WORKSPACE in line]
    alone = [line for line in world.slack_lines() if "new key" in line]
    world.run(began + timedelta(hours=26), every=2 * HOUR, maintenance=HOUR)
    ended = leak.told("Bulk Rotation Ended")
    report = ended[-1] if ended else {}
    behind = [one["name"] for one in report.get("behind", [])]
    failed, known_key = leak.failed(), world.simulator.organization.keys.get(known)
    scenario.facts = {
        "shown": asked["shown"],
        "rotated_before_the_second_yes": before,
        "rotated_when_paused": paused,
        "rotated_after_ten_minutes_of_pause": still,
        "minutes_after_resume": round(minutes, 1),
        "rotated": sorted(leak.rotated()),
        "failed_requests": failed,
        "report": report,
        "messages_of_the_order": lines,
        "messages_of_single_rotations": alone,
    }
    scenario.tell(
        f"{KNOWN}'s stolen key was disabled at once: it failed {failed.get(KNOWN, 0)} times, for the five "
        "minutes that it caches its secret",
        f"{OWNER} asked for the workspace, {LEAD} and {SEC} approved it; nothing began before the second yes",
        f"paused at {paused} of {len(NAMES)}, and ten minutes later still {still}; the rest within "
        f"{minutes:.0f} virtual minutes of the resume",
        f"report after a day: {report.get('rotated')} of {report.get('total')} replaced; still uses its old key: "
        f"{', '.join(behind) or 'nobody'}",
    )
    scenario.must(refused == 0, "somebody who is neither an approver nor an owner asks nobody anything")
    scenario.must(before == 0, "nothing begins before two have approved it")
    scenario.must(0 < paused < len(NAMES), f"it was paused on its way, not at {paused}")
    scenario.must(still == paused, "nothing begins while it is paused")
    scenario.must(leak.rotated() == set(NAMES), "every workload has a new key")
    scenario.must(set(failed) == {KNOWN}, f"no consumer failed but {KNOWN}'s, not {sorted(failed)}")
    scenario.must(all(status == 401 for status in leak.consumers[KNOWN].total.statuses if status != 200), "by its key")
    scenario.must(not leak.forgetful.total.failed, "the container that reads its secret rarely did not fail either")
    scenario.must(bool(known_key is None or known_key.disabled), "the stolen key stays disabled")
    scenario.must(len(ended) == 1 and report["state"] == "ended", "one report")
    scenario.must(report.get("rotated") == len(NAMES), "which counts every key")
    scenario.must(behind == [FORGETFUL], f"and names who has not picked up, not {behind}")
    scenario.must(len(lines) == 1, f"one message of the order, not {len(lines)}")
    scenario.must(len(alone) <= 1, f"and none for each rotation, not {len(alone)}")
    return scenario


def leaked(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """The act's one scenario, with the virtual time it took."""
    leak = settle_in(world)
    started, began = world.now, time.monotonic()
    scenario = everything_leaked(leak)
    scenario.facts["real_seconds"] = round(time.monotonic() - began, 1)
    yield scenario, started, world.now
