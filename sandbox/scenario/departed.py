"""An administrator leaves: two lists of members prove it, their keys are told, and people decide about them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from sandbox.scenario.consumer import CACHED, Consumer
from sandbox.scenario.organization import Founding, KeyOfOrganization
from sandbox.scenario.scenario import Scenario
from sandbox.scenario.world import CHANNEL, MINUTE, World

BEGUN = datetime(2026, 3, 2, 7, tzinfo=UTC)
"""A Monday, after the daily plan."""
WORKSPACE = "platform-production"
THEIRS, OTHERS = ("prod-billing", "prod-search"), ("prod-chat",)
NOTEBOOK = "ana-notebook"
"""A key of the leaver's that no workload of the policy declares."""
ANA, SERVICE = "user_ana", "user_service"
OWNER, LEAD, SEC = "U0BILLING", "U0LEAD", "U0SEC"
HOUR = timedelta(hours=1)


def _policy(base_url: str) -> str:
    workloads = "".join(
        f"""\
  - name: {name}
    workspace: {WORKSPACE}
    owner: {{slack: {OWNER}}}
    key: {{limit_usd: 100, limit_reset: monthly, creator_user_id: {SERVICE}}}
    secret: {_secret(name)}
    rotation: {{every: 90d, overlap: 24h}}
"""
        for name in (*THEIRS, *OTHERS)
    )
    return f"""\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: {CHANNEL}}}
workloads:
{workloads}approvals: {{channel: {CHANNEL}, approvers: [{LEAD}, {SEC}]}}
"""


def departed_account() -> Founding:
    """Three workloads and a key of nobody's; the policy says who is to be the creator of the keys to come."""
    keys = tuple(KeyOfOrganization(name, WORKSPACE, "steady", 20.0, 100, "monthly") for name in (*THEIRS, *OTHERS))
    secrets = {_secret(name): name for name in (*THEIRS, *OTHERS)}
    return Founding(BEGUN, timedelta(days=7), (WORKSPACE,), keys, _policy, secrets)


def _secret(name: str) -> str:
    return f"openrouter/prod/{name.removeprefix('prod-')}"


def settle_in(world: World) -> dict[str, Consumer]:
    """The members, whose the keys are, and a consumer of each workload."""
    organization = world.simulator.organization
    organization.members |= {ANA: "org:admin", SERVICE: "org:member"}
    notebook, _ = world.simulator.create_key(NOTEBOOK, workspace=WORKSPACE, limit=50, limit_reset="monthly")
    for name in THEIRS:
        world.key(name).creator_user_id = ANA
    notebook.creator_user_id = ANA
    for traffic in world.traffic.values():
        traffic.scale = 0.0

    def consumer(name: str) -> Consumer:
        read = partial(world.api_key, _secret(name))
        return Consumer(world.simulator, read, BEGUN, usd=0.0005, every=MINUTE, replicas=2, cached=CACHED)

    consumers = {name: consumer(name) for name in (*THEIRS, *OTHERS)}
    world.consumers = list(consumers.values())
    return consumers


def an_administrator_leaves(world: World, consumers: dict[str, Consumer]) -> Scenario:
    scenario = Scenario("an administrator leaves: their keys are told within two hours, and people replace them")
    organization = world.simulator.organization
    notebook = next(key for key in organization.keys if key.name == NOTEBOOK)
    world.run(BEGUN + 2 * HOUR + 10 * MINUTE, every=10 * MINUTE)
    with world.simulator.lock:
        organization.remove_member(ANA)
    left = world.now
    world.run_while(lambda: not world.events("Member Departed"), at_most=3 * HOUR)
    hours = (world.now - left) / HOUR
    (told,) = world.events("Member Departed")
    named = {key["name"] for key in told["detail"]["evidence"]["keys"]}
    untouched = all(not key.disabled for key in organization.keys)
    world.run(world.now + MINUTE)
    world.click(LEAD, f"Disable {NOTEBOOK}", holding=ANA)
    world.click(OWNER, "Rotate these keys", holding=ANA)
    world.run(world.now + 2 * MINUTE)
    for approver in (LEAD, SEC):
        world.click(approver, "Approve", holding="their creator left")
        world.run(world.now + MINUTE)

    def current() -> dict[str, str]:
        rotated = [event["detail"]["evidence"] for event in world.events("Key Rotated")]
        return {one["name"]: one["new"]["hash"] for one in rotated}

    world.run_while(lambda: set(current()) != set(THEIRS), at_most=HOUR)
    world.run(world.now + HOUR, every=10 * MINUTE)
    creators = {name: organization.key(hash).creator_user_id for name, hash in current().items()}
    failed = {name: one.total.failed for name, one in consumers.items() if one.total.failed}
    list_of_names = ", ".join(sorted(named))
    scenario.facts = {
        "hours_until_told": round(hours, 2), "named": sorted(named), "creators_of_the_new_keys": creators,
        "failed_requests": failed,
    }  # fmt: skip
    scenario.tell(
        f"{ANA} left; {hours:.1f} hours and two lists later their {len(named)} keys were told: {list_of_names}",
        f"{LEAD} disabled {NOTEBOOK} with a button; {OWNER} asked to rotate the others, {LEAD} and {SEC} approved",
        f"the new keys are in the name of {SERVICE}, as the policy says; failed requests: {sum(failed.values())}",
    )
    scenario.must(hours <= 2.1, f"it is told within two hours, not after {hours:.1f}")
    scenario.must(named == {*THEIRS, NOTEBOOK}, f"the message names every key of theirs and no other, not {named}")
    scenario.must(untouched, "nothing was changed before a person decided")
    scenario.must(notebook.disabled, "the key that nobody needs is disabled")
    scenario.must(creators == dict.fromkeys(THEIRS, SERVICE), f"the new keys have another creator, not {creators}")
    scenario.must(not world.key(OTHERS[0]).disabled, "a key of somebody else is left alone")
    scenario.must(not failed, f"no consumer failed, not {failed}")
    return scenario


def departed(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """The act's one scenario, with the virtual time it took."""
    consumers = settle_in(world)
    started, began = world.now, time.monotonic()
    scenario = an_administrator_leaves(world, consumers)
    scenario.facts["real_seconds"] = round(time.monotonic() - began, 1)
    yield scenario, started, world.now
