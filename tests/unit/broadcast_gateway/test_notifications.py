"""OpenRouter's own Notifications: let in by the token in the address, read whatever their shape, and nothing but a tip.

The shapes below are made up: no source states what the vendor's custom webhook sends.
"""

import json
from typing import Any

import pytest

from broadcast_gateway.notification import LONGEST, MOST_TEXTS, named
from governor.broadcast.messages import Pushed, digest_of
from tests.unit.broadcast_gateway.otlp import TOKEN, event
from tests.unit.broadcast_gateway.test_gateway import SECRET, Account, account, answer

__all__ = ["account"]
NOTIFICATIONS = "fake-notifications-token-" + "n" * 20
SHAPES: dict[str, Any] = {
    "flat": {"type": "workspace_budget", "workspace_id": "ws-1", "percentage": 80},
    "an envelope": {"event": {"id": "evt_1", "data": {"object": {"workspace": {"id": "ws-1", "name": "Production"}}}}},
    "a list": [{"alert": "workspace_budget"}, {"scope": ["ws-1"]}],
    "blocks, as Slack's": {"blocks": [{"type": "section", "text": {"text": "ws-1"}}]},
}


@pytest.fixture
def open_to_notifications(account: Account) -> Account:
    secret = json.dumps({"token": TOKEN, "notifications": NOTIFICATIONS})
    account.secrets.put_secret_value(SecretId=SECRET, SecretString=secret)
    return account


def notification(body: Any, token: str = NOTIFICATIONS, **changes: Any) -> dict[str, Any]:
    return event(body, token=None, rawPath=f"/notifications/{token}", **changes)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_notification_names_is_found_whatever_its_shape(open_to_notifications: Account, shape: str) -> None:
    assert answer(notification(SHAPES[shape])) == 200
    (record,) = open_to_notifications.records()
    assert digest_of("ws-1") in record.names
    assert record.usd == 0


@pytest.mark.parametrize("body", ["", "{}", "not JSON", "[" * 5_000, "7", '{"text": "' + "x" * 300 + '"}'])
def test_one_that_names_nothing_is_taken_so_that_openrouter_goes_on_sending(
    open_to_notifications: Account, body: str
) -> None:
    assert answer(notification(body, headers={"content-type": "text/plain"})) == 200
    assert open_to_notifications.records() == []


def test_neither_token_opens_the_others_way_in(open_to_notifications: Account) -> None:
    assert answer(notification(SHAPES["flat"], TOKEN)) == 401
    assert answer(event({"resourceSpans": []}, NOTIFICATIONS)) == 401
    assert answer(notification(SHAPES["flat"], "")) == 401
    assert answer(notification(SHAPES["flat"], NOTIFICATIONS + "/more")) == 401
    assert open_to_notifications.records() == []


def test_without_a_token_for_them_no_notification_is_taken_and_nothing_fails(account: Account) -> None:
    assert answer(notification(SHAPES["flat"])) == 401
    assert answer(notification(SHAPES["flat"], "undefined")) == 401
    assert account.records() == []


def test_a_notification_of_any_size_becomes_a_small_record_without_its_words() -> None:
    found = named(json.dumps([f"text {number}" for number in range(10_000)] + ["x" * (LONGEST + 1)]).encode())
    assert found is not None
    assert len(found) == MOST_TEXTS
    record = Pushed(names=found).encode()
    assert len(record) < 5_000
    assert b"text" not in record
    assert Pushed.decode(record) == Pushed(names=found)
