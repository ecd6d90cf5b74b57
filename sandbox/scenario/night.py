"""The demo's scenarios, in the order in which one long night brings them. Each says what must hold, and the facts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from governor.policy import lineage_name
from sandbox.scenario.mishaps import blind, meter_gap, slack_down
from sandbox.scenario.organization import EMBEDDINGS, HANDMADE, HISTORY, INSTALLED, REPORTS, SEARCH, keys
from sandbox.scenario.runaways import dry_run, exposed, restored, runaway, second_event, tier_zero
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import CHANNEL, MINUTE, World

HISTORY_HOURS = HISTORY.total_seconds() / 3600
NEW_MONTH = datetime(2026, 2, 1, tzinfo=UTC)


def installed(world: World) -> Scenario:
    scenario = Scenario("the account is read, its habits are learned, nobody is disturbed")
    world.run(INSTALLED + timedelta(hours=1))
    organization = keys()
    scenario.facts = {
        "workspaces": len(world.simulator.organization.workspaces),
        "keys": len(organization),
        "top_keys_usd": [one.spent_usd for one in organization[:2]],
        "other_keys_usd": round(sum(one.spent_usd for one in organization[2:]), 2),
        "runs": world.ticks,
    }
    top, second = organization[:2]
    scenario.tell(
        f"{scenario.facts['workspaces']} workspaces, {len(organization)} keys, 28 days of history: "
        f"{usd(top.spent_usd)}, {usd(second.spent_usd)}, the other 46 {usd(scenario.facts['other_keys_usd'])}",
        f"{world.ticks} runs, nothing said",
    )
    scenario.must(len(organization) == 48, "the organization has 48 keys")
    scenario.must(not world.events(), "no event in a quiet first hour")
    return scenario


def nightly_batch(world: World) -> Scenario:
    scenario = Scenario("a nightly batch is not touched")
    before, first = world.spent(EMBEDDINGS), int(world.now.timestamp()) // 60
    world.run(INSTALLED + timedelta(hours=4))
    world.run(INSTALLED + timedelta(hours=8), every=timedelta(minutes=5))
    spent = world.spent(EMBEDDINGS) - before
    hours = [sum(world.traffic[EMBEDDINGS].between(hour, hour + 60)) for hour in range(first, first + 7 * 60, 60)]
    multiple = max(hours) / (before / HISTORY_HOURS)
    scenario.facts = {
        "batch_usd": round(spent, 2),
        "share_of_month": round(spent / world.spent(EMBEDDINGS), 3),
        "peak_over_hourly_mean": round(multiple, 1),
    }
    scenario.tell(
        f"the batch spent {usd(spent)} of the month's {usd(world.spent(EMBEDDINGS))}; nobody was told",
        f"its busiest hour was {multiple:.0f} times its mean: a rule of 3 times would have fired",
    )
    scenario.must(spent > 0.2, "the batch ran")
    scenario.must(multiple > 3, f"it peaks at more than 3 times the mean, not {multiple:.1f}")
    scenario.must(not world.events(subject=EMBEDDINGS), "no event about the batch")
    scenario.must(not world.key(EMBEDDINGS).disabled, "its key is enabled")
    return scenario


def thresholds(world: World) -> Scenario:
    scenario = Scenario("each budget threshold is told once")
    world.loop(REPORTS, 1.5)
    world.run(INSTALLED + timedelta(hours=16), every=timedelta(minutes=5))
    told = world.events("Budget Threshold Reached", subject=REPORTS)
    world.end_loop(REPORTS)
    world.run(INSTALLED + timedelta(hours=26), every=timedelta(minutes=15))
    again = world.events("Budget Threshold Reached", subject=REPORTS)
    scenario.facts = {
        "limit_usd": 10.0,
        "spent_usd": round(world.spent(REPORTS), 2),
        "told": [(event["detail"]["occurred_at"], event["detail"]["evidence"]["threshold"]) for event in told],
        "blocks_first": sorted({str(event["detail"]["evidence"]["blocks_first"]) for event in told}),
        "slack": [said for said in world.slack_lines() if REPORTS in said],
    }
    scenario.tell(
        *(
            f"{event['detail']['occurred_at'][11:16]} UTC: {usd(event['detail']['evidence']['spent_usd'])} of $10"
            f" ({event['detail']['evidence']['threshold']:.0%})"
            for event in told
        ),
        "ten hours more: nothing told again",
    )
    shares = [event["detail"]["evidence"]["threshold"] for event in told]
    scenario.must(shares == [0.5, 0.8, 1.0], f"50, 80 and 100 % told once each, not {shares}")
    scenario.must(again == told, "nothing told again")
    scenario.must(not world.key(REPORTS).disabled, "no key is disabled for a budget that only alerts")
    return scenario


def new_month(world: World) -> Scenario:
    scenario = Scenario("a new month re-arms the thresholds")
    world.run(NEW_MONTH, every=timedelta(minutes=30))
    before = world.events("Budget Threshold Reached", subject=REPORTS)
    world.loop(REPORTS, 12)
    world.run(NEW_MONTH + timedelta(minutes=35), every=5 * MINUTE)
    world.end_loop(REPORTS)
    told = world.events("Budget Threshold Reached", subject=REPORTS)[len(before) :]
    scenario.facts = {"told": [event["detail"]["evidence"]["threshold"] for event in told]}
    scenario.tell(*(f"{share:.0%} of the new month's $10 told" for share in scenario.facts["told"]))
    scenario.must(scenario.facts["told"] == [0.5], "50 % of the new month told once")
    return scenario


def nothing_else(world: World, before: dict[str, dict[str, Any]]) -> Scenario:
    scenario = Scenario("nothing but the intended keys was changed")
    after = world.keys_as_set()
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    changed = sorted({lineage_name(name) for name in differing})
    written = world.written()
    scenario.facts = {
        "changed": changed,
        "written_by_governor": written,
        "writes": len(world.writes()),
        "dead_letters": len(world.engine.dead_letters()),
        "slack_messages": len(world.slack.messages(CHANNEL)),
    }
    scenario.tell(
        f"differs from before: {', '.join(changed)} (one by hand, one has a new key)",
        f"written to by Governor: {', '.join(written)}, {scenario.facts['writes']} times",
        f"{scenario.facts['dead_letters']} dead letters, {scenario.facts['slack_messages']} threads in Slack",
    )
    expected = sorted((HANDMADE, SEARCH))
    scenario.must(changed == expected, f"only the leaked key and one that a human disabled differ; not {changed}")
    scenario.must(written == [SEARCH], f"Governor wrote to {SEARCH} only, not {written}")
    others = [name for name in differing if lineage_name(name) == SEARCH]
    scenario.must(len(others) == 2, "one new key, and the leaked one disabled")
    scenario.must(not scenario.facts["dead_letters"], "no dead letters")
    return scenario


def night(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """Every scenario, with the virtual time it took."""
    before = world.keys_as_set()
    steps: list[Callable[[World], Scenario]] = [
        installed, nightly_batch, thresholds, runaway, second_event, tier_zero, dry_run, blind, restored, slack_down,
        meter_gap, new_month, exposed, lambda world: nothing_else(world, before),
    ]  # fmt: skip
    for step in steps:
        started = world.now
        yield step(world), started, world.now
