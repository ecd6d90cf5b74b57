"""Everything the notifier does, told by what people can read afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from governor.events import BadEvent, Event
from governor.ledger import Put
from governor.slack.channel import SlackError, SlackGone, SlackRateLimited, SlackRefused, SlackUnavailable
from governor.slack.memory import MemorySlack
from governor.topic import MemoryTopic
from notifier.service import Notifier, Postponed

Sample = Callable[..., Event]
DOWN = SlackUnavailable("no answer from Slack")
BUSY = SlackRateLimited(1)
UNINVITED = SlackRefused("not_in_channel", "Invite the app.")


class Failing(MemorySlack):
    """Slack that answers every post and update with one error."""

    def __init__(self, error: SlackError) -> None:
        super().__init__()
        self.error: SlackError | None = error
        self.asked = 0

    def post(self, *args: object, **options: object) -> str:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return super().post(*args, **options)  # type: ignore[arg-type]  # the call is handed through as it came


def test_the_first_event_opens_a_thread_and_the_next_one_moves_it(
    notifier: Notifier, slack: MemorySlack, sample: Sample
) -> None:
    notifier.notify(sample("runaway_suspected"), 1)
    notifier.notify(sample("key_disabled"), 1)
    parent, reply = slack.said
    assert "Its key is disabled" in parent.message.text
    assert (reply.thread_ts, reply.broadcast) == (parent.ts, True)


def test_an_event_delivered_again_is_not_said_again(notifier: Notifier, slack: MemorySlack, sample: Sample) -> None:
    assert notifier.notify(sample("key_disabled"), 1).via == "slack"
    assert notifier.notify(sample("key_disabled"), 2).via == "before"
    assert len(slack.said) == 1


def test_incidents_of_different_workloads_have_different_threads(
    notifier: Notifier, slack: MemorySlack, sample: Sample
) -> None:
    notifier.notify(sample("key_disabled"), 1)
    notifier.notify(sample("disable_withheld"), 1)
    assert [said.thread_ts for said in slack.said] == [None, None]


def test_without_slack_everything_goes_out_as_mail(notifier: Notifier, topic: MemoryTopic, sample: Sample) -> None:
    by_mail = replace(notifier, slack=None)
    assert by_mail.notify(sample("key_disabled"), 1).via == "mail"
    assert by_mail.notify(sample("key_disabled"), 2).via == "before"
    [(subject, body)] = topic.sent
    assert subject.startswith("[Governor] prod-search-agent was burning $498/h.")
    assert "Why this comes by mail" not in body


def test_a_refusal_is_mailed_once_with_what_happened_and_the_remedy(
    notifier: Notifier, topic: MemoryTopic, sample: Sample
) -> None:
    refused = replace(notifier, slack=Failing(UNINVITED))
    assert refused.notify(sample("key_disabled"), 1).via == "mail"
    assert refused.notify(sample("key_disabled"), 2).via == "before"
    [(_, body)] = topic.sent
    assert "Its key is disabled" in body
    assert body.endswith("Slack refused: not_in_channel. Invite the app.")


@pytest.mark.parametrize(("error", "deliveries"), [(DOWN, 3), (BUSY, 6)])
def test_while_slack_is_down_the_queue_holds_the_event_and_then_mail_takes_over(
    notifier: Notifier, topic: MemoryTopic, sample: Sample, error: SlackError, deliveries: int
) -> None:
    slack = Failing(error)
    failing = replace(notifier, slack=slack)
    for delivery in range(1, deliveries):
        with pytest.raises(Postponed):
            failing.for_batch().notify(sample("key_disabled"), delivery)
        assert topic.sent == []
    assert failing.for_batch().notify(sample("key_disabled"), deliveries).via == "mail"
    slack.error = None
    assert failing.for_batch().notify(sample("key_disabled"), deliveries + 1).via == "before"
    assert (len(topic.sent), slack.said) == (1, [])


def test_what_was_mailed_is_in_the_history_of_the_thread_that_comes_later(
    notifier: Notifier, topic: MemoryTopic, sample: Sample
) -> None:
    slack = Failing(DOWN)
    failing = replace(notifier, slack=slack)
    failing.notify(sample("key_disabled"), 3)
    slack.error = None
    failing.for_batch().notify(sample("key_restored"), 1)
    [parent] = slack.said
    assert "Key Disabled → " in parent.message.context[0]
    assert len(topic.sent) == 1


@pytest.mark.parametrize("error", [DOWN, BUSY])
def test_once_slack_fails_the_rest_of_the_batch_leaves_it_alone(
    notifier: Notifier, sample: Sample, error: SlackError
) -> None:
    slack = Failing(error)
    batch = replace(notifier, slack=slack).for_batch()
    for name in ("key_disabled", "disable_withheld", "monitor_blind"):
        with pytest.raises(Postponed):
            batch.notify(sample(name), 1)
    assert slack.asked == 1
    slack.error = None
    assert batch.for_batch().notify(sample("monitor_blind"), 2).via == "slack"


def test_a_parent_that_somebody_deleted_is_posted_anew(notifier: Notifier, slack: MemorySlack, sample: Sample) -> None:
    notifier.notify(sample("runaway_confirmed"), 1)
    slack.said.clear()
    notifier.notify(sample("key_disabled"), 1)
    notifier.notify(sample("key_restored"), 1)
    parent, reply = slack.said
    assert parent.message.text.startswith("🟢")
    assert reply.thread_ts == parent.ts


def test_a_parent_that_may_no_longer_be_edited_is_followed_by_a_new_one(notifier: Notifier, sample: Sample) -> None:
    class Frozen(MemorySlack):
        def update(self, ts: str, message: object) -> None:
            raise SlackGone("edit_window_closed", "")

    slack = Frozen()
    frozen = replace(notifier, slack=slack)
    frozen.notify(sample("runaway_confirmed"), 1)
    frozen.notify(sample("key_disabled"), 1)
    assert [said.thread_ts for said in slack.said] == [None, None]


def test_a_copy_beside_waits_while_another_works_on_the_incident(
    notifier: Notifier, slack: MemorySlack, sample: Sample, clock: Callable[[], object]
) -> None:
    row = {"incident": {"key": "k", "generation": 1, "after": None, "steps": [], "ts": None, "opened_by": None}}
    until = "2026-11-21T08:00:45Z"
    data = {**row, "leased_until": until, "unsure": True}
    data["incident"] = {**row["incident"], "key": "runaway#prod-search-agent"}
    notifier.ledger.commit(Put("incident#runaway#prod-search-agent", "incident", data))
    with pytest.raises(Postponed, match=until):
        notifier.notify(sample("key_disabled"), 1)
    assert slack.said == []
    clock.now += timedelta(seconds=46)  # type: ignore[attr-defined]  # the fixture's clock can be set
    assert notifier.notify(sample("key_disabled"), 2).via == "slack"


def test_an_event_of_the_wrong_shape_is_refused_before_anything_is_written(
    notifier: Notifier, slack: MemorySlack, sample: Sample
) -> None:
    with pytest.raises(BadEvent):
        notifier.notify(sample("key_disabled", evidence={"cause": "boredom"}), 1)
    assert notifier.ledger.rows(f"notice#{sample('key_disabled').id}") == []
    assert slack.said == []


def test_a_key_quoted_from_outside_reaches_nobody(
    notifier: Notifier, slack: MemorySlack, topic: MemoryTopic, sample: Sample
) -> None:
    secret = "sk-or-v1-fake-0123456789"
    event = sample(
        "key_exposed", reason=f"found {secret}", evidence={"url": f"https://x/?k={secret}", "source": secret}
    )
    envelope = {"id": event.id, "time": "", "detail-type": event.detail_type, "detail": event.detail()}
    received = Event.received(envelope)
    notifier.notify(received, 1)
    replace(notifier, slack=None).notify(replace(received, id="other"), 1)
    kept = notifier.ledger.rows("incident#exposed#prod-search-agent")
    assert secret not in repr((slack.said, topic.sent, kept))
