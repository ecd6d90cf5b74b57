from datetime import UTC, datetime, timedelta

import pytest

from sandbox.slack import SlackSimulator
from sandbox.slack.faults import Fault, Faults
from sandbox.slack.limits import Refused, check_blocks, check_message
from sandbox.slack.methods import METHODS
from sandbox.slack.transcript import plain

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def simulator() -> SlackSimulator:
    return SlackSimulator("xoxb-fake", clock=lambda: NOON)


def _post(simulator: SlackSimulator, text: str, **more: object) -> str:
    arguments = {"channel": "C0GOVERNOR", "text": text, **more}
    return str(METHODS["chat.postMessage"](simulator.workspace, arguments)["ts"])


def test_a_ts_is_unique_and_increasing_though_the_clock_stands_still_or_steps_back(simulator: SlackSimulator) -> None:
    first, second = _post(simulator, "a"), _post(simulator, "b")
    simulator.set_clock(NOON - timedelta(hours=1))
    third = _post(simulator, "c")
    assert first == f"{int(NOON.timestamp())}.000000"
    assert [float(ts) for ts in (first, second, third)] == sorted({float(ts) for ts in (first, second, third)})


def test_the_transcript_reads_like_the_channel(simulator: SlackSimulator) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Lost* $31\n<https://x.y|the key>"}}
    context = {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!date^0^{time}|12:00 UTC>"}]}
    parent = _post(simulator, "🔴 a &lt; b", attachments=[{"color": "#d72b3f", "blocks": [section, context]}])
    _post(simulator, "for <@U0LEAD>", thread_ts=parent, reply_broadcast=True)
    simulator.say("C0GOVERNOR", "U0SEARCH", "looking")
    METHODS["chat.update"](simulator.workspace, {"channel": "C0GOVERNOR", "ts": parent, "text": "🟢 over"})
    assert simulator.transcript("C0GOVERNOR") == "\n".join(
        (
            "[2026-11-21 12:00:00Z] Governor (edited)",
            "  🟢 over",
            "    [2026-11-21 12:00:00Z] Governor (also in the channel)",
            "      for @U0LEAD",
            "[2026-11-21 12:00:00Z] U0SEARCH",
            "  looking",
        )
    )


def test_the_transcript_shows_blocks_below_the_text(simulator: SlackSimulator) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Restore"}}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Lost* $31\n<https://x.y|the key>"}}
    _post(simulator, "up", attachments=[{"blocks": [section, {"type": "actions", "elements": [button]}]}])
    assert simulator.transcript("C0GOVERNOR").splitlines()[1:] == [
        "  up",
        "  | *Lost* $31",
        "  | the key",
        "  | [Restore]",
    ]


def test_mrkdwn_is_read_as_people_see_it() -> None:
    assert plain("<@U0LEAD> <#C0X|general> <https://x.y> <!date^0^{time}|noon> &amp;lt;") == (
        "@U0LEAD #general https://x.y noon &lt;"
    )


def test_threads_keep_their_replies_and_their_count(simulator: SlackSimulator) -> None:
    parent = _post(simulator, "parent")
    reply = _post(simulator, "reply", thread_ts=parent)
    _post(simulator, "reply to the reply", thread_ts=reply)
    [thread] = simulator.messages("C0GOVERNOR")
    assert [message["text"] for message in thread["replies"]] == ["reply", "reply to the reply"]
    assert thread["reply_count"] == 2


def test_a_fault_strikes_as_often_as_asked_and_only_its_method() -> None:
    faults = Faults()
    faults.add(Fault("chat.update", "server_error", times=2, skip=1))
    struck = [faults.next(method) is not None for method in ("chat.update", "chat.postMessage", *["chat.update"] * 3)]
    assert struck == [False, False, True, True, False]


def test_a_fault_without_an_end_stands_until_cleared() -> None:
    faults = Faults()
    faults.add(Fault("*", "fail_after", times=0))
    assert all(faults.next("chat.update") for _ in range(5))
    assert len(faults.standing()) == 1
    faults.clear()
    assert faults.next("chat.update") is None


def test_an_unknown_fault_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="fail_before"):
        Fault("chat.update", "explode")  # type: ignore[arg-type]  # what a control request may hold


def test_invalid_blocks_are_pointed_at() -> None:
    with pytest.raises(Refused) as caught:
        check_blocks([{"type": "divider"}, {"type": "section"}], "/blocks")
    assert caught.value.extra["errors"] == ["missing required field: text [json-pointer:/blocks/1]"]


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}, "between 0 and 10"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": ""}}, "more than 0"),
        ({"type": "section", "text": "bare"}, "must be a text object"),
        ({"type": "context", "elements": []}, "between 1 and 10"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "must be a text object of plain_text"),
        ({"type": "actions", "elements": [{"type": "button", "value": "x" * 2001}]}, "less than 2001"),
        ({"type": "divider", "block_id": "x" * 256}, "less than 256"),
    ],
)
def test_each_limit_of_a_block_has_its_own_message(block: dict[str, object], fault: str) -> None:
    with pytest.raises(Refused) as caught:
        check_blocks([block], "/blocks")
    assert any(fault in message for message in caught.value.extra["errors"])


def test_blocks_that_are_no_list_and_attachments_without_end_are_refused() -> None:
    with pytest.raises(Refused, match="invalid_blocks_format"):
        check_message({"text": "x", "blocks": {"type": "divider"}})
    with pytest.raises(Refused, match="too_many_attachments"):
        check_message({"text": "x", "attachments": [{}] * 101})
    with pytest.raises(Refused, match="metadata_too_large"):
        check_message({"text": "x", "metadata": {"event_type": "t", "event_payload": {"id": "x" * 9000}}})
