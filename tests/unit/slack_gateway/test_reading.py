"""Slack's payloads become one small message; whatever else is signed is a 4xx, and never an error of ours."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.slack.requests import SlackRequest
from slack_gateway.decide import Refused, Signed, admit
from slack_gateway.payloads import read
from tests.credentials import PASTED, core

USER = {"id": "U0LEAD", "name": "lead", "team_id": "T0SANDBOX"}
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": USER,
    "team": {"id": "T0SANDBOX"},
    "channel": {"id": "C0GOVERNOR"},
    "trigger_id": "1.2",
    "response_url": "https://hooks.slack.com/actions/1",
    "message": {"text": "long " * 1000},
    "actions": [{"action_id": "governor.approve", "value": '{"approval":"a1","digest":"d1"}'}],
}
MODAL: dict[str, Any] = {
    "type": "view_submission",
    "user": USER,
    "team": {"id": "T0SANDBOX"},
    "view": {
        "callback_id": "governor.reject",
        "private_metadata": '{"approval":"a1","digest":"d1","channel":"C0GOVERNOR"}',
        "state": {"values": {"why": {"reason": {"type": "plain_text_input", "value": " It still loops. "}}}},
    },
}


def _read(payload: Any) -> SlackRequest | None:
    return read(Signed(urlencode({"payload": json.dumps(payload)}).encode(), "1773197040", "v0=0"))


def test_a_click_is_who_where_which_button_and_its_value() -> None:
    click = _read(CLICK)
    assert click is not None
    assert (click.user, click.team, click.user_team, click.channel) == (
        "U0LEAD",
        "T0SANDBOX",
        "T0SANDBOX",
        "C0GOVERNOR",
    )
    assert (click.kind, click.action, click.value) == ("button", "approve", {"approval": "a1", "digest": "d1"})
    assert (click.response_url, click.trigger_id) == ("https://hooks.slack.com/actions/1", "1.2")
    assert "long" not in click.encode()


def test_a_modal_is_what_it_was_about_and_what_was_typed() -> None:
    modal = _read(MODAL)
    assert modal is not None
    assert (modal.kind, modal.action, modal.channel) == ("modal", "reject", "C0GOVERNOR")
    assert modal.value == {"approval": "a1", "digest": "d1", "channel": "C0GOVERNOR", "reason": "It still loops."}


@pytest.mark.parametrize("kind", PASTED)
def test_what_people_paste_is_taken_out_where_it_comes_in(kind: str) -> None:
    pasted = PASTED[kind]
    form = {
        "command": "/governor", "text": f"restore {pasted}", "user_id": "U0LEAD", "team_id": "T0SANDBOX",
        "channel_id": "C0GOVERNOR", "trigger_id": "1.2", "response_url": "https://hooks.slack.com/commands/1",
    }  # fmt: skip
    command = read(Signed(urlencode(form).encode(), "1773197040", "v0=0"))
    said = {"why": {"reason": {"type": "plain_text_input", "value": pasted}}}
    modal = _read({**MODAL, "view": {**MODAL["view"], "state": {"values": said}}})

    for request in (command, modal):
        assert request is not None
        assert core(pasted) not in request.encode()


def test_a_person_whose_team_is_not_named_is_of_none() -> None:
    click = _read({**CLICK, "user": {"id": "U0LEAD"}})
    assert click is not None
    assert click.user_team == ""


ORGANIZATION = {"enterprise": {"id": "E0ORG", "name": "Org"}, "is_enterprise_install": True, "team": None}
"""Of an app that is installed in a whole organization: https://github.com/slackapi/bolt-python/pull/23."""


@pytest.mark.parametrize("payload", [CLICK, MODAL])
@pytest.mark.parametrize(
    ("said", "team", "enterprise"),
    [
        ({}, "T0SANDBOX", ""),
        ({"enterprise": None, "is_enterprise_install": False}, "T0SANDBOX", ""),
        (ORGANIZATION, "", "E0ORG"),
        ({"team": {"id": "T0ONE", "enterprise_id": "E0ORG"}}, "T0ONE", "E0ORG"),
        ({"team": {"id": "T0ONE"}, "enterprise": {"id": "E0ORG"}}, "T0ONE", "E0ORG"),
    ],
)
def test_where_it_was_done_is_the_apps_workspace_and_its_organization(
    payload: dict[str, Any], said: dict[str, Any], team: str, enterprise: str
) -> None:
    found = _read({**payload, **said})
    assert found is not None
    assert (found.team, found.enterprise, found.user_team) == (team, enterprise, "T0SANDBOX")


def test_a_modal_names_the_workspace_of_the_app_beside_that_of_whoever_submits_it() -> None:
    """https://github.com/slackapi/bolt-js/issues/1614"""
    view = {**MODAL["view"], "app_installed_team_id": "T0SANDBOX"}
    user = {"id": "U0STRANGER", "team_id": "T0ELSEWHERE"}
    modal = _read({**MODAL, "view": view, "team": {"id": "T0ELSEWHERE"}, "user": user})
    assert modal is not None
    assert (modal.team, modal.user_team) == ("T0SANDBOX", "T0ELSEWHERE")


def test_a_command_names_the_organization_where_there_is_one() -> None:
    form = {
        "team_id": "T0ONE", "enterprise_id": "E0ORG", "user_id": "U0LEAD", "channel_id": "C0", "command": "/governor",
        "text": "help", "response_url": "https://hooks.slack.com/commands/1", "is_enterprise_install": "true",
    }  # fmt: skip
    found = read(Signed(urlencode(form).encode(), "1773197040", "v0=0"))
    assert found is not None
    assert (found.team, found.user_team, found.enterprise) == ("T0ONE", "T0ONE", "E0ORG")


@pytest.mark.parametrize(
    "payload",
    [
        {**CLICK, "actions": [{"action_id": "other.button", "value": "x"}]},
        {**MODAL, "view": {**MODAL["view"], "callback_id": "other"}},
        *(
            {**CLICK, **MODAL, "type": kind}
            for kind in (
                "shortcut",
                "message_action",
                "view_closed",
                "block_suggestion",
                "interactive_message",
                "dialog_submission",
                "workflow_step_edit",
            )
        ),
    ],
)
def test_what_is_not_ours_is_answered_and_dropped(payload: dict[str, Any]) -> None:
    assert _read(payload) is None


@pytest.mark.parametrize(
    "payload",
    [
        {**CLICK, "actions": []},
        {**CLICK, "actions": [{"action_id": "governor.approve", "value": "[]"}]},
        {**CLICK, "actions": [{"action_id": "governor.approve", "value": '{"a": 1}'}]},
        {**CLICK, "actions": [{"action_id": "governor.approve"}]},
        {**CLICK, "actions": [{"action_id": "governor.approve", "value": json.dumps({"a": "x" * 3000})}]},
        {**CLICK, "user": None},
        {**CLICK, "team": None},
        {**CLICK, "team": None, "enterprise": {"id": ""}},
        {**MODAL, "team": {}, "enterprise": "E0ORG"},
        {**CLICK, "response_url": ""},
        [],
        "block_actions",
    ],
)
def test_what_slack_would_not_send_is_a_bad_request(payload: Any) -> None:
    with pytest.raises(Refused) as caught:
        _read(payload)
    assert caught.value.status == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _status(ask: Callable[[], Any]) -> tuple[int, Any]:
    try:
        return 200, ask()
    except Refused as refused:
        return refused.status, None


def _holds(body: bytes) -> None:
    """A message that the desk can read back, nothing, or a 4xx."""
    status, found = _status(lambda: read(Signed(body, "1773197040", "v0=0")))
    assert 400 <= status < 500 or found is None or SlackRequest.decode(found.encode()) == found


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_a_message_nothing_or_a_4xx(body: bytes) -> None:
    _holds(body)


@given(st.sampled_from([CLICK, MODAL]), st.lists(st.text(), max_size=3), json_values)
def test_any_member_of_a_payload_may_be_anything(payload: dict[str, Any], path: list[str], value: Any) -> None:
    changed = json.loads(json.dumps(payload))
    place, names = changed, list(changed)
    key = names[len("".join(path)) % len(names)]
    while isinstance(place[key], dict) and place[key] and len(path) > 1:
        place, path = place[key], path[1:]
        key = list(place)[len(path[0]) % len(place)]
    place[key] = value
    _holds(urlencode({"payload": json.dumps(changed)}).encode())


@given(
    st.dictionaries(st.sampled_from(["command", "text", "user_id", "team_id", "channel_id", "response_url"]), st.text())
)
def test_any_form_at_all_is_a_message_nothing_or_a_4xx(form: dict[str, str]) -> None:
    _holds(urlencode(form).encode())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "body": json_values,
            "headers": json_values | st.dictionaries(st.sampled_from(["content-type", "x-slack-signature"]), st.text()),
            "rawPath": json_values,
            "requestContext": json_values,
            "isBase64Encoded": json_values,
        },
    )
)
def test_any_event_at_all_is_admitted_or_a_4xx(event: dict[str, Any]) -> None:
    status, _ = _status(lambda: admit(event, 1773197040.0))
    assert status == 200 or 400 <= status < 500


def test_a_body_nested_beyond_all_measure_is_a_bad_request() -> None:
    with pytest.raises(Refused):
        read(Signed(urlencode({"payload": "[" * 200_000}).encode(), "1", "v0=0"))
