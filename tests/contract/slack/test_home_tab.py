"""The Home's adapter against the simulator, and what Slack refuses of a Home."""

from typing import Any

import pytest
from pydantic import SecretStr

from governor.slack.channel import SlackRefused, SlackUnavailable
from governor.slack.home_tab import SlackHomeTab
from governor.slack.replies import SlackReplies
from sandbox.slack import SlackSimulator


def _view(*texts: str) -> dict[str, Any]:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
    return {"type": "home", "blocks": blocks}


@pytest.fixture
def tab(url: str) -> SlackHomeTab:
    return SlackHomeTab(lambda: SecretStr("xoxb-fake"), url)


def test_each_person_sees_what_was_published_to_them_last(simulator: SlackSimulator, tab: SlackHomeTab) -> None:
    tab.publish("U0LEAD", _view("one"))
    tab.publish("U0LEAD", _view("two"))
    tab.publish("U0SEC", _view("three"))
    assert (simulator.home("U0LEAD"), simulator.home("U0SEC"), simulator.home("U0SHOP")) == (["two"], ["three"], [])


def test_a_lost_answer_is_an_unknown_outcome_and_publishing_again_is_harmless(
    simulator: SlackSimulator, tab: SlackHomeTab
) -> None:
    simulator.fault("views.publish", "fail_after")
    with pytest.raises(SlackUnavailable):
        tab.publish("U0LEAD", _view("one"))
    tab.publish("U0LEAD", _view("one"))
    assert simulator.home("U0LEAD") == ["one"]


@pytest.mark.parametrize(
    ("view", "error"),
    [
        (_view(*["x"] * 101), "invalid_blocks"),
        (_view(*["x" * 2900] * 90), "view_too_large"),
        ({"type": "modal", "blocks": []}, "invalid_arguments"),
    ],
    ids=["blocks", "bytes", "modal"],
)
def test_what_slack_would_refuse_is_refused(tab: SlackHomeTab, view: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackRefused) as caught:
        tab.publish("U0LEAD", view)
    assert caught.value.error == error


def test_a_credential_in_a_text_is_not_published(simulator: SlackSimulator, tab: SlackHomeTab) -> None:
    tab.publish("U0LEAD", _view("sk-or-v1-" + "a" * 64))
    assert "sk-or-v1-a" not in str(simulator.home("U0LEAD"))


def test_somebody_without_a_channel_is_answered_directly(simulator: SlackSimulator, url: str) -> None:
    SlackReplies(lambda: SecretStr("xoxb-fake"), url).direct("U0LEAD", "It is being done")
    assert simulator.told("U0LEAD") == ["It is being done"]
    assert simulator.messages("C0GOVERNOR") == []
