"""Keys that run away or leak: what is disabled, what is withheld, and how it comes back."""

from datetime import UTC, datetime, timedelta

from sandbox.scenario.organization import SANDBOX, SEARCH, TRIAGE
from sandbox.scenario.scenario import Scenario, usd
from sandbox.scenario.world import MINUTE, World

NIGHT = datetime(2026, 1, 30, 3, 0, tzinfo=UTC)


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
    scenario.tell(
        f"disabled {minutes:.0f} virtual minutes after the loop began",
        f"{usd(lost)} lost, nothing after; left alone until 08:00 UTC: {usd(evidence.get('by_morning_usd'))}",
    )
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
    scenario.tell(f"the event once more, and again under a new id: {scenario.facts['patches']} writes to OpenRouter")
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
    scenario.tell(f"the rule {scenario.facts['rule']} held it back; the key works on")
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
    scenario.tell(
        f"rule {evidence.get('rule')}: {usd(evidence.get('spent_usd'))} burnt when told, no write to OpenRouter",
        f"left alone until 08:00 UTC: {usd(evidence.get('by_morning_usd'))}",
    )
    scenario.must(told and evidence.get("rule") == "alert_mode", "withheld by the rule alert_mode")
    scenario.must(len(world.writes()) == before, "no PATCH was sent")
    return scenario


def restored(world: World) -> Scenario:
    scenario = Scenario("the killed key is restored in Slack: asked by one, approved by another, and works")
    refused_by_api = world.complete(SEARCH).status_code
    world.put_event(
        "Restore Requested", {"subject": SEARCH, "evidence": {"cause": "runaway", "requested_by": "U0INTERN"}}
    )
    world.run(world.now + 2 * MINUTE)
    scenario.must(world.key(SEARCH).disabled, "an event that names a stranger restores nothing")
    statuses = [world.click("U0INTERN", "Restore key").status, world.click("U0INTERN", "Approve").status]
    own = world.slack.told("U0INTERN")[-1]
    scenario.must(world.key(SEARCH).disabled, "nobody approves their own request")
    statuses += [world.slack.click("U0LEAD", "Approve").status, world.click("U0LEAD", "Approve").status]
    answer = world.complete(SEARCH).status_code
    world.run(world.now + 30 * MINUTE)
    scenario.facts = {
        "answer_while_disabled": refused_by_api,
        "answer_after": answer,
        "gateway_answered": statuses,
        "own_approval": own,
        "refused": [event["detail"]["evidence"]["rule"] for event in world.events("Restore Refused", subject=SEARCH)],
        "restored": len(world.events("Key Restored", subject=SEARCH)),
    }
    scenario.tell(
        f"while disabled, the key answered {refused_by_api}",
        f"U0INTERN clicked Restore key, then Approve: “{own}”",
        f"U0LEAD clicked Approve, twice at once: restored once, and the key answers {answer}",
    )
    scenario.must(refused_by_api == 401, "while disabled the key answers 401")
    scenario.must(answer == 200, "after that it works")
    scenario.must(scenario.facts["restored"] == 1, "Key Restored published once")
    scenario.must(statuses == [200] * 4, "Slack hears 200 each time")
    scenario.must(not world.key(SEARCH).disabled, "and is not disabled again")
    return scenario


def exposed(world: World) -> Scenario:
    scenario = Scenario("a leaked key is disabled first, then the workload gets a new one")
    detail = {"subject": SEARCH, "reason": "found in a public repository", "evidence": {"source": "secret scanning"}}
    started, leaked = world.now, world.plaintexts[SEARCH]
    world.put_event("Key Exposed", detail, "security.scanner")
    stopped = world.run_while(lambda: not world.key(SEARCH).disabled, at_most=timedelta(minutes=5))
    minutes = (world.now - started) / MINUTE
    world.run(world.now + 3 * MINUTE)
    secret = world.secret("openrouter/prod/search-agent")
    request = {"subject": SEARCH, "evidence": {"cause": "exposed", "requested_by": "U0LEAD"}}
    world.put_event("Restore Requested", request)
    world.put_event("Key Exposed", detail, "security.scanner")
    world.run(world.now + 2 * MINUTE)
    refused = [one["detail"]["evidence"]["rule"] for one in world.events("Restore Refused", subject=SEARCH)][-1:]
    kinds = [one["detail-type"] for one in world.events(subject=SEARCH)]
    scenario.facts = {
        "virtual_minutes": minutes,
        "rotated": kinds.count("Key Rotated"),
        "refused": refused,
        "answer_of_the_leaked_key": world.asked_with(leaked),
        "answer_of_the_new_key": world.asked_with(secret["api_key"]),
    }
    scenario.tell(
        f"disabled within {minutes:.0f} virtual minute of the report; {secret.get('name')} made and proven after it",
        f"the leaked key answers {scenario.facts['answer_of_the_leaked_key']}, the new one "
        f"{scenario.facts['answer_of_the_new_key']}; a restore of the leaked one is refused ({', '.join(refused)})",
        "reported once more: the rate limit withholds a second disable on one day, and a human is told",
    )
    scenario.must(stopped, "the key is disabled")
    scenario.must("Key Rotated" in kinds[kinds.index("Rotation Started") :], "a new key was made after the disable")
    scenario.must(scenario.facts["answer_of_the_leaked_key"] == 401, "the leaked key stays dead")
    scenario.must(scenario.facts["answer_of_the_new_key"] == 200, "the new key, read from the secret, works")
    scenario.must(refused == ["not_standing"], "the leaked key is not to be restored")
    return scenario
