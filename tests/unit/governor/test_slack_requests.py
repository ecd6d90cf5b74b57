"""What the gateway writes, the desk reads; what somebody else wrote is refused by name."""

import json

import pytest

from governor.slack.requests import BadSlackRequest, SlackRequest

CLICK = SlackRequest(
    "i1", 1773197040, "button", "U0LEAD", "T0", "T0", "C0", "", "approve", {"approval": "a"}, "url", "t"
)


def test_what_was_written_is_read() -> None:
    assert SlackRequest.decode(CLICK.encode()) == CLICK


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "shout"}, "kind"),
        ({"at": "now"}, "at"),
        ({"value": {"a": 1}}, "value"),
        ({"user": None}, "user"),
        ({"extra": "x"}, "extra"),
    ],
)
def test_another_shape_is_refused_by_name(change: dict[str, object], named: str) -> None:
    with pytest.raises(BadSlackRequest, match=named):
        SlackRequest.decode(json.dumps({**json.loads(CLICK.encode()), **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 200_000, '{"value":' * 200_000])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(BadSlackRequest):
        SlackRequest.decode(text)
