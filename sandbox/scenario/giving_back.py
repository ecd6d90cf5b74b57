"""Rotations that meet something: a runaway, a lost answer, a person who wants the former key back."""

from datetime import datetime, timedelta

from sandbox.scenario import fleet as of
from sandbox.scenario.fleet import ANSWERS, BEGUN, HOUR, LOOPS, SECRETS, TICK, Fleet, runs_away
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import MINUTE

NOON = timedelta(hours=12)


def runaway_amid(fleet: Fleet) -> Scenario:
    scenario = Scenario("a rotation in the middle of a runaway does not revive it")
    world = fleet.world
    fleet.pass_time(BEGUN + timedelta(days=9) + NOON)
    world.run(world.now + 20 * MINUTE)  # the meter's own run, before anything happens
    before, started = fleet.loops.total.usd, world.now
    runs_away(fleet.loops, 500)
    world.run(world.now + MINUTE)
    fleet.ask("Rotation Requested", LOOPS)
    stopped = world.run_while(
        lambda: bool(fleet.live(LOOPS)) or len(fleet.keys(LOOPS)) < 2, at_most=timedelta(minutes=20)
    )
    minutes, both = (world.now - started) / MINUTE, [key.name for key in fleet.keys(LOOPS)]
    lost = fleet.loops.total.usd - before
    fleet.ask("Rotation Requested", LOOPS, "U0INTERN")
    revived = world.run_while(lambda: not fleet.live(LOOPS), at_most=timedelta(hours=3), every=TICK)
    after, made = fleet.loops.total.usd - before - lost, len(fleet.keys(LOOPS)) - len(both)
    fleet.loops.usd = of.LOOPS_USD
    fleet.ask("Restore Requested", LOOPS, cause="runaway")
    world.run(world.now + 3 * MINUTE)
    answer = world.asked_with(world.api_key(SECRETS[LOOPS]))
    rotated = len(fleet.told("Key Rotated", LOOPS))
    fleet.ask("Rotation Requested", LOOPS, "U0SEC")
    fleet.closely(world.now + 2 * HOUR)
    again = len(fleet.told("Key Rotated", LOOPS)) - rotated
    rules = [one["rule"] for one in fleet.told("Rotation Failed", LOOPS)]
    scenario.facts = {
        "virtual_minutes": round(minutes, 1),
        "lost_usd": round(lost, 2),
        "disabled": both,
        "spent_after_usd": round(after, 4),
        "failed_rotations": rules,
        "answer_after_restore": answer,
        "rotations_after_restore": again,
    }
    scenario.tell(
        f"rotated while it ran away: both keys disabled after {minutes:.0f} virtual minutes, {usd(lost)} lost",
        f"asked again while disabled: refused ({', '.join(rules[:1])}); no key made or enabled, {usd(after)} in 3 h",
        f"restored by an approver: the key in the secret answers {answer}, and rotates again when asked",
    )
    scenario.must(stopped, "every key of the workload is disabled")
    scenario.must(len(both) == 2, f"the runaway has two keys, not {len(both)}")
    scenario.must(not revived, "no key of it comes back by the rotation")
    scenario.must(after == 0 and made == 0, "nothing is spent, and no key made")
    scenario.must("lineage_disabled" in rules, "the second rotation is refused: lineage_disabled")
    scenario.must(answer == 200, "after the restore the key in the secret works")
    scenario.must(again == 1, f"and a rotation is possible again, not {again}")
    return scenario


def rolled_back(fleet: Fleet) -> Scenario:
    scenario = Scenario("a rotation is rolled back when its old key is disabled already, and nobody notices")
    world = fleet.world
    first = len(fleet.told("Key Rotated", ANSWERS))
    while len(fleet.told("Key Rotated", ANSWERS)) == first and world.now < BEGUN + timedelta(days=20):
        fleet.pass_time(_next_day(world.now))
    newer = world.held(SECRETS[ANSWERS])
    fleet.pass_time(world.now + timedelta(days=1, hours=14))
    held = [key for key in fleet.keys(ANSWERS) if key.disabled]
    former = held[-1].hash if held else None
    fleet.ask("Rollback Requested", ANSWERS, "U0INTERN")
    fleet.closely(world.now + TICK)
    untouched = world.held(SECRETS[ANSWERS]) == newer
    before = fleet.answers.total
    fleet.ask("Rollback Requested", ANSWERS, "U0SEC")
    fleet.closely(world.now + 2 * HOUR)
    now = world.held(SECRETS[ANSWERS])
    fleet.pass_time(world.now + timedelta(days=8))
    after = fleet.answers.total
    refused = [one["rule"] for one in fleet.told("Rollback Refused", ANSWERS)]
    scenario.facts = {
        "refused": refused,
        "from": newer["name"],
        "back_to": now["name"],
        "requests_after": after.requests - before.requests,
        "failed": after.failed,
        "not_byok": after.requests - after.byok,
        "keys_left": [key.name for key in fleet.keys(ANSWERS)],
    }
    scenario.tell(
        f"U0INTERN asked: refused ({', '.join(refused)}). U0SEC asked: {now['name']} again, enabled and proven",
        f"{newer['name']} was drained, quarantined and deleted; {after.failed} requests failed",
    )
    scenario.must(former is not None, "the old key was disabled already")
    scenario.must(untouched and refused == ["not_an_approver"], "a stranger's request gives nothing back")
    scenario.must(now["hash"] == former, "the secret holds the former key again")
    scenario.must(len(fleet.told("Rotation Rolled Back", ANSWERS)) == 1, "Rotation Rolled Back published once")
    scenario.must(scenario.facts["keys_left"] == [now["name"]], "the newer key is gone, and only the former is left")
    scenario.must(not after.failed, f"no request failed, not {after.failed}")
    scenario.must(after.byok == after.requests, "served by the organization's own credential throughout")
    return scenario


def orphan(fleet: Fleet) -> Scenario:
    scenario = Scenario("a key whose creation was answered to nobody is found and removed")
    world = fleet.world
    fleet.pass_time(_next_day(world.now) + NOON)
    before = {key.hash for key in fleet.keys(ANSWERS)}
    fault = world.simulator.fault("/keys", "fail_after", method="POST")
    fleet.ask("Rotation Requested", ANSWERS)
    world.run(world.now + 5 * MINUTE)
    made = [key.name for key in fleet.keys(ANSWERS) if key.hash not in before]
    held = world.held(SECRETS[ANSWERS])
    removed = world.run_while(
        lambda: not world.events("Orphan Removed", subject=ANSWERS), at_most=timedelta(hours=6), every=TICK
    )
    world.simulator.faults.clear()
    told = [one["name"] for one in fleet.told("Orphan Removed", ANSWERS)]
    keys = [one["key"]["name"] for one in fleet.told("Orphan Removed", ANSWERS)]
    left = [key.name for key in fleet.keys(ANSWERS) if key.hash not in before]
    scenario.facts = {"posts": fault.seen, "made": made, "removed": keys, "left": left}
    scenario.tell(
        f"the answer to a POST was lost: {len(made)} keys, {held['name']} in the secret",
        f"{', '.join(keys)} removed: disabled first, deleted an hour later",
    )
    scenario.must(len(made) == 2, f"the POST made a key that nobody holds, and its retry another: {len(made)} keys")
    scenario.must(removed and len(told) == 1, "Orphan Removed published once")
    scenario.must(left == [held["name"]], "the key in the secret is left, and the orphan gone")
    scenario.must(not fleet.answers.total.failed, "no request failed")
    return scenario


def _next_day(moment: datetime) -> datetime:
    return moment.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
