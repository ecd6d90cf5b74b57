"""What people see beside a button is the stored request's, whatever an event says; a real notice is never silenced."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from governor.approvals.approval import Approval, Request, Vote
from governor.approvals.evidence import approval_event
from governor.approvals.store import UNDER_WAY, Approvals
from governor.events import DetailType, Event
from governor.ledger import MemoryLedger, Put
from governor.policy import Policy
from governor.slack.memory import MemorySlack
from governor.topic import MemoryTopic
from notifier.service import Notifier
from tests.doubles.bus import Bus
from tests.unit.notifier.conftest import T0, Clock, notifier_of

Sample = Callable[..., Event]
RISK, LIE = "⚠ tools added: run_shell", "temperature 0.2 → 0.1"
REQUEST = Request(
    "request-1", "promotion", "support-triage", "U0DEV", T0, T0 + timedelta(hours=24),
    {"preset": "support-triage", "promotion": "p-1"}, ("U0LEAD", "U0SEC"), 1, "support-triage", (RISK,),
)  # fmt: skip
ASKED = approval_event(DetailType.APPROVAL_REQUESTED, Approval(REQUEST), T0, "asked")
YES, NO = Vote("click-1", "U0LEAD", "approve", T0), Vote("click-1", "U0LEAD", "reject", T0, "not before Monday")


class World:
    """The notifier with its rows; `REQUEST` stands asked."""

    def __init__(self, policy: Policy) -> None:
        self.ledger, self.decisions, self.slack, self.clock = MemoryLedger(), MemoryLedger(), MemorySlack(), Clock()
        self.clock.now = T0 + timedelta(minutes=1)
        self.approvals = Approvals(self.ledger, self.decisions)
        self.approvals.ask(REQUEST)
        self.topic = MemoryTopic()
        self.notifier = notifier_of(
            self.ledger, self.decisions, self.slack, self.topic, policy, self.clock
        )  # fmt: skip

    def hears(self, *events: Event) -> None:
        for event in events:
            self.notifier.notify(event, 1)

    @property
    def published(self) -> list[Event]:
        assert isinstance(self.notifier.bus, Bus)
        return self.notifier.bus.events

    @property
    def everything(self) -> str:
        return repr((self.slack.said, self.topic.sent, self.published))


@pytest.fixture
def world(policy: Policy) -> World:
    return World(policy)


def _saying(event: Event, **evidence: object) -> Event:
    return replace(event, evidence={**event.evidence, **evidence})


LIES = [
    pytest.param(_saying(ASKED, shown=[LIE]), id="other words"),
    pytest.param(_saying(ASKED, name="another-preset"), id="another name"),
    pytest.param(_saying(ASKED, requested_by="U0SEC"), id="another asker"),
    pytest.param(_saying(ASKED, needed=2), id="another number"),
    pytest.param(_saying(ASKED, author="U0OTHER"), id="another author"),
    pytest.param(_saying(ASKED, author_unknown="nobody knows"), id="no author"),
    pytest.param(_saying(ASKED, approvers=["U0EVIL"]), id="other approvers"),
    pytest.param(_saying(ASKED, file="https://evil.example/diff"), id="another file"),
    pytest.param(_saying(ASKED, change={}), id="another change"),
    pytest.param(_saying(ASKED, kind="drill"), id="another kind"),
    pytest.param(_saying(ASKED, digest="0" * 64), id="another digest"),
    pytest.param(_saying(ASKED, approval="request-2"), id="no such request"),
    pytest.param(replace(ASKED, subject="another-preset"), id="another subject"),
]


@pytest.mark.parametrize("first", [False, True], ids=["after the real one", "before the real one"])
@pytest.mark.parametrize("forged", LIES)
def test_a_forged_request_changes_no_message_above_a_genuine_button(world: World, forged: Event, first: bool) -> None:
    world.hears(*((forged, ASKED) if first else (ASKED, forged)))
    with_button = [said for said in world.slack.said if said.message.actions]
    [genuine] = with_button
    assert [one.action for one in genuine.message.actions] == ["approve", "reject"]
    assert RISK in genuine.message.sections[0]
    assert "U0DEV" in genuine.message.text
    assert "run_shell" in genuine.message.sections[0]
    for lie in (LIE, "another-preset", "U0EVIL", "evil.example"):
        assert lie not in world.everything


@pytest.mark.parametrize("first", [False, True], ids=["after the real one", "before the real one"])
def test_a_forged_request_under_a_new_id_does_not_rewrite_the_genuine_one(world: World, first: bool) -> None:
    forged = replace(_saying(ASKED, shown=[LIE]), id="an id that nobody has heard")
    world.hears(*((forged, ASKED) if first else (ASKED, forged)))
    [genuine] = [said for said in world.slack.said if said.message.actions]
    assert [one.action for one in genuine.message.actions] == ["approve", "reject"]
    assert RISK in genuine.message.sections[0]
    assert LIE not in world.everything


def test_a_forgery_is_told_in_plain_words_and_published_without_repeating_it(world: World) -> None:
    world.hears(_saying(ASKED, shown=[LIE]))
    [said] = world.slack.said
    assert said.message.text.startswith("🔴 Somebody may have forged an event.")
    assert said.message.actions == ()
    [event] = world.published
    assert event.detail_type is DetailType.FORGERY_SUSPECTED
    assert (event.subject, event.evidence["about"], event.evidence["rule"]) == (
        "support-triage", "request-1", "request_differs",
    )  # fmt: skip
    assert event.evidence["found"] == "It differs from the stored request in: shown."
    world.hears(event)  # what comes back from the bus was told
    assert len(world.slack.said) == 1


@pytest.mark.parametrize(
    "kind",
    ["Approval Granted", "Approval Rejected", "Approval Expired", "Approval Voided"],
)
def test_a_forged_outcome_is_not_claimed(world: World, kind: str) -> None:
    forged = approval_event(
        DetailType(kind), Approval(REQUEST, "granted", (YES,), decided_at=T0), T0 + timedelta(minutes=1), LIE
    )
    world.hears(ASKED, forged)
    genuine, alarm = world.slack.said
    assert [one.action for one in genuine.message.actions] == ["approve", "reject"]
    assert "Somebody may have forged" in alarm.message.text
    assert LIE not in world.everything


def test_genuine_outcomes_are_told_in_the_words_of_their_rows(world: World) -> None:
    voted = world.approvals.vote(REQUEST.id, REQUEST.digest, NO)
    assert voted.approval
    genuine = approval_event(DetailType.APPROVAL_REJECTED, voted.approval, T0, "")
    world.hears(ASKED, _saying(genuine, decided_by="U0SEC", comment=LIE))
    assert "<@U0LEAD> rejected the request" in world.slack.said[0].message.text
    assert "“not before Monday”" in world.slack.said[0].message.text
    assert LIE not in world.everything


def test_a_genuine_grant_names_who_approved_by_the_row(world: World) -> None:
    voted = world.approvals.vote(REQUEST.id, REQUEST.digest, YES)
    assert voted.approval
    genuine = approval_event(DetailType.APPROVAL_GRANTED, voted.approval, T0, "")
    world.hears(ASKED, _saying(genuine, approved_by=["U0EVIL"]))
    assert "<@U0LEAD> said yes to <@U0DEV>" in world.slack.said[0].message.text
    assert "U0EVIL" not in world.everything


def test_an_expiry_is_told_once_no_vote_counts_any_more_written_off_or_not(world: World) -> None:
    world.clock.now = REQUEST.expires_at + UNDER_WAY
    [over] = world.approvals.overdue(world.clock.now)
    world.hears(ASKED, approval_event(DetailType.APPROVAL_EXPIRED, over, world.clock.now, ""))
    assert "Nobody decided in time" in world.slack.said[0].message.text
    assert world.published == []


def test_a_withdrawal_is_told_with_the_stored_reason(world: World) -> None:
    world.approvals.withdraw(REQUEST.id, "staging has version 13 now")
    world.hears(ASKED, approval_event(DetailType.APPROVAL_VOIDED, Approval(REQUEST), T0, LIE))
    assert "is void. staging has version 13 now." in world.slack.said[0].message.text
    assert LIE not in world.everything


def test_a_request_that_was_altered_after_it_was_decided_is_not_shown(world: World) -> None:
    voted = world.approvals.vote(REQUEST.id, REQUEST.digest, YES)
    row = world.ledger.get("approval", REQUEST.id)
    assert voted.approval
    assert row
    world.ledger.commit(Put("approval", REQUEST.id, {**row.data, "shown": [LIE]}, row.version))
    world.hears(approval_event(DetailType.APPROVAL_GRANTED, voted.approval, T0, ""))
    assert "altered" in world.slack.said[0].message.sections[0]
    assert LIE not in world.everything


def test_an_event_of_another_type_under_the_id_of_a_request_does_not_silence_it(world: World, sample: Sample) -> None:
    world.notifier.hear(replace(sample("monitor_blind"), id=ASKED.id))
    world.hears(ASKED)
    assert [one.action for said in world.slack.said for one in said.message.actions] == ["approve", "reject"]


def test_who_expects_a_spend_is_told_by_the_row(notifier: Notifier, slack: MemorySlack, sample: Sample) -> None:
    event = sample("runaway_expected")
    notifier.notify(event, 1)
    assert "Somebody may have forged" in slack.said[0].message.text
    row = {"kind": "expected", "until": event.evidence["until"], "by": event.evidence["by"]}
    notifier.ledger.commit(Put("detector", f"{event.subject}#expected", row))
    notifier.notify(_saying(event, by="U0EVIL"), 1)
    assert all("U0EVIL" not in said.message.text for said in slack.said)
    notifier.notify(event, 1)
    assert "says that what prod-search-agent spends is meant" in slack.said[-1].message.text


def test_a_request_that_was_asked_between_two_seconds_is_genuine(world: World) -> None:
    """Rows keep whole seconds: the first event of a real clock was taken for a forgery."""
    asked = replace(REQUEST, id="request-3", expires_at=REQUEST.expires_at + timedelta(microseconds=123_456))
    world.approvals.ask(asked)
    world.hears(approval_event(DetailType.APPROVAL_REQUESTED, Approval(asked), T0, "U0DEV asks."))
    assert [said.message.actions[0].action for said in world.slack.said] == ["approve"]
    assert world.published == []


def test_how_many_have_approved_is_shown_from_the_decision_and_from_no_event(policy: Policy) -> None:
    world = World(policy)
    asked = replace(REQUEST, id="request-2", needed=2)
    world.approvals.ask(asked)
    lie = approval_event(DetailType.APPROVAL_COUNTED, Approval(asked, votes=(YES,)), T0, LIE)
    world.hears(lie)
    assert [event.detail_type for event in world.published] == [DetailType.FORGERY_SUSPECTED]
    counted = world.approvals.vote(asked.id, asked.digest, YES).approval
    assert counted
    genuine = approval_event(DetailType.APPROVAL_COUNTED, counted, T0, "U0LEAD approved it: 1 of 2.")
    world.approvals.vote(asked.id, asked.digest, replace(YES, id="click-2", by="U0SEC"))
    world.hears(genuine)
    assert "1 of 2 approvals are in (<@U0LEAD>); 1 more of <@U0SEC> must decide" in world.everything
    assert LIE not in world.everything
