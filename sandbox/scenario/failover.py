"""A day with our own provider keys: one dies and nobody else notices; drills; one that is benched returns."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from governor.byok_marks import mark_of
from sandbox.scenario import provider_keys as of
from sandbox.scenario.provider_keys import ANSWERS, ORDERS, REPORTS, ProviderKeys, settle_in
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import World

HOUR = timedelta(hours=1)
CHECKS = "ByokFailoverFunction"


def leaked(keys: ProviderKeys) -> Scenario:
    scenario = Scenario("a provider key is revoked, traffic goes on, paid with credits: found by reading alone")
    world, consumer = keys.world, keys.consumers[ANSWERS]
    keys.ticks(6)
    quiet = [event["detail-type"] for event in world.events()]
    before = consumer.total
    world.run(world.now + timedelta(minutes=4))
    started = world.now
    world.simulator.trouble(credential=keys.credential(ANSWERS, "primary").id, trouble="revoked")
    found = world.run_while(
        lambda: not keys.told("Credits Leak Suspected", ANSWERS), at_most=HOUR, every=timedelta(minutes=5)
    )
    minutes = (world.now - started) / timedelta(minutes=1)
    told = keys.told("Credits Leak Suspected", ANSWERS)
    evidence: dict[str, Any] = told[0]["evidence"] if told else {}
    after = consumer.total
    on_credits = (after.requests - before.requests) - (after.byok - before.byok)
    probed = [row for row in keys.remembered() if row.startswith("probes#") and of.PLACES[ANSWERS] in row]
    line = keys.slack("should serve are paid with credits")
    world.simulator.trouble(credential=keys.credential(ANSWERS, "primary").id)
    keys.ticks(3)
    ended = keys.told("Credits Leak Ended", ANSWERS)
    scenario.facts = {
        "virtual_minutes": round(minutes),
        "lost_usd": evidence.get("lost_usd"),
        "on_credits_usd": round(on_credits * of.REQUEST_USD, 2),
        "failed_requests": after.failed - before.failed,
        "share": evidence.get("share"),
        "habit": evidence.get("habit"),
        "source": evidence.get("source"),
        "workloads": evidence.get("workloads"),
        "slack": line,
    }
    asked, lost = after.requests - before.requests, evidence.get("lost_usd") or 0.0
    share, habit = evidence.get("share", 1.0), evidence.get("habit", 0.0)
    scenario.tell(
        f"revoked at {started:%H:%M}: {asked} requests, {after.failed - before.failed} failed, so nobody noticed",
        f"told after {minutes:.0f} virtual minutes: {usd(lost)} of credits; own keys serve {share:.0%}, and "
        f"{habit:.0%} is the habit of {ANSWERS}; no probe was sent there",
    )
    early = [one for one in quiet if one.startswith(("Failover", "Credits", "Credential"))]
    scenario.must(not early, f"quiet before, not {early}")
    scenario.must(found and minutes <= 60, "found within the virtual hour")
    scenario.must(after.failed == before.failed, "no request failed, which is why nobody noticed")
    paid = on_credits * of.REQUEST_USD
    scenario.must(paid * 0.5 < lost <= paid + 0.01, f"the dollars are those paid with credits, {usd(paid)}")
    scenario.must(not probed, "without a probe there")
    scenario.must(evidence.get("workloads") == [ANSWERS], "it names the workload")
    scenario.must(usd(evidence.get("lost_usd"))[:4] in line, "Slack has the dollars")
    scenario.must(len(ended) == 1, "and it is told when it ends")
    return scenario


def passed(keys: ProviderKeys) -> Scenario:
    scenario = Scenario("a failover drill passes: the next credential serves, and the first is as it was")
    result, failed = _drilled(keys, "drill-1")
    evidence = result.get("evidence", {})
    scenario.facts = _facts(evidence) | {"failed_requests": failed, "result": result.get("reason")}
    scenario.tell(
        f"primary disabled, {evidence.get('served_by')} after {evidence.get('seconds') or 0:.1f} s, "
        f"${evidence.get('cost_usd', 0):.5f} for {evidence.get('probes')} probe; enabled again",
        f"{failed} of the workload's requests failed meanwhile",
    )
    scenario.must(evidence.get("rule") == "passed", f"it passes, not {evidence.get('rule')}")
    scenario.must("another credential of our own" in evidence.get("served_by", ""), "the next of our own serves")
    scenario.must(failed == 0, "no request of the workload failed")
    _must_be_whole(scenario, keys)
    return scenario


def left_out(keys: ProviderKeys) -> Scenario:
    scenario = Scenario("a drill fails, since the next credential's filter leaves the workload out")
    other = keys.world.hash(of.PROBE)
    second = keys.credential(ORDERS, "second")
    second.settings["allowed_api_key_hashes"] = [other]
    result, failed = _drilled(keys, "drill-2")
    second.settings["allowed_api_key_hashes"] = None
    evidence = result.get("evidence", {})
    line = keys.slack("Failover drill")
    scenario.facts = _facts(evidence) | {"failed_requests": failed, "reason": result.get("reason"), "slack": line}
    scenario.tell(result.get("reason", "no result"))
    scenario.must(evidence.get("rule") == "wrong_next", f"it fails: wrong_next, not {evidence.get('rule')}")
    scenario.must("filters let prod-orders in" in result.get("reason", ""), "it says why")
    scenario.must("failed" in line, "and so does Slack")
    _must_be_whole(scenario, keys)
    return scenario


def crashed(keys: ProviderKeys) -> Scenario:
    scenario = Scenario("a drill dies half-way, and the next run undoes it first")
    world = keys.world
    first = keys.credential(ORDERS, "primary")
    died: list[datetime] = []

    def once_disabled() -> None:
        if mark_of(first.settings["name"]) and not died:
            died.append(world.now)
            world.engine.faults.kill_during_call(CHECKS, "dynamodb:PutItem", takes_effect=True)

    world.simulator.on_write = once_disabled
    keys.ticks(1)
    keys.drill("drill-3")
    world.run(world.now + timedelta(minutes=2))
    off = bool(first.settings["disabled"])
    name = str(first.settings["name"])
    back = world.run_while(
        lambda: bool(first.settings["disabled"]), at_most=timedelta(minutes=20), every=timedelta(minutes=3)
    )
    world.simulator.on_write = lambda: None
    minutes = (world.now - died[0]) / timedelta(minutes=1) if died else 0.0
    keys.ticks(1)
    result = next((one for one in keys.told("Drill Failed", ORDERS) if one["evidence"]["order"] == "drill-3"), {})
    evidence = result.get("evidence", {})
    scenario.facts = _facts(evidence) | {
        "disabled_when_it_died": off,
        "name_then": name,
        "undone_after_minutes": round(minutes),
        "reason": result.get("reason"),
    }
    scenario.tell(
        f"killed while {name!r} was disabled; enabled again after {minutes:.0f} virtual minutes, by the next run",
        f"told: {result.get('reason', 'nothing')}",
    )
    scenario.must(bool(died) and off, "it died while the credential was disabled")
    scenario.must("[Governor: drill " in name, "the credential itself says who disabled it")
    scenario.must(back and minutes <= 15, "a run undoes it")
    scenario.must(evidence.get("rule") == "interrupted", f"told as interrupted, not {evidence.get('rule')}")
    _must_be_whole(scenario, keys)
    return scenario


def benched(keys: ProviderKeys) -> Scenario:
    scenario = Scenario("a provider key is refused and benched, and returns once its key is replaced")
    world = keys.world
    first = keys.credential(REPORTS, "primary")
    world.simulator.trouble(credential=first.id, trouble="revoked")
    started = world.now
    off = world.run_while(lambda: not first.settings["disabled"], at_most=2 * HOUR, every=of.TICK)
    until_benched = (world.now - started) / timedelta(minutes=1)
    name = str(first.settings["name"])
    spent = keys.consumers[REPORTS].total
    keys.ticks(1)
    now = keys.consumers[REPORTS].total
    world.simulator.trouble(credential=first.id)
    first.label = "fak...new1"  # as OpenRouter shows a key that was replaced
    replaced = world.now
    back = world.run_while(lambda: bool(first.settings["disabled"]), at_most=HOUR, every=of.TICK)
    until_back = (world.now - replaced) / timedelta(minutes=1)
    keys.ticks(1)
    expected = ["Credential Unhealthy", "Credential Benched", "Credential Unbenched"]
    kinds = [kind for kind in expected if keys.told(kind, REPORTS)]
    scenario.facts = {
        "benched_after_minutes": round(until_benched),
        "name_then": name,
        "by_own_keys_meanwhile": (now.byok - spent.byok, now.requests - spent.requests),
        "back_after_minutes": round(until_back),
        "told": kinds,
    }
    scenario.tell(
        f"refused twice by probes of its own key: disabled after {until_benched:.0f} virtual minutes as {name!r}",
        f"its key replaced: tried, and enabled again after {until_back:.0f} virtual minutes",
    )
    scenario.must(off, "it is disabled")
    scenario.must(now.byok - spent.byok == now.requests - spent.requests, "the next of our own serves meanwhile")
    scenario.must(back and first.settings["name"] == "primary", "it returns, under its own name")
    scenario.must(kinds == expected, f"told: {kinds}")
    return scenario


def shown(keys: ProviderKeys) -> Scenario:
    scenario = Scenario("a page lists every decision with its present health")
    bucket = next(
        one["Name"] for one in keys.world.engine.client("s3").list_buckets()["Buckets"] if "reading" in one["Name"]
    )
    page = keys.world.engine.client("s3").get_object(Bucket=bucket, Key="pages/byok.md")["Body"].read().decode()
    letters = [f"{one.queue}: {one.body}"[:400] for one in keys.world.engine.dead_letters()]
    titles = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    scenario.facts = {"page": page, "decisions": titles, "probes": keys.probes(), "dead_letters": letters}
    scenario.tell(f"{len(titles)} decisions, {len(page):,} characters", f"{keys.probes()} probes in all")
    scenario.must(titles == [f"{place}/anthropic" for place in of.PLACES.values()], "every decision is there")
    chain = f"{ORDERS}, {of.MODEL}: anthropic primary → anthropic second"
    scenario.must(chain in page, "with its chains")
    scenario.must(not letters, "no dead letters")
    return scenario


def failover(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """Every scenario of the third act, with the virtual time it took."""
    keys = settle_in(world)
    steps: tuple[Callable[[ProviderKeys], Scenario], ...] = (leaked, passed, left_out, crashed, benched, shown)
    for step in steps:
        started, began = world.now, time.monotonic()
        scenario = step(keys)
        scenario.facts["real_seconds"] = round(time.monotonic() - began, 1)
        yield scenario, started, world.now


def _drilled(keys: ProviderKeys, id: str) -> tuple[dict[str, Any], int]:
    """The drill's result, and how many of the workload's requests failed meanwhile."""
    keys.ticks(1)
    before = keys.consumers[ORDERS].total.failed
    keys.drill(id)
    keys.world.run(keys.world.now + timedelta(minutes=3))
    told = keys.told("Drill Passed", ORDERS) + keys.told("Drill Failed", ORDERS)
    result = next((one for one in told if one["evidence"]["order"] == id), {})
    return result, keys.consumers[ORDERS].total.failed - before


def _facts(evidence: dict[str, Any]) -> dict[str, Any]:
    named = ("rule", "expected", "served_by", "seconds", "cost_usd", "probes", "back", "chain")
    return {name: evidence.get(name) for name in named}


def _must_be_whole(scenario: Scenario, keys: ProviderKeys) -> None:
    for name in ("primary", "second"):
        settings = keys.credential(ORDERS, name).settings
        scenario.must(not settings["disabled"] and settings["name"] == name, f"{name} is enabled, under its own name")
