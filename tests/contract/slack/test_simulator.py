"""slack_sdk, the vendor's own client, drives the Slack simulator through every method it has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import SlackSimulator

MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Approve"}, "blocks": []}


@pytest.fixture
def client(url: str) -> WebClient:
    return WebClient("xoxb-fake", url, retry_handlers=[])


def _refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def test_the_token_says_who_we_are(client: WebClient) -> None:
    assert client.auth_test()["user_id"] == "U0GOVERNOR"


def test_a_wrong_or_missing_token_is_refused_everywhere(url: str) -> None:
    assert _refusal(WebClient("xoxb-fake-wrong", url).auth_test) == "invalid_auth"
    assert _refusal(WebClient(None, url).auth_test) == "not_authed"


def test_a_thread_is_read_in_order_and_counted_at_its_parent(client: WebClient) -> None:
    parent = client.chat_postMessage(channel="C0GOVERNOR", text="parent")["ts"]
    replies = [client.chat_postMessage(channel="C0GOVERNOR", text=t, thread_ts=parent)["ts"] for t in ("a", "b")]
    thread = client.conversations_replies(channel="C0GOVERNOR", ts=parent)["messages"]
    assert [message["ts"] for message in thread] == [parent, *replies]
    assert thread[0]["reply_count"] == 2
    [shown] = client.conversations_history(channel="C0GOVERNOR")["messages"]
    assert shown["ts"] == parent


def test_a_broadcast_reply_shows_in_the_channel(client: WebClient) -> None:
    parent = client.chat_postMessage(channel="C0GOVERNOR", text="parent")["ts"]
    client.chat_postMessage(channel="C0GOVERNOR", text="reply", thread_ts=parent, reply_broadcast=True)
    shown = client.conversations_history(channel="C0GOVERNOR")["messages"]
    assert [message["text"] for message in shown] == ["reply", "parent"]


def test_metadata_is_shown_on_request_only_and_outlives_an_update(client: WebClient) -> None:
    metadata = {"event_type": "governor_notice", "event_payload": {"id": "e1"}}
    ts = client.chat_postMessage(channel="C0GOVERNOR", text="one", metadata=metadata)["ts"]
    client.chat_update(channel="C0GOVERNOR", ts=ts, text="two")
    [plain] = client.conversations_history(channel="C0GOVERNOR")["messages"]
    [full] = client.conversations_history(channel="C0GOVERNOR", include_all_metadata=True)["messages"]
    assert ("metadata" in plain, full["metadata"], full["text"]) == (False, metadata, "two")
    assert full["edited"]["user"] == "U0GOVERNOR"


def test_history_is_paged_by_cursor(client: WebClient) -> None:
    for number in range(5):
        client.chat_postMessage(channel="C0GOVERNOR", text=str(number))
    pages = client.conversations_history(channel="C0GOVERNOR", limit=2)
    assert [[message["text"] for message in page["messages"]] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]


def test_a_deleted_message_is_gone(client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0GOVERNOR", text="one")["ts"]
    client.chat_delete(channel="C0GOVERNOR", ts=ts)
    assert client.conversations_history(channel="C0GOVERNOR")["messages"] == []
    assert _refusal(lambda: client.chat_update(channel="C0GOVERNOR", ts=ts, text="x")) == "message_not_found"


def test_somebody_elses_message_cannot_be_changed(client: WebClient, simulator: SlackSimulator) -> None:
    ts = simulator.say("C0GOVERNOR", "U0SEARCH", "mine")
    assert _refusal(lambda: client.chat_update(channel="C0GOVERNOR", ts=ts, text="x")) == "cant_update_message"
    assert _refusal(lambda: client.chat_delete(channel="C0GOVERNOR", ts=ts)) == "cant_delete_message"


def test_an_ephemeral_message_is_not_in_the_channel(client: WebClient, simulator: SlackSimulator) -> None:
    assert client.chat_postEphemeral(channel="C0GOVERNOR", user="U0LEAD", text="only you")["message_ts"]
    assert simulator.messages("C0GOVERNOR") == []
    assert simulator.workspace.ephemeral[0]["user"] == "U0LEAD"


def test_a_reaction_is_added_once(client: WebClient, simulator: SlackSimulator) -> None:
    ts = client.chat_postMessage(channel="C0GOVERNOR", text="one")["ts"]
    client.reactions_add(channel="C0GOVERNOR", timestamp=ts, name="eyes")
    again = _refusal(lambda: client.reactions_add(channel="C0GOVERNOR", timestamp=ts, name="eyes"))
    assert again == "already_reacted"
    assert simulator.messages("C0GOVERNOR")[0]["reactions"][0]["name"] == "eyes"


def test_a_file_goes_up_the_new_way_and_is_shown_with_its_comment(client: WebClient, simulator: SlackSimulator) -> None:
    client.files_upload_v2(channel="C0GOVERNOR", filename="report.csv", content="a,b\n", initial_comment="the report")
    [said] = simulator.messages("C0GOVERNOR")
    assert (said["text"], said["files"][0]["name"]) == ("the report", "report.csv")
    assert "file report.csv" in simulator.transcript("C0GOVERNOR")


def test_a_modal_opens_and_one_without_a_title_is_refused(client: WebClient, simulator: SlackSimulator) -> None:
    simulator.set_clock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    trigger = simulator.workspace.trigger("U0LEAD")
    assert _refusal(lambda: client.views_open(trigger_id=trigger, view={**MODAL, "title": None})) == "invalid_arguments"
    assert client.views_open(trigger_id=trigger, view=MODAL)["view"]["id"].startswith("V")
    assert len(simulator.workspace.views) == 1


def test_a_trigger_opens_one_modal_within_three_seconds(client: WebClient, simulator: SlackSimulator) -> None:
    def open_with(trigger: str) -> Any:
        return lambda: client.views_open(trigger_id=trigger, view=MODAL)

    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    simulator.set_clock(start)
    used, late = simulator.workspace.trigger("U0LEAD"), simulator.workspace.trigger("U0LEAD")
    simulator.set_clock(start + timedelta(seconds=2))
    open_with(used)()
    assert _refusal(open_with(used)) == "exchanged_trigger_id"
    simulator.set_clock(start + timedelta(seconds=4))
    assert _refusal(open_with(late)) == "expired_trigger_id"
    assert _refusal(open_with("made up")) == "invalid_trigger_id"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"submit": {"type": "plain_text", "text": "x" * 25}},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"blocks": [{"type": "input", "label": {"type": "plain_text", "text": "Why?"}, "element": {}}]},
        {"type": "popup"},
    ],
)
def test_a_modal_that_slack_would_refuse_is_refused(
    client: WebClient, simulator: SlackSimulator, wrong: dict[str, Any]
) -> None:
    trigger = simulator.workspace.trigger("U0LEAD")
    assert _refusal(lambda: client.views_open(trigger_id=trigger, view={**MODAL, **wrong})) == "invalid_arguments"


@pytest.mark.parametrize(
    "buttons",
    [
        [{"action_id": "a"}, {"action_id": "a"}],
        [{"value": "x" * 2001}],
        [{"action_id": "x" * 256}],
        [{"text": {"type": "plain_text", "text": "x" * 76}}],
        [{"text": {"type": "mrkdwn", "text": "x"}}],
        [{"style": "loud"}],
        [{"confirm": {"title": {"type": "plain_text", "text": "x" * 101}}}],
        [{}] * 26,
        [],
    ],
)
def test_buttons_that_slack_would_refuse_are_refused(client: WebClient, buttons: list[dict[str, Any]]) -> None:
    plain = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}}
    blocks = [{"type": "actions", "elements": [{**plain, **button} for button in buttons]}]
    assert _refusal(lambda: client.chat_postMessage(channel="C0GOVERNOR", text="x", blocks=blocks)) == "invalid_blocks"


def test_people_and_channels_are_described(client: WebClient) -> None:
    assert client.users_info(user="U0LEAD")["user"]["id"] == "U0LEAD"
    assert _refusal(lambda: client.users_info(user="nobody")) == "user_not_found"
    assert client.conversations_info(channel="C0GOVERNOR")["channel"]["name"] == "governor"
    assert _refusal(lambda: client.conversations_info(channel="C0NOWHERE")) == "channel_not_found"


def test_a_method_the_simulator_does_not_know_is_refused_by_name(client: WebClient) -> None:
    assert _refusal(lambda: client.api_call("chat.invented")) == "unknown_method"


def test_content_that_slack_would_refuse_is_refused(client: WebClient) -> None:
    def post(**content: Any) -> Any:
        return lambda: client.chat_postMessage(channel="C0GOVERNOR", **content)

    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    assert _refusal(post(text="x" * 40_001)) == "msg_too_long"
    assert _refusal(lambda: client.api_call("chat.postMessage", json={"channel": "C0GOVERNOR"})) == "no_text"
    for blocks in ([section], [header], [{"type": "divider"}] * 51, [{"type": "invented"}]):
        assert _refusal(post(text="x", blocks=blocks)) == "invalid_blocks"
        assert _refusal(post(text="x", attachments=[{"blocks": blocks}])) == "invalid_blocks"
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 4
    assert _refusal(post(text="x", blocks=long)) == "msg_blocks_too_long"
    assert _refusal(post(text="x", blocks=long[:2], attachments=[{"blocks": long[2:]}])) == "msg_blocks_too_long"
    assert _refusal(post(text="x", metadata={"event_type": "", "event_payload": {}})) == "invalid_metadata_format"
    assert _refusal(post(text="x", thread_ts="1.000001")) == "thread_not_found"


def test_more_than_one_message_a_second_is_too_many_when_the_limit_is_on() -> None:
    simulator = SlackSimulator("xoxb-fake", rate_limited=True)
    with simulator.serve() as url:
        client = WebClient("xoxb-fake", url, retry_handlers=[])
        client.chat_postMessage(channel="C0GOVERNOR", text="one")
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel="C0GOVERNOR", text="two")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["retry-after"] == "1"
    assert len(simulator.messages("C0GOVERNOR")) == 1
