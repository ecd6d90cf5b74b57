"""The app's Home in the built stack: opened, a button there pressed, and seen to change; roles are enforced."""

from datetime import timedelta

from sandbox.scenario.organization import SEARCH
from sandbox.scenario.world import World

MINUTE = timedelta(minutes=1)


def test_a_key_is_restored_from_the_home_which_then_shows_it_no_more(world: World) -> None:
    assert world.open_home("U0LEAD").status == 200
    assert "0 disabled" in world.slack.home("U0LEAD")[1]
    world.run(world.now + 2 * MINUTE)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.key(SEARCH).disabled, at_most=20 * MINUTE)
    world.end_loop(SEARCH)
    world.run(world.now + MINUTE)
    # Nobody has opened it since: the event brought it up to date.
    seen = world.slack.home("U0LEAD")
    assert any(f"*{SEARCH}* is disabled for runaway" in text for text in seen)
    assert "[Restore key]" in seen
    assert world.press("U0LEAD", "Restore key", holding=SEARCH).status == 200
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTE)
    world.run(world.now + MINUTE)
    seen = world.slack.home("U0LEAD")
    assert not any(f"*{SEARCH}* is disabled" in text for text in seen)
    assert "0 disabled" in seen[1]
    assert world.slack.told("U0LEAD"), "the answer came as a direct message"
    assert world.engine.dead_letters() == []


def test_a_click_in_the_home_has_the_same_checks_and_a_guest_sees_nothing(world: World) -> None:
    world.command("U0LEAD", f"disable {SEARCH}")
    assert world.run_while(lambda: not world.key(SEARCH).disabled, at_most=3 * MINUTE)
    world.slack.person("U0GUEST", guest="multi")
    world.open_home("U0GUEST")
    (said,) = world.slack.home("U0GUEST")
    assert "you are a guest" in said
    world.open_home("U0OTHER")
    # Any member may ask; only an approver's word gives it back.
    world.press("U0OTHER", "Restore key", holding=SEARCH)
    world.run(world.now + MINUTE)
    assert world.key(SEARCH).disabled
    assert len(world.events("Approval Requested")) == 1
    world.open_home("U0LEAD")
    assert "[Approve]" in world.slack.home("U0LEAD")
    world.press("U0LEAD", "Approve")
    assert world.run_while(lambda: world.key(SEARCH).disabled, at_most=3 * MINUTE)
    assert world.engine.dead_letters() == []
