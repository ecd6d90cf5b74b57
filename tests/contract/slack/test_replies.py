"""One suite over replies in memory and the adapter driving the simulator; then what only the adapter can suffer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from governor.slack.channel import SlackRateLimited, SlackRefused, SlackUnavailable
from governor.slack.memory import MemoryReplies
from governor.slack.replies import Replies, SlackReplies
from sandbox.slack import SlackSimulator
from sandbox.slack.workspace import ResponseUrl

VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "Reject"}, "blocks": []}


class Memory:
    """What a person sees, in memory: a `response_url` is its owner's name."""

    def __init__(self) -> None:
        self.replies = MemoryReplies()

    def response_url(self, user: str) -> str:
        return user

    def trigger(self) -> str:
        return "trigger"

    def told(self, user: str) -> list[str]:
        return [text for whom, text in self.replies.told if whom == user]

    def views(self) -> int:
        return len(self.replies.views)


@dataclass
class Simulated:
    """The same in the simulator."""

    simulator: SlackSimulator
    url: str

    @property
    def replies(self) -> SlackReplies:
        return SlackReplies(lambda: SecretStr("xoxb-fake"), self.url)

    def response_url(self, user: str) -> str:
        self.simulator.workspace.response_urls[user] = ResponseUrl("C0GOVERNOR", user, float("inf"))
        return f"{self.url.removesuffix('api/')}response/{user}"

    def trigger(self) -> str:
        return self.simulator.workspace.trigger("U0LEAD")

    def told(self, user: str) -> list[str]:
        return self.simulator.told(user)

    def views(self) -> int:
        return len(self.simulator.workspace.views)


@pytest.fixture
def simulated() -> Iterator[Simulated]:
    simulator = SlackSimulator("xoxb-fake")
    with simulator.serve() as url:
        yield Simulated(simulator, url)


@pytest.fixture(params=["memory", "simulator"])
def scene(request: pytest.FixtureRequest) -> Any:
    return Memory() if request.param == "memory" else request.getfixturevalue("simulated")


def test_whoever_clicked_is_answered_and_nobody_else(scene: Any) -> None:
    replies: Replies = scene.replies
    replies.respond(scene.response_url("U0LEAD"), "done")
    assert (scene.told("U0LEAD"), scene.told("U0SEC")) == (["done"], [])


def test_one_person_in_a_channel_is_told(scene: Any) -> None:
    replies: Replies = scene.replies
    replies.ephemeral("C0GOVERNOR", "U0SEC", "only you")
    assert (scene.told("U0LEAD"), scene.told("U0SEC")) == ([], ["only you"])


def test_a_modal_opens(scene: Any) -> None:
    replies: Replies = scene.replies
    replies.open_view(scene.trigger(), VIEW)
    assert scene.views() == 1


@pytest.mark.parametrize(("kind", "told"), [("fail_before", 0), ("fail_after", 1), ("server_error", 0)])
def test_a_lost_answer_is_an_unknown_outcome_and_is_never_repeated_below(
    simulated: Simulated, kind: str, told: int
) -> None:
    for method in ("response_url", "chat.postEphemeral"):
        simulated.simulator.fault(method, kind)
    with pytest.raises(SlackUnavailable):
        simulated.replies.respond(simulated.response_url("U0LEAD"), "done")
    with pytest.raises(SlackUnavailable):
        simulated.replies.ephemeral("C0GOVERNOR", "U0LEAD", "done")
    assert len(simulated.told("U0LEAD")) == 2 * told


def test_an_answer_that_takes_too_long_is_an_unknown_outcome(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SlackReplies, "TIMEOUT_SECONDS", 0.1)
    simulated.simulator.fault("response_url", "slow", seconds=0.5)
    with pytest.raises(SlackUnavailable):
        simulated.replies.respond(simulated.response_url("U0LEAD"), "done")


def test_the_rate_limit_says_how_long_to_wait(simulated: Simulated) -> None:
    simulated.simulator.fault("response_url", "rate_limited", retry_after=7)
    with pytest.raises(SlackRateLimited) as caught:
        simulated.replies.respond(simulated.response_url("U0LEAD"), "done")
    assert caught.value.retry_after == 7


def test_a_response_url_that_is_used_up_is_refused(simulated: Simulated) -> None:
    url = simulated.response_url("U0LEAD")
    for _ in range(5):
        simulated.replies.respond(url, "done")
    with pytest.raises(SlackRefused, match="used_url"):
        simulated.replies.respond(url, "done")


def test_a_trigger_that_is_over_is_refused_by_name(simulated: Simulated) -> None:
    with pytest.raises(SlackRefused, match="invalid_trigger_id"):
        simulated.replies.open_view("made up", VIEW)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/response/U0LEAD",
        "http://hooks.slack.com/actions/1",
        "https://hooks.slack.com.example.com/1",
        "https://hooks.slack.com:8443/1",
        "https://user@hooks.slack.com/1",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
    ],
)
def test_what_does_not_lead_to_slack_is_not_asked(url: str) -> None:
    with pytest.raises(SlackRefused, match="foreign_response_url"):
        SlackReplies(lambda: SecretStr("xoxb-fake")).respond(url, "done")


def test_a_long_answer_is_cut_to_what_slack_shows(simulated: Simulated) -> None:
    simulated.replies.respond(simulated.response_url("U0LEAD"), "x" * 10_000)
    (said,) = simulated.told("U0LEAD")
    assert len(said) == 3000
