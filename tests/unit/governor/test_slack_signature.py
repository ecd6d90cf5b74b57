"""The signing secret is read when it must be and no oftener, and a replaced one works without a deploy."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from slack_sdk.signature import SignatureVerifier

from governor.slack.signature import SigningSecretUnavailable, SlackSignature

BODY = b"command=%2Fgovernor"


class Secrets:
    """Secrets Manager with one secret; `reads` counts."""

    def __init__(self, text: str) -> None:
        self.text, self.reads, self.down = text, 0, False

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        self.reads += 1
        if self.down:
            raise ClientError({"Error": {"Code": "InternalServiceError"}}, "GetSecretValue")
        return {"SecretString": self.text}


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_773_197_040.0
        self.secrets = Secrets(json.dumps({"signing_secret": "first"}))
        monkeypatch.setattr("slack_sdk.signature.Clock.now", lambda _: self.now)
        self.signature = SlackSignature(self.secrets, "governor/slack-signing", lambda: self.now)  # type: ignore[arg-type]

    def rotate(self, secret: str) -> None:
        self.secrets.text = json.dumps({"signing_secret": secret})

    def signed_with(self, secret: str) -> bool:
        timestamp = str(int(self.now))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=BODY)
        return self.signature.is_valid(BODY, timestamp, str(signature))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_the_secret_is_read_once_for_many_requests_and_again_after_five_minutes(scene: Scene) -> None:
    for _ in range(20):
        assert scene.signed_with("first")
    assert scene.secrets.reads == 1
    scene.now += 300
    assert scene.signed_with("first")
    assert scene.secrets.reads == 2


def test_a_replaced_secret_is_used_within_a_minute_and_the_old_one_no_longer(scene: Scene) -> None:
    assert scene.signed_with("first")
    scene.rotate("second")
    scene.now += 60
    assert scene.signed_with("second")
    assert not scene.signed_with("first")


def test_forgers_cause_one_read_a_minute_however_many_they_are(scene: Scene) -> None:
    for _ in range(120):
        scene.now += 1
        assert not scene.signed_with("forged")
    assert scene.secrets.reads <= 3


def test_forgers_cause_one_read_a_second_at_most_while_the_secret_cannot_be_read(scene: Scene) -> None:
    scene.secrets.down = True
    for _ in range(50):
        scene.now += 0.1
        with pytest.raises(SigningSecretUnavailable):
            scene.signed_with("forged")
    assert scene.secrets.reads <= 6
    scene.secrets.down = False
    scene.now += 1
    assert scene.signed_with("first")


def test_a_secret_that_cannot_be_read_again_stops_nothing_while_the_one_held_fits(scene: Scene) -> None:
    assert scene.signed_with("first")
    scene.secrets.down = True
    for _ in range(100):
        scene.now += 10
        assert scene.signed_with("first")
        assert not scene.signed_with("forged")


BOTH = '{"bot_token": "xoxb-fake", "signing_secret": "first"}'


@pytest.mark.parametrize(
    "text", ["not json", "[]", '{"bot_token": "xoxb-fake"}', '{"signing_secret": ""}', '{"signing_secret": 1}', BOTH]
)
def test_a_secret_of_another_shape_is_named_and_never_shown(scene: Scene, text: str) -> None:
    scene.secrets.text = text
    with pytest.raises(SigningSecretUnavailable, match="governor/slack-signing") as caught:
        scene.signed_with("first")
    assert "xoxb-fake" not in str(caught.value)
    assert 'store {"signing_secret": "..."} in it, and nothing else' in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_request_older_than_five_minutes_is_not_valid_even_with_the_right_secret(scene: Scene) -> None:
    timestamp = str(int(scene.now) - 301)
    signature = SignatureVerifier("first").generate_signature(timestamp=timestamp, body=BODY)
    assert not scene.signature.is_valid(BODY, timestamp, str(signature))
