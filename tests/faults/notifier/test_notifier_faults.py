"""Every outside call of the notifier fails in every way: each event still reaches people, once, and nothing is lost.

Mail cannot be read back. So the one thing allowed to be seen twice is a mail whose sending was cut off, and the second
copy says so; and while Slack neither confirms nor can be read, a mail may double a message, and says that too.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import Accident, Fault, accidents, case
from tests.faults.notifier.conftest import SAMPLES, World

Worlds = Callable[[], World]
ID_OF = {
    path.stem: json.loads(json.loads(Path(path).read_text())["Records"][0]["body"])["detail"]["id"]
    for path in SAMPLES.glob("*.json")
}
DISABLED = "🔴 prod-search-agent was burning $498/h"


def _copies(world: World, name: str) -> tuple[int, list[tuple[str, str]]]:
    """How often people see the event: messages of its own in Slack, and its mails."""
    posted = sum(message["metadata"]["event_payload"]["id"] == ID_OF[name] for message in world.said)
    return posted, [mail for mail in world.mails if ID_OF[name] in mail[1]]


def _assert_told_once(world: World, *names: str) -> None:
    for name in names:
        posted, mails = _copies(world, name)
        assert posted <= 1, f"{name} was posted {posted} times"
        assert posted + len(mails) >= 1, f"{name} was never told"
        assert len(mails) <= 1 or all(subject.startswith("[Governor, again]") for subject, _ in mails[1:])
        if posted and mails:
            assert "may appear in Slack as well" in mails[0][1], f"{name} was posted and mailed"
    parents = [message for message in world.said if message["metadata"]["event_payload"]["part"] == "parent"]
    assert len(parents) <= 1, "two threads for one incident"
    if parents and _copies(world, "key_disabled")[0] and not world.mails:
        assert parents[0]["text"].startswith(DISABLED)


def _calls(worlds: Worlds, *names: str, refused: bool = False) -> list[str]:
    world = worlds()
    if refused:
        world.slack.fault("*", "refused", error="not_in_channel", times=0)
    world.send(*names)
    world.receive()
    assert world.queue == {}
    return list(world.wire.calls)


@pytest.mark.parametrize("fault", Fault)
def test_whatever_call_fails_each_event_is_told_once(worlds: Worlds, counted: list[str], fault: Fault) -> None:
    names = ("runaway_confirmed", "key_disabled")
    for accident in accidents(_calls(worlds, *names), [fault]):
        with case(counted, accident):
            world = worlds()
            world.send(*names)
            world.drain(accident, rounds=4 if accident.lasting else 1)
            _assert_told_once(world, *names)


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_while_slack_refuses_each_event_is_mailed(
    worlds: Worlds, counted: list[str], fault: Fault
) -> None:
    names = ("key_disabled", "monitor_blind")
    for accident in accidents(_calls(worlds, *names, refused=True), [fault]):
        with case(counted, accident):
            world = worlds()
            world.slack.fault("*", "refused", error="not_in_channel", times=0)
            world.send(*names)
            world.drain(accident, rounds=4 if accident.lasting else 1)
            for name in names:
                posted, mails = _copies(world, name)
                assert posted == 0
                assert mails
                why = ("not_in_channel", "no answer", "Slack answered", "token could not be read")
                assert any(reason in mails[0][1] for reason in why)
                assert len(mails) == 1 or accident.name == "sns.Publish" or fault.kills or accident.lasting
                assert all(subject.startswith("[Governor, again]") for subject, _ in mails[1:])


def test_two_faults_in_two_deliveries_are_survived_as_well(worlds: Worlds, counted: list[str]) -> None:
    calls = _calls(worlds, "key_disabled")
    faults = (Fault.FAILED_AFTER, Fault.KILLED_AFTER)
    for first in accidents(calls, faults):
        for at in range(len(calls) + 1):
            with case(counted, f"{first}, then {at}"):
                world = worlds()
                world.send("key_disabled")
                world.receive(first)
                world.drain(Accident(at, Fault.KILLED_AFTER))
                _assert_told_once(world, "key_disabled")


@pytest.mark.parametrize("beside", ["runaway_confirmed", "key_disabled"])
def test_a_copy_running_beside_says_nothing_twice(worlds: Worlds, counted: list[str], beside: str) -> None:
    for at in range(len(_calls(worlds, "key_disabled"))):
        with case(counted, f"{beside} before call {at}"):
            world, other = worlds(), World.__new__(World)
            other.__dict__.update(world.__dict__, queue={})
            other.send(beside)
            world.send("key_disabled")
            with world.wire.beside(other.receive, at):
                world.receive()
            world.drain()
            other.now = world.now
            other.drain()
            world.now = other.now
            _assert_told_once(world, "key_disabled", beside)
            assert world.mails == []


def test_slack_down_for_an_hour_loses_nothing_and_floods_nobody(worlds: Worlds, counted: list[str]) -> None:
    for kind in ("server_error", "fail_before", "fail_after", "rate_limited"):
        with case(counted, kind):
            world = worlds()
            names = ("runaway_confirmed", "key_disabled", "monitor_blind", "budget_threshold_reached")
            world.slack.fault("*", kind, times=0)
            world.send(*names)
            world.drain()
            world.slack.api.faults.clear()
            for name in names:
                assert len(_copies(world, name)[1]) == 1
            world.send("key_restored")
            world.drain()
            assert len(world.mails) == len(names)
            parents = [parent["text"] for parent in world.slack.messages("C0GOVERNOR")]
            assert any(text.startswith("🟢 prod-search-agent is restored") for text in parents)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.after])
def test_another_event_of_the_incident_finds_the_thread_that_nobody_noted_down(
    worlds: Worlds, counted: list[str], fault: Fault
) -> None:
    for accident in accidents(_calls(worlds, "runaway_confirmed"), [fault]):
        with case(counted, accident):
            world = worlds()
            world.send("runaway_confirmed")
            world.receive(accident)
            waiting, world.queue = world.queue, {}
            world.send("key_disabled")
            world.drain()
            world.queue = waiting
            world.drain()
            _assert_told_once(world, "runaway_confirmed", "key_disabled")
            assert world.mails == []


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_while_a_forgery_is_told_the_alarm_reaches_people_and_its_words_do_not(
    worlds: Worlds, counted: list[str], fault: Fault
) -> None:
    """No request of that id is stored in these worlds, so the sample is a forgery."""
    for accident in accidents(_calls(worlds, "approval_requested"), [fault]):
        with case(counted, accident):
            world = worlds()
            world.send("approval_requested")
            world.drain(accident, rounds=4 if accident.lasting else 1)
            alarms = [one for one in world.said if "Somebody may have forged" in one["text"]]
            mails = [mail for mail in world.mails if "Somebody may have forged" in mail[0]]
            assert len(alarms) <= 1
            assert alarms or mails
            assert "U0SEARCH" not in json.dumps(world.said) + repr(world.mails)
            assert "governor.approve" not in json.dumps(world.said)


def _unstored(worlds: Worlds) -> World:
    """A world that hears of a disabled key, which nobody has stored: a forgery."""
    world = worlds()
    world.installed_long_ago()
    world.send("key_disabled", stored=False)
    return world


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_while_an_event_that_nobody_stored_is_told_it_has_no_button_and_one_alarm(
    worlds: Worlds, counted: list[str], fault: Fault
) -> None:
    world = _unstored(worlds)
    world.receive()
    for accident in accidents(list(world.wire.calls), [fault]):
        with case(counted, accident):
            world = _unstored(worlds)
            world.drain(accident, rounds=4 if accident.lasting else 1)
            assert all(one["text"].startswith("⚠ *Not confirmed.*") for one in world.said)
            assert len(world.said) <= 1
            assert world.said or any("Not confirmed." in subject for subject, _ in world.mails)
            assert "governor.restore" not in json.dumps(world.said)
            assert len(world.alarms) == 1
