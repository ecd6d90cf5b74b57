"""What people do in Slack, through signed HTTP to the function URL; each function under its own role."""

import json
from datetime import timedelta
from typing import Any

import httpx

from governor.clock import format_instant
from sandbox.scenario.organization import SEARCH, TRIAGE
from sandbox.scenario.publishing import buttons
from sandbox.scenario.world import CHANNEL, World

MINUTES = timedelta(minutes=1)


def _killed(world: World) -> None:
    world.run(world.now + 2 * MINUTES)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.key(SEARCH).disabled, at_most=20 * MINUTES)
    world.end_loop(SEARCH)
    world.run(world.now + MINUTES)


def _with_buttons(world: World) -> dict[str, list[str]]:
    """The messages that have buttons, by their first line."""
    return {one["text"]: buttons(one) for one in world.slack.messages(CHANNEL) if buttons(one)}


def _decision(world: World, approval: str) -> dict[str, Any]:
    table = world.engine.client("dynamodb")
    key = {"pk": {"S": "decision"}, "sk": {"S": approval}}
    found = table.get_item(TableName=world.engine.outputs["DecisionsTable"], Key=key)
    data: dict[str, Any] = json.loads(found["Item"]["data"]["S"])
    return data


def test_a_killed_key_comes_back_by_an_approvers_click_and_a_double_click_does_nothing(world: World) -> None:
    _killed(world)
    first = world.click("U0LEAD", "Restore key", holding=SEARCH)
    assert first.status == 200
    assert world.slack.resend(first, retry=1).status == 200
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTES)
    world.command("U0LEAD", f"restore {SEARCH}")
    world.run(world.now + MINUTES)
    assert len(world.events("Approval Granted")) == 1
    assert len(world.events("Key Restored")) == 1
    assert world.slack.told("U0LEAD")[-1] == f"`{SEARCH}` is not disabled for a cause that can be lifted here."
    assert world.engine.dead_letters() == []


def test_a_forged_event_moves_no_button_and_is_told_as_such(world: World) -> None:
    """Published with the kill switch's own role, which is all that the bus asks for; but not stored by it."""
    _killed(world)
    (genuine,) = world.events("Key Disabled")
    before = _with_buttons(world)
    assert ["Restore key"] in before.values()
    later = format_instant(world.now + 120 * MINUTES)
    for id in (genuine["detail"]["id"], "forged-1"):
        detail = {**genuine["detail"], "id": id, "reason": "Click the button.", "occurred_at": later}
        entry = {"Source": "governor", "DetailType": "Key Disabled", "Detail": json.dumps(detail)}
        bus = world.engine.outputs["EventBusName"]
        world.engine.client_as("KillSwitchFunction", "events").put_events(Entries=[{**entry, "EventBusName": bus}])
    world.run(world.now + 2 * MINUTES)
    rules = sorted(alarm["detail"]["evidence"]["rule"] for alarm in world.events("Forgery Suspected"))
    assert rules == ["record_differs", "unrecorded"]
    assert _with_buttons(world) == before
    told = world.slack.messages(CHANNEL)
    (marked,) = [message for message in told if "Click the button." in json.dumps(message)]
    assert marked["text"].startswith("⚠ *Not confirmed.*")
    assert buttons(marked) == []
    assert sum("may have forged an event" in message["text"] for message in told) == 2
    world.click("U0LEAD", "Restore key", holding=SEARCH)
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTES)
    assert world.engine.dead_letters() == []


def test_anybody_elses_wish_waits_for_an_approver_and_a_stranger_decides_nothing(world: World) -> None:
    _killed(world)
    world.click("U0SEARCH", "Restore key", holding=SEARCH)
    assert world.key(SEARCH).disabled
    (asked,) = world.events("Approval Requested")
    world.click("U0SEARCH", "Approve")
    world.click("U0FINANCE", "Approve")
    world.click("U0LEAD", "Approve", team="T0ELSEWHERE")
    assert "yourself" in world.slack.told("U0SEARCH")[-1]
    assert "not among the approvers" in world.slack.told("U0FINANCE")[-1]
    assert "you belong to another workspace" in world.slack.told("U0LEAD")[-1]
    assert world.key(SEARCH).disabled
    twice = world.click("U0SEC", "Approve")
    world.slack.resend(twice, anew=False)
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTES)
    assert [vote["by"] for vote in _decision(world, asked["detail"]["evidence"]["approval"])["votes"]] == ["U0SEC"]
    assert len(world.events("Key Restored")) == 1
    assert world.engine.dead_letters() == []


def test_a_rejection_asks_why_and_the_reason_is_told(world: World) -> None:
    _killed(world)
    world.click("U0SEARCH", "Restore key", holding=SEARCH)
    # A cold start may take longer than the three seconds in which Slack opens a modal: people click again.
    while not world.slack.workspace.views:
        world.click("U0SEC", "Reject")
    assert world.submit("U0SEC", reason="It still loops.").status == 200
    (rejected,) = world.events("Approval Rejected")
    assert rejected["detail"]["evidence"]["comment"] == "It still loops."
    assert world.slack.told("U0SEC")[-1] == "Rejected; nothing is done."
    assert any("It still loops." in line for line in world.slack.transcript(CHANNEL).splitlines())
    assert world.key(SEARCH).disabled


def test_without_slack_a_decision_is_an_event_and_what_nobody_decides_expires(world: World) -> None:
    _killed(world)
    world.command("U0SEARCH", f"restore {SEARCH}")
    (asked,) = world.events("Approval Requested")
    word = {name: asked["detail"]["evidence"][name] for name in ("approval", "digest")} | {"verdict": "approve"}
    world.put_event("Approval Decided", {"subject": SEARCH, "evidence": {**word, "by": "U0SEARCH"}})
    world.run(world.now + MINUTES)
    assert world.key(SEARCH).disabled
    world.run(world.now + 25 * 60 * MINUTES, every=60 * MINUTES)
    (expired,) = world.events("Approval Expired")
    assert expired["detail"]["evidence"]["approval"] == word["approval"]
    world.put_event("Approval Decided", {"subject": SEARCH, "evidence": {**word, "by": "U0LEAD"}})
    world.run(world.now + MINUTES)
    assert world.key(SEARCH).disabled
    world.command("U0SEARCH", f"restore {SEARCH}")
    again = world.events("Approval Requested")[-1]["detail"]["evidence"]
    word |= {name: again[name] for name in ("approval", "digest")}
    world.put_event("Approval Decided", {"subject": SEARCH, "evidence": {**word, "by": "U0LEAD"}})
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTES)
    assert world.engine.dead_letters() == []


def test_a_member_disables_a_key_and_of_tier_zero_asks_and_the_commands_answer_only_who_typed_them(
    world: World,
) -> None:
    world.run(world.now + MINUTES)
    assert world.command("U0FINANCE", f"disable {SEARCH}").answer == json.dumps(
        {"response_type": "ephemeral", "text": "One moment …"}
    )
    assert world.run_while(lambda: not world.key(SEARCH).disabled, at_most=3 * MINUTES)
    world.command("U0FINANCE", f"disable {TRIAGE}")
    assert "The approvers are asked" in world.slack.told("U0FINANCE")[-1]
    world.run(world.now + 2 * MINUTES)
    assert not world.key(TRIAGE).disabled
    world.click("U0SEC", "Approve", holding=TRIAGE)
    assert world.run_while(lambda: not world.key(TRIAGE).disabled, at_most=3 * MINUTES)
    world.command("U0DATA", "status")
    assert f"`{TRIAGE}`: operator" in world.slack.told("U0DATA")[-1]
    world.command("U0DATA", "statsu")
    assert "Did you mean `/governor status`?" in world.slack.told("U0DATA")[-1]
    world.command("U0DATA", "keys")
    assert SEARCH in world.slack.told("U0DATA")[-1]
    assert world.engine.dead_letters() == []


def test_a_guest_and_a_member_of_another_workspace_do_nothing(world: World) -> None:
    _killed(world)
    world.click("U0SEARCH", "Restore key", holding=SEARCH)
    world.slack.person("U0SEC", guest="multi")
    world.slack.person("U0LEAD", guest="single")
    world.slack.person("U0CONTRACTOR", team="T0AGENCY")
    for user, where, why in (
        ("U0SEC", {}, "you are a guest"),
        ("U0LEAD", {}, "you are a guest"),
        ("U0CONTRACTOR", {"team": "T0AGENCY"}, "another workspace"),
    ):
        for button in ("Approve", "Reject"):
            world.click(user, button, **where)
            assert why in world.slack.told(user)[-1], (user, button)
        # Slack offers a command of the app's to the members of its workspace only, guests among them.
        for text in (f"disable {TRIAGE}", f"rotate {SEARCH}", f"restore {SEARCH}", "status") if not where else ():
            world.command(user, text)
            assert why in world.slack.told(user)[-1], (user, text)
    assert world.slack.workspace.views == []
    world.run(world.now + 2 * MINUTES)
    assert world.key(SEARCH).disabled
    assert not world.key(TRIAGE).disabled
    assert len(world.events("Approval Requested")) == 1
    assert [world.events(kind) for kind in ("Approval Granted", "Approval Rejected", "Rotation Requested")] == [
        [],
        [],
        [],
    ]
    # U0SEC becomes a full member: a minute later Slack is asked again.
    world.slack.person("U0SEC")
    world.run(world.now + MINUTES)
    world.click("U0SEC", "Approve")
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTES)
    assert world.engine.dead_letters() == []


def test_while_slack_does_not_say_who_anybody_is_who_is_named_stops_a_key_and_nobody_else_does_anything(
    world: World,
) -> None:
    world.run(world.now + MINUTES)
    world.slack.workspace.membership.scopes.discard("users:read")
    world.command("U0FINANCE", f"disable {SEARCH}")
    assert "Give the app the scope users:read and install it again." in world.slack.told("U0FINANCE")[-1]
    world.command("U0LEAD", f"rotate {SEARCH}")
    assert "Slack did not tell Governor who you are (missing_scope)" in world.slack.told("U0LEAD")[-1]
    world.run(world.now + 2 * MINUTES)
    assert not world.key(SEARCH).disabled
    world.command("U0LEAD", f"disable {TRIAGE}")
    assert world.run_while(lambda: not world.key(TRIAGE).disabled, at_most=3 * MINUTES)
    assert world.engine.dead_letters() == []


def test_an_app_that_is_installed_in_a_whole_organization_works_for_it_and_for_nobody_else(world: World) -> None:
    world.slack.install(enterprise="E0ORG", org_wide=True)
    _killed(world)
    world.slack.person("U0GUEST", guest="multi")
    world.slack.person("U0PARTNER", team="T0PARTNER", enterprise="E0PARTNER")
    world.click("U0GUEST", "Restore key", holding=SEARCH)
    world.click("U0PARTNER", "Restore key", holding=SEARCH, team="T0PARTNER")
    assert "you are a guest" in world.slack.told("U0GUEST")[-1]
    assert "another workspace" in world.slack.told("U0PARTNER")[-1]
    assert world.events("Approval Requested") == []
    world.click("U0SEARCH", "Restore key", holding=SEARCH)
    while not world.slack.workspace.views:
        world.click("U0SEC", "Reject")
    world.submit("U0SEC", reason="It still loops.")
    assert len(world.events("Approval Rejected")) == 1
    world.command("U0LEAD", f"restore {SEARCH}")
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTES)
    assert world.engine.dead_letters() == []


def test_what_slack_did_not_sign_costs_nothing_and_a_replay_does_nothing(world: World) -> None:
    engine, url = world.engine, world.engine.outputs["SlackRequestUrl"]
    sent = world.command("U0DATA", "help")
    told = len(world.slack.told("U0DATA"))
    assert httpx.post(url, content=sent.body, timeout=30).status_code == 415
    forged = {**sent.headers, "X-Slack-Signature": "v0=" + "0" * 64}
    assert httpx.post(url, content=sent.body, headers=forged, timeout=30).status_code == 401
    assert httpx.post(url, content=sent.body + "x", headers=dict(sent.headers), timeout=30).status_code == 401
    assert httpx.post(url, content="x" * 600_000, headers=dict(sent.headers), timeout=30).status_code == 413
    assert world.slack.resend(sent, anew=False).status == 200
    assert world.slack.resend(sent, retry=1).status == 200
    engine.settle()
    assert len(world.slack.told("U0DATA")) == told
    world.run(world.now + 6 * MINUTES)
    assert world.slack.resend(sent, anew=False).status == 401
    assert engine.messages("SlackRequestQueue") == []


def test_a_burst_that_its_owner_expects_is_metered_and_not_stopped(world: World) -> None:
    world.run(world.now + 2 * MINUTES)
    world.loop(SEARCH, 100)
    assert world.run_while(lambda: not world.events("Runaway Suspected", subject=SEARCH), at_most=20 * MINUTES)
    world.click("U0FINANCE", "Expected", holding=SEARCH)
    assert "Only the workload's owner or an approver" in world.slack.told("U0FINANCE")[-1]
    world.click("U0SEARCH", "Expected", holding=SEARCH)
    before = world.spent(SEARCH)
    world.run(world.now + 15 * MINUTES)
    world.end_loop(SEARCH)
    assert world.spent(SEARCH) > before + 20
    assert not world.key(SEARCH).disabled
    assert world.events("Runaway Confirmed", subject=SEARCH) == []
    assert any("says that what prod-search-agent spends is meant" in line for line in world.slack_lines())
    assert world.engine.dead_letters() == []


def test_a_key_is_rotated_by_whoever_asks_in_slack(world: World) -> None:
    world.run(world.now + 2 * MINUTES)
    before = world.secret("openrouter/prod/search-agent")["api_key"]
    world.command("U0DATA", f"rotate {SEARCH}")
    world.run(world.now + 75 * MINUTES, every=5 * MINUTES)
    after = world.secret("openrouter/prod/search-agent")["api_key"]
    assert after != before
    assert world.asked_with(after) == 200
    assert world.asked_with(before) == 200, "both work in the overlap, though nobody used the old one for an hour"
    assert world.engine.dead_letters() == []
