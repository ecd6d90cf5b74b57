"""What fails around Governor: OpenRouter, Slack, its own schedule."""

from datetime import timedelta

from sandbox.scenario.organization import EMBEDDINGS, HANDMADE
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import MINUTE, World

GAP = timedelta(minutes=20)
UNREAD = "research-eval-agent"
"""Spends while its workspace cannot be read."""


def blind(world: World) -> Scenario:
    scenario = Scenario("a workspace that cannot be read makes Governor say so, and no dollar is missed")
    research = world.simulator.organization.workspace("research").id
    ticks, spent = len(world.metered()), world.spent_by_all()
    world.loop(UNREAD, 30)
    world.simulator.fault(rf"/keys\?.*workspace_id={research}.*", "503", times=None)
    told = world.run_while(lambda: not world.events("Monitor Blind"), at_most=timedelta(minutes=10))
    world.simulator.faults.clear()
    seen = world.run_while(lambda: not world.events("Monitor Recovered"), at_most=timedelta(minutes=5))
    world.end_loop(UNREAD)
    metered, truth = sum(world.metered()[ticks:]), world.spent_by_all() - spent
    scenario.facts = {
        "blind": [event["detail"]["reason"] for event in world.events("Monitor Blind")],
        "metered_usd": round(metered, 4),
        "spent_usd": round(truth, 4),
    }
    scenario.tell(
        *scenario.facts["blind"],
        f"Monitor Recovered when it could be read again; {usd(truth)} spent meanwhile, {usd(metered)} metered",
    )
    scenario.must(truth > 1, "money was spent meanwhile")
    scenario.must(abs(metered - truth) < 0.01, f"all of {usd(truth)} is metered, not {usd(metered)}")
    scenario.must(told, "Monitor Blind within ten minutes")
    scenario.must(seen, "Monitor Recovered when it can be read again")
    return scenario


def meter_gap(world: World) -> Scenario:
    scenario = Scenario("the meter does not run for 20 minutes: no false alarm, and no dollar missed")
    events, ticks, spent = world.events(), len(world.metered()), world.spent_by_all()
    world.loop(EMBEDDINGS, 6)
    world.run(world.now + GAP, every=GAP)
    world.end_loop(EMBEDDINGS)
    world.run(world.now + 5 * MINUTE)
    tick_usd = world.metered()[ticks:]
    metered, truth = sum(tick_usd), world.spent_by_all() - spent
    scenario.facts = {"metered_usd": round(metered, 4), "spent_usd": round(truth, 4), "runs": len(tick_usd)}
    scenario.tell(f"{usd(truth)} spent, {usd(metered)} metered by {len(tick_usd)} runs in 25 minutes; nobody was told")
    scenario.must(truth > 1, "money was spent meanwhile")
    scenario.must(abs(metered - truth) < 0.01, f"all of {usd(truth)} is metered, not {usd(metered)}")
    scenario.must(world.events() == events, "no event")
    return scenario


def slack_down(world: World) -> Scenario:
    scenario = Scenario("Slack is down while a key is disabled by hand: nothing is lost or told twice")
    world.slack.fault("chat.postMessage", "server_error", times=2)
    before = len(world.slack_lines())
    key = world.key(HANDMADE)
    key.disabled = True
    world.put_event("Key Exposed", {"subject": world.hash(HANDMADE), "evidence": {"source": "drill"}}, "security")
    world.run(world.now + 20 * MINUTE)
    withheld = world.events("Disable Withheld", subject=world.hash(HANDMADE))
    lines = [said for said in world.slack_lines()[before:] if HANDMADE in said]
    scenario.facts = {"rule": [event["detail"]["evidence"]["rule"] for event in withheld], "slack": lines}
    scenario.tell(f"two posts failed; {len(lines)} message stands in the channel; the key stays as the human left it")
    scenario.must(len(withheld) == 1, "Disable Withheld published once")
    scenario.must(len(lines) == 1, f"told once in Slack after it came back, not {len(lines)} times")
    scenario.must(key.disabled, "the key that a human disabled stays as it is")
    return scenario
