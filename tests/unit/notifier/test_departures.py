"""Who left, which keys are in their name, and what can be done with each: rendered from the stored event."""

from datetime import UTC, datetime
from typing import Any

import pytest

from governor.events import DetailType, Event
from governor.events.member_evidence import MOST_KEYS, DepartedKey, MemberDeparted
from governor.policy import Policy
from governor.slack.memory import MemorySlack
from notifier.case import MAX_KEYS, figures
from notifier.decide import decide
from notifier.departures import DISABLES
from notifier.incident import Incident
from notifier.kinds import incident_key
from notifier.mail import plain
from notifier.service import Notifier
from notifier.wording import words
from notifier.words import Words

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
BOUND = DepartedKey(hash="a" * 64, name="prod-search-agent", workspace="platform", workload="prod-search-agent", tier=1)
FREE = BOUND.model_copy(update={"creator": "nobody"})
LOOSE = DepartedKey(hash="b" * 64, name="ana <!channel> `x`", workspace="platform")


def event(*keys: DepartedKey, **more: Any) -> Event:
    evidence = MemberDeparted(**{"member": "user_ana", "since": NOW, "total": len(keys), "keys": list(keys), **more})
    return Event(DetailType.MEMBER_DEPARTED, "e1", "user_ana", NOW, "gone.", evidence.model_dump(mode="json"))


def said(policy: Policy, *keys: DepartedKey, **more: Any) -> Words:
    one = event(*keys, **more)
    return words(one, policy, figures((one,)))


def text(policy: Policy, *keys: DepartedKey, **more: Any) -> str:
    told = said(policy, *keys, **more)
    return "\n".join([told.headline, *told.facts, told.todo])


def test_it_says_who_left_which_keys_stay_and_that_nothing_was_changed(policy: Policy) -> None:
    told = plain(text(policy, BOUND, LOOSE))
    assert "user_ana is not a member of the organization any more, and 2 keys are still in their name" in told
    assert "Nothing was changed" in told
    assert "workload prod-search-agent, tier 1" in told
    assert "no workload" in told


@pytest.mark.parametrize(
    ("key", "actions", "subject"),
    [
        (BOUND, ["rotate-departed", "disable"], "prod-search-agent"),
        (LOOSE, ["disable"], LOOSE.hash),
        (BOUND.model_copy(update={"disabled": True}), [], ""),
    ],
)
def test_only_what_can_be_done_has_a_button(policy: Policy, key: DepartedKey, actions: list[str], subject: str) -> None:
    told = said(policy, key)
    assert [button.action for button in told.actions] == actions
    disables = {button.value["subject"] for button in told.actions if button.action == "disable"}
    assert disables == ({subject} if subject else set())
    assert all(button.confirm for button in told.actions)


def test_a_key_that_would_be_made_anew_in_the_leavers_name_is_reassigned_in_the_policy_first(policy: Policy) -> None:
    assert "`key.creator_user_id` of `prod-search-agent`" in said(policy, BOUND).todo
    assert "creator_user_id" not in said(policy, FREE).todo


def test_beyond_what_an_event_can_name_the_message_says_how_the_others_are_rotated(policy: Policy) -> None:
    how = "for the others use `/governor rotate workspace`"
    assert how in text(policy, BOUND, total=201)
    assert how not in text(policy, BOUND, total=200)


def test_a_name_is_data(policy: Policy) -> None:
    told = text(policy, LOOSE, member="<!here>")
    assert "<!channel>" not in told
    assert "<!here>" not in told
    assert "&lt;!channel&gt;" in told


def test_what_is_left_out_is_counted_also_after_the_incident_was_stored(policy: Policy) -> None:
    many = [LOOSE.model_copy(update={"hash": f"{number:064x}"}) for number in range(30)]
    one = event(*many, total=70)
    decision = decide(Incident(incident_key(one)), one, policy)
    again = Incident.remembered(decision.incident.data())
    for told in (words(one, policy, figures((one,))), words(again.lead, policy, figures(again.steps))):
        assert f"and {70 - MAX_KEYS} more keys" in "\n".join(told.facts)


def test_a_workspace_that_was_not_read_is_named(policy: Policy) -> None:
    assert "*Not read whole:* lab" in text(policy, LOOSE, unread=["lab"])


def test_another_departure_of_the_same_member_is_another_thread() -> None:
    later = NOW.replace(day=22)
    assert incident_key(event(BOUND)) != incident_key(event(BOUND, since=later))


def test_a_member_with_two_hundred_keys_is_one_message_however_often_it_is_delivered(
    notifier: Notifier, slack: MemorySlack
) -> None:
    keys = [
        BOUND.model_copy(update={"hash": f"{number:064x}", "name": f"key-{number}", "workload": f"agent-{number}"})
        for number in range(MOST_KEYS)
    ]
    one = event(*keys, total=260)
    assert [notifier.notify(one, delivery).via for delivery in (1, 2)] == ["slack", "before"]
    (posted,) = slack.said
    assert posted.thread_ts is None
    assert f"and {260 - MAX_KEYS} more keys" in "\n".join([posted.message.text, *posted.message.sections])
    assert len(posted.message.actions) == 1 + DISABLES
