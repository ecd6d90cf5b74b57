"""A promotion's life, step by step, and every way in which it ends otherwise."""

from typing import Any

import pytest

from governor.approvals.store import NotGranted
from governor.ledger import Put
from governor.ledger.dynamodb import DynamoLedger
from preset_promotion.settings import KINDS
from sandbox.openrouter.scripts import Script
from tests.faults.clients import client
from tests.faults.harness import Wire, case
from tests.faults.preset_promotion.history import EDITED, drifted, granted, promoted
from tests.faults.preset_promotion.opening import Worlds, worlds
from tests.faults.preset_promotion.promises import BEFORE, CANDIDATE, assert_kept, befall, looked_at, mishaps, run
from tests.faults.preset_promotion.world import (
    HAIKU,
    NEW,
    NEW_PROMPT,
    PRODUCTION,
    SLUG,
    SONNET,
    STAGING,
)

KIND = ("You sort tickets. Be kind.", NEW)
LOOSE = (NEW_PROMPT, {**NEW, "provider": {}})


def test_asked_checked_granted_promoted_and_served(fresh: Worlds) -> None:
    world = looked_at(fresh())
    run(world, world.request())
    assert world.kinds() == ["Approval Requested"]
    assert world.versions() == [BEFORE]
    world.decide("U0LEAD")
    run(world, world.granted())
    assert world.serves() == CANDIDATE
    assert world.kinds() == ["Approval Requested", "Preset Promoted"]
    told = world.last("Preset Promoted")
    assert (told["requested_by"], told["approved_by"], told["candidate"]["version"]) == ("U0DEV", ["U0LEAD"], 2)
    assert [check["name"] for check in told["checks"]] == [
        "models",
        "parameters",
        "data_policy",
        "reviewable",
        "golden: refund",
    ]
    (kept,) = world.rows("promotion").values()
    assert (kept["by"], kept["approved_by"], kept["outcome"]) == ("U0DEV", ["U0LEAD"], "promoted")
    assert (kept["source"][0], kept["became"][0]) == (2, 2)
    for _ in range(2):
        world.later(minutes=10)
        run(world, world.granted())
        run(world, world.request())
        run(world, world.tick())
    assert len(world.versions()) == 2
    assert world.kinds() == ["Approval Requested", "Preset Promoted"]
    assert_kept(world)


@pytest.mark.parametrize(
    ("former", "candidate", "seconds"),
    [
        ({"cache_enabled": True, "cache_ttl_seconds": 900}, {"cache_enabled": True}, 900),
        ({"cache_enabled": True}, {"cache_enabled": True, "cache_ttl_seconds": 900}, 300),
        ({"cache_enabled": True}, {}, None),
        ({}, {"cache_enabled": True}, None),
    ],
)
def test_after_a_promotion_people_are_told_how_long_old_answers_may_come(
    former: dict[str, Any], candidate: dict[str, Any], seconds: int | None, fresh: Worlds
) -> None:
    world = fresh()
    world.save(PRODUCTION, BEFORE[0], {**BEFORE[1], **former})
    looked_at(world)
    world.save(STAGING, CANDIDATE[0], {**CANDIDATE[1], **candidate})
    run(world, world.request())
    world.decide("U0LEAD")
    run(world, world.granted())
    (event,) = [one["Detail"] for one in world.told if one["DetailType"] == "Preset Promoted"]
    line = f"answers of version 2 from OpenRouter's response cache for up to {seconds} s, unless they send"
    assert ("response cache" in event["reason"]) is (seconds is not None)
    assert (line in event["reason"]) is (seconds is not None)
    assert any(line in shown for shown in event["evidence"]["shown"]) is (seconds is not None)


def test_nothing_is_asked_about_the_past_and_a_watched_version_is_asked_for_once(fresh: Worlds) -> None:
    world = fresh()
    world.save(STAGING, *CANDIDATE)
    run(world, world.tick())
    run(world, world.tick())
    assert world.kinds() == []
    world.save(STAGING, *KIND)
    for _ in range(3):
        world.later(minutes=10)
        run(world, world.tick())
    assert world.kinds() == ["Approval Requested"]
    assert world.last("Approval Requested")["requested_by"] == "governor"


def test_a_grant_is_acted_on_by_the_next_run_where_its_event_is_lost(fresh: Worlds) -> None:
    world = fresh(granted(fresh))
    run(world, world.tick())
    assert world.serves() == CANDIDATE


@pytest.mark.parametrize(("kind", "outcome"), [("Approval Rejected", "rejected"), ("Approval Expired", "expired")])
def test_a_no_and_a_silence_end_it_and_the_same_request_does_not_begin_it_again(
    kind: str, outcome: str, fresh: Worlds
) -> None:
    world = looked_at(fresh())
    run(world, world.request())
    if outcome == "rejected":
        world.decide(verdict="reject")
    else:
        world.later(hours=25)
        (over,) = world.approvals().overdue(world.now)
        world.approvals().write_off(over)
    run(world, world.granted(kind=kind))
    run(world, world.request())
    run(world, world.tick())
    assert (world.outcomes(), world.versions()) == ([outcome], [BEFORE])
    assert world.kinds() == ["Approval Requested"]
    run(world, world.request(id="request-2"))
    assert world.kinds() == ["Approval Requested", "Approval Requested"]


def test_the_event_of_a_grant_is_a_tip_and_moves_nothing_by_itself(fresh: Worlds) -> None:
    world = looked_at(fresh())
    run(world, world.request())
    run(world, world.granted())
    assert world.versions() == [BEFORE]


@pytest.mark.parametrize("place", [STAGING, PRODUCTION])
def test_what_changed_since_it_was_asked_is_void_and_asked_anew(place: str, fresh: Worlds) -> None:
    world = fresh(granted(fresh))
    first = world.asked()
    world.save(place, *KIND)
    run(world, world.granted())
    assert world.versions().count(CANDIDATE) == 0
    assert world.kinds()[-2:] == ["Approval Voided", "Approval Requested"]
    assert world.asked() != first
    with pytest.raises(NotGranted):
        world.approvals().granted(first, KINDS)
    asked = world.last("Approval Requested")
    assert asked["change"]["from"]["version"] == (3 if place == STAGING else 2)
    assert asked["change"]["to"]["version"] == (2 if place == PRODUCTION else 1)
    world.decide()
    run(world, world.granted())
    assert world.serves() == (KIND if place == STAGING else CANDIDATE)


def test_an_undecided_request_is_void_by_the_next_run_when_production_changes(fresh: Worlds) -> None:
    world = looked_at(fresh())
    run(world, world.request())
    world.save(PRODUCTION, *EDITED)
    run(world, world.tick())
    assert world.kinds() == ["Approval Requested", "Preset Drifted", "Approval Voided", "Approval Requested"]


BAD: list[tuple[tuple[str, dict[str, Any]], list[str]]] = [
    ((NEW_PROMPT, {**NEW, "model": "openai/gpt-5-mini"}), ["models"]),
    ((NEW_PROMPT, {**NEW, "top_k": 5}), ["parameters"]),
    (LOOSE, ["data_policy"]),
    (("Say nothing of queues.", NEW), ["golden: refund"]),
]


@pytest.mark.parametrize(("saved", "failing"), BAD)
def test_a_failing_check_blocks_and_an_override_is_an_approval_of_its_own(
    saved: tuple[str, dict[str, Any]], failing: list[str], fresh: Worlds
) -> None:
    world = fresh()
    script = Script("I cannot say.", prompt="money back", system="Say nothing")
    world.simulator.organization.scripts.insert(0, script)
    run(world, world.tick())
    world.save(STAGING, *saved)
    run(world, world.request())
    assert world.kinds() == ["Preset Promotion Failed"]
    told = world.last("Preset Promotion Failed")
    assert [one["name"] for one in told["checks"] if not one["passed"]] == failing
    assert told["overridable"]
    run(world, world.request(by="U0DEV", id="request-2", override_of=told["promotion"]))
    asked = world.last("Approval Requested")
    assert (asked["kind"], asked["change"]["failing"]) == ("override", failing)
    assert world.versions() == [BEFORE]
    world.decide()
    run(world, world.granted())
    assert world.serves() == saved
    assert world.last("Preset Promoted")["how"] == "override"


def test_a_looser_data_policy_passes_where_the_request_says_so(fresh: Worlds) -> None:
    world = fresh()
    run(world, world.tick())
    world.save(STAGING, *LOOSE)
    run(world, world.request(loosen=True))
    asked = world.last("Approval Requested")
    assert (asked["change"]["loosen"], asked["shown"][0][:1]) == (True, "⚠")


def test_a_regression_says_how_production_does_and_what_the_run_cost(wire: Wire) -> None:
    with worlds(wire) as fresh:
        world = fresh()
        run(world, world.tick())
        world.save(STAGING, NEW_PROMPT, {**NEW, "model": SONNET})
        world.simulator.organization.scripts.insert(0, Script("I cannot say.", model=SONNET, prompt="money back"))
        run(world, world.request())
        told = world.last("Preset Promotion Failed")
        assert [one["why"] for one in told["checks"] if not one["passed"]] == ["contains; production passes"]
        assert 0 < told["usd"] < 0.5
        assert any("0 of 1 pass, production 1; the run cost $" in line for line in told["shown"])


def test_a_purse_that_is_too_small_blocks_and_is_never_overdrawn(wire: Wire) -> None:
    golden = {"usd": 0.0001, "cases": [{"name": "refund", "prompt": "money back", "contains": ["billing"]}]}
    with worlds(wire, checks={"golden": golden}) as fresh:
        world = looked_at(fresh())
        run(world, world.request())
        told = world.last("Preset Promotion Failed")
        assert [one["why"] for one in told["checks"] if not one["passed"]] == ["budget"]
        assert told["usd"] == 0


def test_the_kept_catalogue_is_used_and_said_when_models_does_not_answer(fresh: Worlds) -> None:
    world = fresh(promoted(fresh))
    world.simulator.fault("/models", "503", times=None)
    world.save(STAGING, *KIND)
    run(world, world.request(id="request-2"))
    world.simulator.faults.clear()
    assert "catalogue did not answer" in world.last("Approval Requested")["shown"][0]


def test_a_preset_that_production_has_not_yet_is_made_and_has_no_way_back(fresh: Worlds) -> None:
    world = fresh()
    organization = world.simulator.organization
    del organization.presets[organization.workspace(PRODUCTION).id, "support-triage"]
    run(world, world.tick())
    run(world, world.request())
    world.decide()
    run(world, world.granted())
    assert world.versions() == [BEFORE]
    promotion = world.last("Preset Promoted")["promotion"]
    run(world, world.order("rollback", promotion=promotion))
    assert world.last("Preset Promotion Failed")["rule"] == "no_former"


@pytest.mark.parametrize(
    ("evidence", "rule"), [({}, "nothing_to_promote"), ({"override_of": "nothing"}, "nothing_to_override")]
)
def test_a_request_that_leads_nowhere_is_told_so_once(evidence: dict[str, Any], rule: str, fresh: Worlds) -> None:
    world = fresh()
    run(world, world.request(**evidence))
    run(world, world.request(**evidence))
    assert world.kinds() == ["Preset Promotion Failed"]
    assert world.last("Preset Promotion Failed")["rule"] == rule


def test_a_409_is_looked_into_and_posted_at_most_once_more(fresh: Worlds) -> None:
    before = granted(fresh)
    path = "/presets/{slug}/chat/completions"
    for times, ends in ((1, "Preset Promoted"), (2, "Preset Promotion Failed")):
        world = fresh(before)
        fault = world.simulator.fault(path, "409", times=times)
        run(world, world.granted())
        world.simulator.faults.clear()
        assert world.kinds()[-1] == ends
        assert fault.seen == 2
        assert world.serves() == (CANDIDATE if times == 1 else BEFORE)


def test_a_409_because_somebody_was_first_gives_up_and_asks_anew(wire: Wire, fresh: Worlds) -> None:
    before = granted(fresh)
    post = next(
        at
        for at, name in enumerate(wire.calls_of(fresh(before).granted()))
        if name.endswith("support-triage/chat/completions")
    )
    world = fresh(before)
    world.simulator.fault("/presets/{slug}/chat/completions", "409")
    with wire.beside(lambda: world.save(PRODUCTION, *KIND), post):
        run(world, world.granted())
    world.simulator.faults.clear()
    assert world.kinds() == ["Approval Requested", "Preset Promotion Failed", "Approval Requested"]
    assert world.last("Preset Promotion Failed")["rule"] == "production_changed"
    assert world.last("Approval Requested")["change"]["to"]["version"] == 2
    assert world.serves() == KIND


def test_a_refused_post_changes_nothing_and_uses_the_grant_up(fresh: Worlds) -> None:
    world = fresh(granted(fresh))
    world.simulator.fault("/presets/{slug}/chat/completions", "fail_before", status=403)
    run(world, world.granted())
    world.simulator.faults.clear()
    assert (world.last("Preset Promotion Failed")["rule"], world.versions()) == ("openrouter_refused", [BEFORE])
    run(world, world.granted())
    assert world.versions() == [BEFORE]


def test_a_rollback_of_another_promotion_and_orders_about_another_version_are_refused(fresh: Worlds) -> None:
    world = fresh(drifted(fresh))
    run(world, world.order("rollback", id="order-1", promotion="another"))
    assert world.last("Preset Promotion Failed")["rule"] == "not_the_last"
    for kind in ("adopt", "revert"):
        run(world, world.order(kind, id=f"order-{kind}", version="2"))
        assert world.last("Preset Promotion Failed")["rule"] == "production_changed"
    assert world.serves() == EDITED


def test_an_adopted_edit_is_the_promoted_version_and_can_be_rolled_back(fresh: Worlds) -> None:
    world = fresh(drifted(fresh))
    run(world, world.order("adopt", version="3"))
    run(world, world.tick())
    assert world.kinds()[-1] == "Preset Promoted"
    run(world, world.order("rollback", id="order-2"))
    assert world.serves() == CANDIDATE


def test_a_fallback_that_is_not_certified_blocks_too(fresh: Worlds) -> None:
    world = fresh()
    run(world, world.tick())
    world.save(STAGING, NEW_PROMPT, {**NEW, "models": [HAIKU, "x-ai/grok-4-fast"]})
    run(world, world.request())
    assert "x-ai/grok-4-fast is not certified" in str(world.last("Preset Promotion Failed")["checks"])


@pytest.mark.parametrize("altered", [{"approvers": []}, {"needed": 0}, {"change": {"preset": "support-triage"}}])
def test_a_request_that_somebody_altered_in_the_ledger_promotes_nothing(altered: dict[str, Any], fresh: Worlds) -> None:
    world = looked_at(fresh())
    run(world, world.request())
    ledger = DynamoLedger(client("dynamodb"), "ledger")
    row = ledger.get("approval", world.asked())
    assert row
    ledger.commit(Put("approval", row.sk, {**row.data, **altered}, row.version))
    world.decide("U0STRANGER" if "approvers" in altered else "U0LEAD")
    run(world, world.granted())
    assert world.versions() == [BEFORE]
    assert world.kinds()[-1] == "Approval Voided"
    assert world.outcomes() == ["void"]


def test_an_order_is_carried_out_only_for_the_presets_own_approvers(fresh: Worlds) -> None:
    world = fresh(promoted(fresh))
    run(world, world.order("rollback", by="U0STRANGER"))
    assert world.last("Preset Promotion Failed")["rule"] == "not_an_approver"
    assert world.serves() == CANDIDATE


def test_an_archived_production_preset_is_told_once_each_time_and_never_restored(fresh: Worlds) -> None:
    world = fresh(promoted(fresh))
    organization = world.simulator.organization
    preset = organization.preset(organization.workspace(PRODUCTION).id, SLUG)
    for time in (1, 2):
        preset.change_status("archived", organization.now)
        for _ in range(3):
            world.later(minutes=10)
            run(world, world.tick())
        assert world.kinds()[2:] == ["Preset Drifted"] * time
        told = [one["Detail"] for one in world.told if one["DetailType"] == "Preset Drifted"][-1]
        assert f"production's preset {SLUG} was archived: callers of @preset/{SLUG} get 404" in told["reason"]
        assert (told["evidence"]["live"]["version"], told["evidence"]["promoted"]["version"]) == (0, 2)
        assert preset.status == "archived"
        preset.change_status("active", organization.now)
        for _ in range(2):
            world.later(minutes=10)
            run(world, world.tick())
    assert world.kinds()[2:] == ["Preset Drifted"] * 2
    assert world.versions() == [BEFORE, CANDIDATE]


def test_any_call_of_the_run_that_sees_an_archived_preset_may_fail_and_it_is_told_once(
    wire: Wire, fresh: Worlds, counted: list[str]
) -> None:
    world = fresh(promoted(fresh))
    organization = world.simulator.organization
    organization.preset(organization.workspace(PRODUCTION).id, SLUG).change_status("archived", organization.now)
    before = fresh.photo()
    for accident in mishaps(wire.calls_of(fresh(before).tick())):
        with case(counted, accident):
            world = fresh(before)
            befall(world, world.tick(), accident)
            assert world.kinds()[2:] == ["Preset Drifted"]
            assert world.versions() == [BEFORE, CANDIDATE]
