"""A message of the queue becomes one signed POST; what it is not, or what was not taken, is an error that names it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from governor.environment import SettingsError
from governor.events import BadEvent
from governor.secrets import SecretMalformed, secret_field
from tests.unit.webhook_sender.test_signing import NOW, secret
from webhook_sender import handler
from webhook_sender.decide import SecretUnusable
from webhook_sender.service import NotTaken, Sender
from webhook_sender.settings import MAX_BYTES, Delivery, WebhookSettings

SAMPLE = json.loads((Path(__file__).parents[3] / "events" / "webhook_sender" / "happened.json").read_text())
(RECORD,) = SAMPLE["Records"]
EVENT = json.loads(RECORD["body"])


class Outside:
    """A receiver that answers as it is told."""

    host = "receiver.example"

    def __init__(self, status: int) -> None:
        self.status, self.posts = status, list[tuple[bytes, dict[str, str]]]()

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        self.posts.append((body, headers))
        return self.status


class Held:
    """`Secrets` of one secret's text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def field(self, name: str, field: str, *, fresh: bool = False) -> SecretStr:
        return secret_field(name, self.text, field)


def sender(outside: Outside) -> Sender:
    return Sender(outside, lambda: [secret(b"a")], lambda: NOW)


def message(**changes: Any) -> dict[str, Any]:
    return {**RECORD, "body": json.dumps({**EVENT, **changes})}


def test_the_sample_is_posted_as_it_is_on_the_bus_under_the_events_own_id(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = Outside(204)
    monkeypatch.setattr(handler, "build", lambda: sender(outside))
    assert handler.lambda_handler(SAMPLE, None) == {"batchItemFailures": []}
    ((body, headers),) = outside.posts
    assert body.decode() == RECORD["body"], "not one character is another"
    assert headers["webhook-id"] == EVENT["detail"]["id"]


def test_what_is_not_taken_raises_and_names_event_host_and_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "build", lambda: sender(Outside(503)))
    with pytest.raises(NotTaken, match=f"event {EVENT['detail']['id']}: receiver.example answered 503"):
        handler.lambda_handler(SAMPLE, None)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"body": "no JSON"}, "no event of the bus"),
        ({"body": "[" * 100_000}, "no event of the bus"),
        ({"body": "null"}, "not one of Governor's events"),
        (message(source="operator"), "source: 'operator'"),
        (message(source=None), "source: None"),
        ({"body": json.dumps({name: value for name, value in EVENT.items() if name != "source"})}, "source: None"),
        (message(**{"detail-type": "Key Exploded"}), "not one of Governor's events"),
        (message(detail={**EVENT["detail"], "id": "a.b"}), r"detail\.id"),
        (message(detail={**EVENT["detail"], "id": "a\r\nx-forged: 1"}), r"detail\.id"),
        (message(detail={**EVENT["detail"], "id": "a" * 201}), r"detail\.id"),
    ],
)
def test_what_is_no_event_of_governors_is_not_signed(record: dict[str, Any], says: str) -> None:
    with pytest.raises(BadEvent, match=says):
        Delivery.received(record)


def test_a_body_has_a_bound_in_bytes() -> None:
    rest = MAX_BYTES - len(json.dumps({**EVENT, "resources": [""]}).encode())
    assert len(Delivery.received(message(resources=["x" * rest])).body) == MAX_BYTES
    with pytest.raises(BadEvent, match=f"{MAX_BYTES + 1} bytes"):
        Delivery.received(message(resources=["x" * (rest + 1)]))
    wide = json.dumps({**EVENT, "resources": ["ü" * (rest - 1)]}, ensure_ascii=False)
    with pytest.raises(BadEvent, match="bytes"):
        Delivery.received({"body": wide})


def test_a_secret_may_have_a_previous_one_beside_it() -> None:
    one, other = (secret(seed).get_secret_value() for seed in (b"a", b"b"))
    held = [one.get_secret_value() for one in handler.secrets_of(Held(json.dumps({"secret": one})), "s")]
    assert held == [one]
    both = handler.secrets_of(Held(json.dumps({"secret": one, "previous": other, "token": "old"})), "s")
    assert [each.get_secret_value() for each in both] == [one, other]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{}", SecretMalformed),
        ('{"token": "fake"}', SecretMalformed),
        ("[]", SecretMalformed),
        ('{"secret": "fake"}', SecretUnusable),
        (json.dumps({"secret": secret(b"a").get_secret_value(), "previous": ""}), SecretMalformed),
        (json.dumps({"secret": secret(b"a").get_secret_value(), "previous": "fake"}), SecretUnusable),
    ],
)
def test_a_secret_that_is_none_is_an_error_also_where_only_the_previous_one_is(
    text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        handler.secrets_of(Held(text), "governor/webhook")


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_URL"):
        WebhookSettings.read({"WEBHOOK_SECRET": "governor/webhook"})
