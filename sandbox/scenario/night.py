"""The demo's scenarios, in the order in which one long night brings them. Each says what must hold, and the facts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.scenario.organization import EMBEDDINGS, HANDMADE, REPORTS, SANDBOX, SEARCH, TRIAGE, keys
from sandbox.scenario.world import CHANNEL, INSTALLED, World

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 1, 30, 3, 0, tzinfo=UTC)
NEW_MONTH = datetime(2026, 2, 1, tzinfo=UTC)


@dataclass
class Scenario:
    """What was shown. `broken`: what should have held and did not, in words."""

    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.broken

    def must(self, holds: bool, what: str) -> None:
        """Note a promise that did not hold."""
        if not holds:
            self.broken.append(what)


def installed(world: World) -> Scenario:
    scenario = Scenario("the account is read, its habits are learned, nobody is disturbed")
    world.run(INSTALLED + timedelta(hours=1))
    organization = keys()
    scenario.facts = {
        "workspaces": len(world.simulator.organization.workspaces),
        "keys": len(organization),
        "top_keys_usd": [one.spent_usd for one in organization[:2]],
        "other_keys_usd": round(sum(one.spent_usd for one in organization[2:]), 2),
        "beats": world.beats,
    }
    scenario.must(len(organization) == 48, "the organization has 48 keys")
    scenario.must(not world.events(), "no event in a quiet first hour")
    return scenario


def nightly_batch(world: World) -> Scenario:
    scenario = Scenario("a nightly batch is not touched")
    before = world.spent(EMBEDDINGS)
    world.run(INSTALLED + timedelta(hours=4))
    world.run(INSTALLED + timedelta(hours=8), every=timedelta(minutes=5))
    spent = world.spent(EMBEDDINGS) - before
    scenario.facts = {"batch_usd": round(spent, 2), "share_of_month": round(spent / world.spent(EMBEDDINGS), 3)}
    scenario.must(spent > 0.2, "the batch ran")
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
    shares = [event["detail"]["evidence"]["threshold"] for event in told]
    scenario.must(shares == [0.5, 0.8, 1.0], f"50, 80 and 100 % told once each, not {shares}")
    scenario.must(again == told, "nothing told again")
    scenario.must(not world.key(REPORTS).disabled, "no key is disabled for a budget that only alerts")
    return scenario


def runaway(world: World) -> Scenario:
    scenario = Scenario("a $500-an-hour loop is disabled")
    world.run(NIGHT, every=timedelta(minutes=5))
    before, started = world.spent(SEARCH), world.now
    world.loop(SEARCH, 500)
    stopped = world.run_while(lambda: not world.key(SEARCH).disabled, at_most=timedelta(minutes=20))
    lost = world.spent(SEARCH) - before
    minutes = round((world.now - started) / MINUTE, 1)
    world.run(world.now + 5 * MINUTE)
    world.end_loop(SEARCH)
    disabled = world.events("Key Disabled", subject=SEARCH)
    evidence = disabled[0]["detail"]["evidence"] if disabled else {}
    scenario.facts = {
        "virtual_minutes": minutes,
        "lost_usd": round(lost, 2),
        "would_have_cost_by_morning_usd": evidence.get("by_morning_usd"),
        "top_models": evidence.get("top_models"),
        "spent_after_usd": round(world.spent(SEARCH) - before - lost, 2),
        "slack": [said for said in world.slack_lines() if SEARCH in said],
    }
    scenario.must(stopped, "the key is disabled")
    scenario.must(minutes <= 5, f"within five minutes, not {minutes}")
    scenario.must(len(disabled) == 1, "Key Disabled published once")
    scenario.must(scenario.facts["spent_after_usd"] == 0, "not a cent more is spent")
    scenario.must(any("disabled" in said for said in scenario.facts["slack"]), "Slack says that the key is disabled")
    return scenario


def second_event(world: World) -> Scenario:
    scenario = Scenario("a second event for the same runaway changes nothing")
    confirmed = world.events("Runaway Confirmed", subject=SEARCH)
    before = (world.keys_as_set(), len(world.events("Key Disabled")), len(world.writes()))
    for event in confirmed[:1]:
        world.put_event("Runaway Confirmed", event["detail"], source="governor")
        world.put_event("Runaway Confirmed", {**event["detail"], "id": "another-id"}, source="governor")
    world.run(world.now + 3 * MINUTE)
    after = (world.keys_as_set(), len(world.events("Key Disabled")), len(world.writes()))
    scenario.facts = {"events_put": 2 * len(confirmed[:1]), "patches": after[2] - before[2]}
    scenario.must(bool(confirmed), "there was a first event")
    scenario.must(before == after, "no key, no disabling and no PATCH more than before")
    return scenario


def tier_zero(world: World) -> Scenario:
    scenario = Scenario("a tier-0 key is withheld, and people are told")
    world.loop(TRIAGE, 400)
    told = world.run_while(lambda: not world.events("Disable Withheld", subject=TRIAGE), at_most=timedelta(minutes=20))
    world.end_loop(TRIAGE)
    world.run(world.now + 3 * MINUTE)
    withheld = world.events("Disable Withheld", subject=TRIAGE)
    scenario.facts = {
        "rule": withheld[0]["detail"]["evidence"]["rule"] if withheld else None,
        "slack": [said for said in world.slack_lines() if TRIAGE in said],
    }
    scenario.must(told, "Disable Withheld is published")
    scenario.must(scenario.facts["rule"] == "tier_zero", "by the rule tier_zero")
    scenario.must(not world.key(TRIAGE).disabled, "the key is enabled")
    scenario.must(bool(scenario.facts["slack"]), "Slack is told")
    return scenario


def dry_run(world: World) -> Scenario:
    scenario = Scenario("a key that no workload declares runs away: alert mode does all but the PATCH")
    before = len(world.writes())
    world.loop(SANDBOX, 250)
    subject = world.hash(SANDBOX)
    told = world.run_while(lambda: not world.events("Disable Withheld", subject=subject), at_most=timedelta(minutes=20))
    world.end_loop(SANDBOX)
    world.run(world.now + 2 * MINUTE)
    withheld = world.events("Disable Withheld", subject=subject)
    evidence = withheld[0]["detail"]["evidence"] if withheld else {}
    scenario.facts = {key: evidence.get(key) for key in ("rule", "spent_usd", "by_morning_usd")}
    scenario.must(told and evidence.get("rule") == "alert_mode", "withheld by the rule alert_mode")
    scenario.must(len(world.writes()) == before, "no PATCH was sent")
    return scenario


def blind(world: World) -> Scenario:
    scenario = Scenario("a workspace that cannot be read makes Governor say so, and nothing is taken for zero")
    research = world.simulator.organization.workspace("research").id
    world.simulator.fault(rf"/keys\?.*workspace_id={research}.*", "503", times=None)
    told = world.run_while(lambda: not world.events("Monitor Blind"), at_most=timedelta(minutes=10))
    world.simulator.faults.clear()
    seen = world.run_while(lambda: not world.events("Monitor Recovered"), at_most=timedelta(minutes=5))
    scenario.facts = {"blind": [event["detail"]["reason"] for event in world.events("Monitor Blind")]}
    scenario.must(told, "Monitor Blind within ten minutes")
    scenario.must(seen, "Monitor Recovered when it can be read again")
    return scenario


def restored(world: World) -> Scenario:
    scenario = Scenario("the killed key is restored by an approver's request, and works")
    refused_by_api = world.complete(SEARCH).status_code
    request = {"subject": SEARCH, "evidence": {"cause": "runaway", "requested_by": "U0INTERN"}}
    world.put_event("Restore Requested", request)
    world.run(world.now + 2 * MINUTE)
    scenario.must(world.key(SEARCH).disabled, "a stranger's request restores nothing")
    world.put_event("Restore Requested", {**request, "evidence": {"cause": "runaway", "requested_by": "U0LEAD"}})
    world.run(world.now + 2 * MINUTE)
    answer = world.complete(SEARCH).status_code
    world.run(world.now + 30 * MINUTE)
    scenario.facts = {
        "answer_while_disabled": refused_by_api,
        "answer_after": answer,
        "refused": [event["detail"]["evidence"]["rule"] for event in world.events("Restore Refused", subject=SEARCH)],
        "restored": len(world.events("Key Restored", subject=SEARCH)),
    }
    scenario.must(refused_by_api == 401, "while disabled the key answers 401")
    scenario.must(answer == 200, "after that it works")
    scenario.must(scenario.facts["restored"] == 1, "Key Restored published once")
    scenario.must(not world.key(SEARCH).disabled, "and is not disabled again")
    return scenario


def slack_down(world: World) -> Scenario:
    scenario = Scenario("Slack is down while a key is disabled by hand: nothing is lost, nothing told twice")
    world.slack.fault("chat.postMessage", "server_error", times=2)
    before = len(world.slack_lines())
    key = world.key(HANDMADE)
    key.disabled = True
    world.put_event("Key Exposed", {"subject": world.hash(HANDMADE), "evidence": {"source": "drill"}}, "security")
    world.run(world.now + 20 * MINUTE)
    withheld = world.events("Disable Withheld", subject=world.hash(HANDMADE))
    lines = [said for said in world.slack_lines()[before:] if HANDMADE in said]
    scenario.facts = {"rule": [event["detail"]["evidence"]["rule"] for event in withheld], "slack": lines}
    scenario.must(len(withheld) == 1, "Disable Withheld published once")
    scenario.must(len(lines) == 1, f"told once in Slack after it came back, not {len(lines)} times")
    scenario.must(key.disabled, "the key that a human disabled stays as it is")
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
    scenario.must(scenario.facts["told"] == [0.5], "50 % of the new month told once")
    return scenario


def nothing_else(world: World, before: dict[str, dict[str, Any]]) -> Scenario:
    scenario = Scenario("nothing but the intended keys was changed")
    after = world.keys_as_set()
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    written = world.written()
    scenario.facts = {
        "changed": changed,
        "written_by_governor": written,
        "writes": len(world.writes()),
        "dead_letters": len(world.engine.dead_letters()),
        "slack_messages": len(world.slack.messages(CHANNEL)),
    }
    # The runaway's key was disabled and restored, so it stands as before; the other one a human disabled.
    scenario.must(changed == [HANDMADE], f"only {HANDMADE} differs, and a human did that; not {changed}")
    scenario.must(written == [SEARCH], f"Governor wrote to {SEARCH} only, not {written}")
    scenario.must(scenario.facts["writes"] == 2, "two writes in all: one disabling, one restoring")
    scenario.must(not scenario.facts["dead_letters"], "no dead letters")
    return scenario


def night(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """Every scenario, with the virtual time it took."""
    before = world.keys_as_set()
    steps: list[Callable[[World], Scenario]] = [
        installed, nightly_batch, thresholds, runaway, second_event, tier_zero, dry_run, blind, restored, slack_down,
        new_month, lambda world: nothing_else(world, before),
    ]  # fmt: skip
    for step in steps:
        started = world.now
        yield step(world), started, world.now
