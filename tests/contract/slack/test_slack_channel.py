"""The Slack adapter against the simulator: every way in which Slack fails becomes the error that says what to do."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from governor.secrets import SecretMalformed, SecretUnavailable
from governor.slack.channel import Button, Message, SlackChannel, SlackRateLimited, SlackRefused, SlackUnavailable
from sandbox.slack import SlackSimulator

HELLO = Message("🔴 hello", "#d72b3f", ("one",))


@pytest.fixture
def simulator() -> SlackSimulator:
    return SlackSimulator("xoxb-fake", channels={"C0GOVERNOR": "governor", "C0OTHER": "other"})


@pytest.fixture
def url(simulator: SlackSimulator) -> Iterator[str]:
    with simulator.serve() as url:
        yield url


@pytest.fixture
def slack(url: str) -> SlackChannel:
    return SlackChannel(lambda: SecretStr("xoxb-fake"), "C0GOVERNOR", url)


@pytest.mark.parametrize(("kind", "posted"), [("fail_before", 0), ("fail_after", 1), ("server_error", 0)])
def test_a_lost_answer_is_an_unknown_outcome_and_is_never_repeated(
    simulator: SlackSimulator, slack: SlackChannel, kind: str, posted: int
) -> None:
    simulator.fault("chat.postMessage", kind)
    with pytest.raises(SlackUnavailable):
        slack.post(HELLO, {"id": "e1"})
    assert len(simulator.messages("C0GOVERNOR")) == posted


def test_an_answer_that_takes_too_long_is_an_unknown_outcome(
    simulator: SlackSimulator, slack: SlackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SlackChannel, "TIMEOUT_SECONDS", 0.1)
    simulator.fault("chat.postMessage", "slow", seconds=0.5)
    with pytest.raises(SlackUnavailable):
        slack.post(HELLO, {"id": "e1"})
    assert slack.find({"id": "e1"}) is not None


def test_nobody_listening_is_an_unknown_outcome() -> None:
    with pytest.raises(SlackUnavailable):
        SlackChannel(lambda: SecretStr("xoxb-fake"), "C0GOVERNOR", "http://localhost:9/api/").post(HELLO, {"id": "e1"})


def test_the_rate_limit_says_how_long_to_wait(simulator: SlackSimulator, slack: SlackChannel) -> None:
    simulator.fault("chat.postMessage", "rate_limited", retry_after=30)
    with pytest.raises(SlackRateLimited) as caught:
        slack.post(HELLO, {"id": "e1"})
    assert caught.value.retry_after == 30
    assert simulator.messages("C0GOVERNOR") == []


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable"])
def test_an_error_inside_slack_is_worth_another_try(simulator: SlackSimulator, slack: SlackChannel, error: str) -> None:
    simulator.fault("chat.postMessage", "refused", error=error)
    with pytest.raises(SlackUnavailable):
        slack.post(HELLO, {"id": "e1"})


def test_a_wrong_token_is_refused_and_the_remedy_names_the_secret_not_the_token(url: str) -> None:
    with pytest.raises(SlackRefused) as caught:
        SlackChannel(lambda: SecretStr("xoxb-fake-wrong"), "C0GOVERNOR", url).post(HELLO, {"id": "e1"})
    assert caught.value.error == "invalid_auth"
    assert "bot_token" in caught.value.remedy
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "xoxb-fake-wrong" not in repr(chain) + str(chain)
        chain = chain.__cause__ or chain.__context__


def test_an_unknown_channel_is_refused_and_the_remedy_names_the_policy(url: str) -> None:
    with pytest.raises(SlackRefused) as caught:
        SlackChannel(lambda: SecretStr("xoxb-fake"), "C0NOWHERE", url).post(HELLO, {"id": "e1"})
    assert (caught.value.error, "alerts.channel" in caught.value.remedy) == ("channel_not_found", True)


@pytest.mark.parametrize(("change", "error"), [("is_member", "not_in_channel"), ("is_archived", "is_archived")])
def test_a_channel_closed_to_the_app_is_refused(
    simulator: SlackSimulator, slack: SlackChannel, change: str, error: str
) -> None:
    setattr(simulator.channel("C0GOVERNOR"), change, change == "is_archived")
    with pytest.raises(SlackRefused) as caught:
        slack.post(HELLO, {"id": "e1"})
    assert caught.value.error == error


def test_a_missing_scope_is_named_in_the_remedy(simulator: SlackSimulator, slack: SlackChannel) -> None:
    simulator.fault("conversations.history", "refused", error="missing_scope", extra={"needed": "channels:history"})
    with pytest.raises(SlackRefused, match="channels:history"):
        slack.find({"id": "e1"})


def test_a_secret_without_a_token_is_refused_and_one_that_cannot_be_read_is_unavailable(url: str) -> None:
    def malformed() -> SecretStr:
        raise SecretMalformed("secret slack: expected a JSON object with the field 'bot_token'")

    def unreadable() -> SecretStr:
        raise SecretUnavailable("ResourceNotFoundException")

    with pytest.raises(SlackRefused, match="bot_token"):
        SlackChannel(malformed, "C0GOVERNOR", url).post(HELLO, {"id": "e1"})
    with pytest.raises(SlackUnavailable):
        SlackChannel(unreadable, "C0GOVERNOR", url).post(HELLO, {"id": "e1"})


def test_a_replaced_token_is_used_at_the_next_call(url: str) -> None:
    tokens = iter(["xoxb-fake-old", "xoxb-fake"])
    slack = SlackChannel(lambda: SecretStr(next(tokens)), "C0GOVERNOR", url)
    with pytest.raises(SlackRefused):
        slack.post(HELLO, {"id": "e1"})
    assert slack.post(HELLO, {"id": "e1"})


def test_text_longer_than_slack_takes_is_clipped_not_refused(simulator: SlackSimulator, slack: SlackChannel) -> None:
    slack.post(Message("x" * 50_000, "#000000", ("y" * 5_000,) * 60, ("z" * 5_000,) * 20), {"id": "e1"})
    [said] = simulator.messages("C0GOVERNOR")
    assert (len(said["text"]), said["text"][-1]) == (3000, "…")
    blocks = said["attachments"][0]["blocks"]
    assert [len(block["text"]["text"]) for block in blocks[:-1]] == [3000, 3000, 3000, 800]
    assert [len(text["text"]) for text in blocks[-1]["elements"]] == [1200]
    assert (blocks[-2]["text"]["text"][-1], blocks[-1]["elements"][0]["text"][-1]) == ("…", "…")


def test_more_sections_than_slack_takes_are_left_out(simulator: SlackSimulator, slack: SlackChannel) -> None:
    slack.post(Message("many", "#000000", ("line",) * 60, ("small",)), {"id": "e1"})
    [said] = simulator.messages("C0GOVERNOR")
    assert len(said["attachments"][0]["blocks"]) == 50


def test_a_message_of_one_line_has_no_empty_attachment(simulator: SlackSimulator, slack: SlackChannel) -> None:
    slack.post(Message("just this", "#000000"), {"id": "e1"})
    assert "attachments" not in simulator.messages("C0GOVERNOR")[0]


def test_a_message_is_found_behind_pages_of_other_talk(
    simulator: SlackSimulator, slack: SlackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SlackChannel, "PAGE", 3)
    ts = slack.post(HELLO, {"id": "e1"})
    for number in range(10):
        simulator.say("C0GOVERNOR", "U0SEARCH", f"chatter {number}")
    found = slack.find({"id": "e1"})
    assert found is not None
    assert found.ts == ts


def test_buttons_stand_between_the_sections_and_the_small_print(simulator: SlackSimulator, slack: SlackChannel) -> None:
    yes = Button("Approve", "approve", {"approval": "a1"}, "primary", "Promote it?")
    slack.post(Message("x", "#000000", ("y",) * 60, ("z",), (yes, Button("Reject", "reject", {}))), {"id": "e1"})
    [said] = simulator.messages("C0GOVERNOR")
    blocks = said["attachments"][0]["blocks"]
    assert [block["type"] for block in blocks[-2:]] == ["actions", "context"]
    assert len(blocks) == 50
    approve = blocks[-2]["elements"][0]
    assert (approve["action_id"], approve["value"]) == ("governor.approve", '{"approval":"a1"}')
    assert approve["confirm"]["text"] == {"type": "plain_text", "text": "Promote it?", "emoji": False}


def test_an_update_without_buttons_takes_them_away(simulator: SlackSimulator, slack: SlackChannel) -> None:
    ts = slack.post(Message("x", "#000000", actions=(Button("Approve", "approve", {}),)), {"id": "e1"})
    slack.update(ts, Message("done", "#000000", ("done",)))
    [said] = simulator.messages("C0GOVERNOR")
    assert [block["type"] for block in said["attachments"][0]["blocks"]] == ["section"]


def test_text_too_long_for_a_message_goes_up_as_a_file(simulator: SlackSimulator, slack: SlackChannel) -> None:
    link = slack.upload("diff.txt", "-old\n+new\n" * 2000, "what changes")
    [said] = simulator.messages("C0GOVERNOR")
    assert said["files"][0]["permalink"] == link
    assert said["files"][0]["size"] == 20_000
