"""Sixty days in which keys rotate under load: what their consumers notice, and what they may spend meanwhile."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.scenario import fleet as of
from sandbox.scenario.fleet import ANSWERS, BEGUN, CRAWLER, DIGEST, SECRETS, Fleet, settle_in
from sandbox.scenario.giving_back import orphan, rolled_back, runaway_amid
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import World

END = BEGUN + timedelta(days=of.DAYS)


def provisioned(fleet: Fleet) -> Scenario:
    scenario = Scenario("a workload without a key gets one, and its secret")
    had = len(fleet.keys(DIGEST))
    fleet.pass_time(BEGUN + timedelta(hours=8))
    keys = fleet.keys(DIGEST)
    held = fleet.world.held(SECRETS[DIGEST])
    answer = fleet.world.asked_with(held["api_key"])
    key = keys[0] if keys else None
    life = timedelta(seconds=key.expires_at - key.created_at) if key and key.expires_at else timedelta()
    scenario.facts = {
        "name": key and key.name,
        "limit": key and (key.limit, key.limit_reset),
        "life_days": round(life / timedelta(days=1)),
        "secret_fields": sorted(held),
        "answer": answer,
    }
    scenario.tell(
        f"{scenario.facts['name']}: {usd(key and key.limit)} a month, for {scenario.facts['life_days']} days",
        f"its secret holds {', '.join(sorted(held))}; the key in it answers {answer}",
    )
    scenario.must(had == 0 and len(keys) == 1, f"one key is made, not {len(keys)}")
    scenario.must(answer == 200, "the key in the secret works")
    scenario.must(key is not None and held["hash"] == key.hash, "the secret says which key it holds")
    scenario.must(scenario.facts["limit"] == (30.0, "monthly"), "it has the policy's cap")
    scenario.must(scenario.facts["life_days"] == 60, "it expires when the policy says")
    return scenario


def adopted(fleet: Fleet) -> Scenario:
    scenario = Scenario("a key made by hand is adopted, replaced, drained and deleted")
    by_hand = fleet.world.hash(of.BY_HAND)
    fleet.pass_time(BEGUN + timedelta(days=9))
    started = fleet.told("Rotation Started", ANSWERS)
    retired = [one["name"] for one in fleet.told("Key Retired", ANSWERS)]
    secret = fleet.world.held(SECRETS[ANSWERS])
    lists = (fleet.credential().settings["allowed_api_key_hashes"], fleet.destination().settings["api_key_hashes"])
    total = fleet.answers.total
    scenario.facts = {
        "replaced": [one["old"]["name"] for one in started if one["old"]],
        "retired": retired,
        "requests": total.requests,
        "failed": total.failed,
    }
    scenario.tell(
        f"{of.BY_HAND!r} gave way to {secret['name']}, drained for a day, and was deleted after its quarantine",
        f"{total.requests:,} requests meanwhile, {total.failed} failed",
    )
    scenario.must(scenario.facts["replaced"] == [of.BY_HAND], "the first rotation replaces the key made by hand")
    scenario.must(retired == [of.BY_HAND], f"it is retired, not {retired}")
    scenario.must(fleet.world.simulator.organization.keys.get(by_hand) is None, "and deleted")
    scenario.must(all(secret["hash"] in one and by_hand not in one for one in lists), "the lists name the new key")
    scenario.must(not total.failed, f"no request failed, not {total.failed}")
    return scenario


def sixty_days(fleet: Fleet) -> Scenario:
    scenario = Scenario("sixty days, several rotations: no failed request, BYOK stays BYOK, the cap holds")
    fleet.pass_time(END)
    total, organization = fleet.answers.total, fleet.world.simulator.organization
    rotated = fleet.told("Key Rotated", ANSWERS)
    months = _by_month(fleet)
    secret = fleet.world.held(SECRETS[ANSWERS])
    enabled = [key.name for key in fleet.live(ANSWERS)]
    known = {key.hash for key in organization.keys}
    listed = fleet.credential().settings["allowed_api_key_hashes"]
    guardrail = organization.guardrail_of_key(secret["hash"])
    scenario.facts = {
        "days": of.DAYS,
        "requests": total.requests,
        "failed": total.failed,
        "failures": [(one.at, one.status) for one in fleet.answers.failures],
        "byok_served": total.byok,
        "rotations": len(rotated),
        "keys_served_with": len(fleet.answers.keys),
        "spent_by_month_usd": {month: round(spent, 2) for month, spent in months.items()},
        "cap_usd": of.ANSWERS_CAP,
        "enabled": enabled,
        "dead_letters": [
            f"{one.queue}: {one.body} {one.attributes}"[:1000] for one in fleet.world.engine.dead_letters()
        ],
    }
    scenario.tell(
        f"{total.requests:,} requests, one in 10 seconds and beside every write of Governor's, secret read every 5 min",
        f"{len(rotated)} rotations and a rollback: {total.failed} failed, {total.requests - total.byok} not by BYOK",
        f"of ${of.ANSWERS_CAP:.0f} a month: " + ", ".join(f"{month} {usd(spent)}" for month, spent in months.items()),
    )
    scenario.must(total.requests > of.DAYS * 8600, "a request every ten seconds")
    scenario.must(len(rotated) >= 4, f"at least four rotations, not {len(rotated)}")
    scenario.must(not total.failed, f"no request failed, not {total.failed}")
    scenario.must(total.byok == total.requests, "every request was served by the organization's own credential")
    scenario.must(max(months.values()) <= of.ANSWERS_CAP, "no month's spend passes the cap")
    scenario.must(secret["hash"] in listed and set(listed) <= known, "the allowlist names the key, and no dead one")
    scenario.must(guardrail is not None and guardrail.rules["name"] == of.GUARDRAIL, "the key has its guardrail")
    copies = fleet.world.copied(SECRETS[ANSWERS], of.REPLICA)
    scenario.must(all(copy == secret for copy in copies), "parameter and replica hold the same key as the secret")
    scenario.must(enabled[-1:] == [secret["name"]], "the secret holds the newest enabled key")
    scenario.must(len(enabled) <= 2, f"two live keys at the most, not {len(enabled)}")
    scenario.must(not scenario.facts["dead_letters"], "no dead letters")
    return scenario


def capped(fleet: Fleet) -> Scenario:
    scenario = Scenario("a workload that wants twice its cap, with two keys in use, never spends more than the cap")
    first, second = fleet.crawler, fleet.forgetful
    spent = {
        start: first.between(start, end).usd + second.between(start, end).usd for start, end in of.weeks(BEGUN, of.DAYS)
    }
    rotations = [event["detail"]["occurred_at"][:10] for event in fleet.world.events("Key Rotated", subject=CRAWLER)]
    turned = {day for day in spent if any(_in_week(day, rotation) for rotation in rotations)}
    blocked = fleet.told("Drain Blocked", CRAWLER)
    most = max(spent.values())
    scenario.facts = {
        "cap_usd": of.CRAWLER_CAP,
        "request_usd": of.CRAWLER_USD,
        "spent_by_week_usd": {f"{day:%Y-%m-%d}": round(usd, 2) for day, usd in spent.items()},
        "weeks_with_a_rotation": sorted(f"{day:%Y-%m-%d}" for day in turned),
        "drain_blocked": [one["top_apps"] for one in blocked],
        "refused": dict(first.total.statuses),
    }
    scenario.tell(
        f"{len(rotations)} rotations; in those weeks {', '.join(usd(spent[day]) for day in sorted(turned))} of "
        f"{usd(of.CRAWLER_CAP)}; the most of any week {usd(most)}",
        "the most is what a limit lets through: the request that crosses it, once for each key",
        f"a container that keeps its key for ten days: Drain Blocked {len(blocked)} times, which names it",
    )
    # A limit lets the request through that crosses it, once for each key.
    room = 2 * of.CRAWLER_USD + 1e-6
    scenario.must(len(turned) >= 2, f"rotations in two weeks or more, not {len(turned)}")
    scenario.must(most <= of.CRAWLER_CAP + room, f"no week's spend passes the cap, not {usd(most)}")
    scenario.must(min(spent[day] for day in turned) > of.CRAWLER_CAP * 0.5, "and the cap is there to be used")
    scenario.must(any(app == of.FORGETFUL for one in blocked for app, _ in one["top_apps"]), "who is told")
    return scenario


def sixty(world: World) -> Iterator[tuple[Scenario, datetime, datetime]]:
    """Every scenario of the second act, with the virtual time it took."""
    fleet = settle_in(world)
    for step in (provisioned, adopted, runaway_amid, rolled_back, orphan, sixty_days, capped):
        started, began = world.now, time.monotonic()
        scenario = step(fleet)
        scenario.facts["real_seconds"] = round(time.monotonic() - began, 1)
        yield scenario, started, world.now


def _by_month(fleet: Fleet) -> dict[str, float]:
    months: dict[str, float] = {}
    for day, tally in fleet.answers.by_day.items():
        if day < END:
            months[f"{day:%Y-%m}"] = months.get(f"{day:%Y-%m}", 0.0) + tally.usd
    return months


def _in_week(monday: datetime, day: str) -> bool:
    return f"{monday:%Y-%m-%d}" <= day < f"{monday + timedelta(days=7):%Y-%m-%d}"
