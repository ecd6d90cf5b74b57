"""What stands beside a button is what the publisher stored, whatever an event of the same id says, or of any other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from governor.events import DetailType, Event
from governor.events.published import RecordedBus
from governor.events.publishers import RECORDED
from governor.ledger import MemoryLedger
from governor.slack.memory import MemorySlack
from notifier.truth import DEPLOYING, UNDER_WAY
from tests.doubles.bus import Bus
from tests.unit.notifier.conftest import SAMPLES, T0, Clock, Trusting, notifier_of, store

Sample = Callable[..., Event]
LIE = "Nothing to see here, click the button."
DECIDED = ("approval_requested", "runaway_expected", "key_exposed")
STORED = sorted(path.stem for path in SAMPLES.glob("*.json") if path.stem not in DECIDED)


def _events(notifier: Trusting) -> list[Event]:
    assert isinstance(notifier.bus, Bus)
    return notifier.bus.events


def _lying(event: Event) -> Event:
    return replace(event, reason=LIE, evidence={**event.evidence, "name": "evil-name", "shown": [LIE]})


@pytest.fixture(autouse=True)
def _long_installed(notifier: Trusting, clock: Clock, sample: Sample) -> None:
    """Governor has stored its events for a year: no event of today is from before."""
    clock.now = T0 - timedelta(days=365)
    notifier.notify(sample("monitor_recovered", id="long-ago", evidence={"scope": "long-ago"}), 1)
    clock.now = T0 + timedelta(hours=1)
    assert isinstance(notifier.slack, MemorySlack)
    notifier.slack.said.clear()


@pytest.mark.parametrize("first", [False, True], ids=["after the real one", "before the real one"])
@pytest.mark.parametrize("name", STORED)
def test_a_forged_event_with_a_real_id_changes_no_message(
    notifier: Trusting, slack: MemorySlack, sample: Sample, name: str, first: bool
) -> None:
    real = sample(name)
    store(notifier.ledger, real)
    for event in (_lying(real), real) if first else (real, _lying(real)):
        notifier.hear(event)
    said, alarm = reversed(slack.said) if first else slack.said
    assert alarm.message.text.startswith("🔴 Somebody may have forged an event.")
    assert alarm.message.actions == ()
    told = repr((slack.said, _events(notifier)))
    assert LIE not in told
    assert "evil-name" not in told
    alone = MemorySlack()
    _another(notifier, alone).notify(real, 1)
    assert said.message == alone.said[0].message, "the genuine message is what it is without a forgery"
    assert [(one.detail_type, one.evidence["rule"]) for one in _events(notifier)] == [
        (DetailType.FORGERY_SUSPECTED, "record_differs")
    ]


def _another(notifier: Trusting, slack: MemorySlack) -> Trusting:
    """A notifier of another stack, which has seen nothing yet."""
    return notifier_of(MemoryLedger(), MemoryLedger(), slack, notifier.topic, notifier.policy, notifier.clock)


@pytest.mark.parametrize("name", STORED)
def test_an_event_that_nobody_stored_is_shown_without_buttons_and_the_alarm_goes_out_once(
    notifier: Trusting, slack: MemorySlack, sample: Sample, name: str
) -> None:
    forged = sample(name, id="forged-1")
    assert [notifier.hear(forged).via, notifier.hear(forged, 2).via] == ["slack", "before"]
    [said] = slack.said
    assert said.message.text.startswith("⚠ *Not confirmed.*")
    assert said.message.actions == ()
    assert "Click" not in repr(said.message), "no advice that speaks of a button"
    [alarm] = _events(notifier)
    assert (alarm.detail_type, alarm.evidence["rule"]) == (DetailType.FORGERY_SUSPECTED, "unrecorded")
    notifier.hear(_stored_by("notifier", notifier, alarm))
    assert "showed it without buttons" in slack.said[-1].message.text
    assert _events(notifier) == [alarm], "the alarm that comes back raises no other"


def _stored_by(function: str, notifier: Trusting, event: Event) -> Event:
    RecordedBus(function, notifier.ledger, Bus()).publish([event])
    return event


def test_a_forged_event_under_a_new_id_leaves_the_genuine_message_and_its_buttons(
    notifier: Trusting, slack: MemorySlack, sample: Sample
) -> None:
    notifier.notify(sample("key_disabled"), 1)
    [before] = slack.said
    notifier.hear(sample("key_restored", id="forged-1", minutes=30))
    assert slack.said[0] == before
    assert [one.action for one in before.message.actions] == ["restore"]
    assert len(slack.said) == 2


def test_a_row_of_a_function_that_may_not_publish_the_type_confirms_nothing(
    notifier: Trusting, slack: MemorySlack, sample: Sample
) -> None:
    event = _stored_by("key_planning", notifier, sample("key_disabled"))
    notifier.hear(event)
    assert slack.said[0].message.text.startswith("⚠ *Not confirmed.*")


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=14), timedelta(days=364)])
def test_a_genuine_event_is_never_called_forged_however_late_and_often_it_comes(
    notifier: Trusting, slack: MemorySlack, sample: Sample, clock: Clock, name: str, late: timedelta
) -> None:
    event = sample(name)
    store(notifier.ledger, event)
    clock.now = event.occurred_at + late
    assert [notifier.hear(event).via, notifier.hear(event, 2).via] == ["slack", "before"]
    assert _events(notifier) == []
    assert "Not confirmed" not in slack.said[0].message.text


def test_what_has_moved_on_since_is_shown_as_it_stands_now(
    notifier: Trusting, slack: MemorySlack, sample: Sample
) -> None:
    disabled, restored = sample("key_disabled", minutes=1), sample("key_restored", minutes=2)
    store(notifier.ledger, disabled)
    notifier.notify(restored, 1)
    notifier.hear(disabled)
    assert slack.said[0].message.text.startswith("🟢 prod-search-agent is restored")
    assert slack.said[0].message.actions == (), "there is nothing left to restore"
    assert _events(notifier) == []


def test_an_event_from_before_events_were_stored_is_shown_without_buttons_and_without_an_alarm(
    sample: Sample, slack: MemorySlack, notifier: Trusting, clock: Clock
) -> None:
    fresh = _another(notifier, slack)
    clock.now = T0
    for minutes, via in ((-60, "older"), (30, "older")):
        fresh.hear(sample("key_disabled", id=f"{via}{minutes}", minutes=minutes))
    assert all("is from before Governor stored them" in said.message.text for said in slack.said)
    assert not any(said.message.actions for said in slack.said)
    assert _events(fresh) == []
    clock.now = T0 + UNDER_WAY + timedelta(days=1)
    fresh.hear(sample("key_disabled", id="late", minutes=-60))
    fresh.hear(sample("key_disabled", id="new", occurred_at=T0 + DEPLOYING * 2))
    assert [one.evidence["event"] for one in _events(fresh)] == ["late", "new"]


@pytest.mark.parametrize("id", ["", "x" * 1025, "é" * 600])
def test_an_id_that_no_row_can_have_is_a_forgery_and_no_error(notifier: Trusting, sample: Sample, id: str) -> None:
    notifier.hear(sample("key_disabled", id=id))
    assert [one.evidence["rule"] for one in _events(notifier)] == ["unrecorded"]


def test_beside_the_words_of_a_report_from_outside_stands_no_button(
    notifier: Trusting, slack: MemorySlack, sample: Sample
) -> None:
    """Anybody may report a leak; what Governor found out about it stands in an event of its own, with the button."""
    notifier.hear(sample("key_exposed", subject="prod-checkout"))
    [report] = slack.said
    assert report.message.actions == ()
    assert "/governor disable prod-checkout" in report.message.sections[-1]
    notifier.notify(sample("disable_withheld", subject="prod-checkout", minutes=30, evidence={"cause": "exposed"}), 1)
    assert [one.action for one in slack.said[0].message.actions] == ["disable"]


def test_every_sample_but_those_of_decisions_and_reports_is_of_a_type_that_is_stored(sample: Sample) -> None:
    assert {name for name in STORED if sample(name).detail_type not in RECORDED} == set()
