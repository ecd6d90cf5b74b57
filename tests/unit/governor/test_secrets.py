import json
import traceback

import pytest

from governor.secrets import SecretMalformed, secret_field

PLAINTEXT = "sk-or-v1-fake-plaintext"
DEEP = "[" * 200_000
"""More nesting than Python's parser follows."""


def test_a_field_is_handed_out_redacted() -> None:
    value = secret_field("openrouter/a", f'{{"api_key": "{PLAINTEXT}"}}', "api_key")
    assert value.get_secret_value() == PLAINTEXT
    assert PLAINTEXT not in repr(value) + str(value)


@pytest.mark.parametrize(
    "text",
    [
        PLAINTEXT,
        f'["{PLAINTEXT}"]',
        f'{{"key": "{PLAINTEXT}"}}',
        f'{{"api_key": ["{PLAINTEXT}"]}}',
        "{}",
        "",
        DEEP,
    ],
)
def test_a_malformed_secret_is_named_and_its_value_is_nowhere_in_the_error(text: str) -> None:
    with pytest.raises(SecretMalformed, match="secret openrouter/a") as caught:
        secret_field("openrouter/a", text, "api_key")
    assert caught.value.__cause__ is None
    printed = "".join(traceback.format_exception(caught.value))
    assert PLAINTEXT not in printed.replace(traceback.format_stack()[-1], "")


def test_a_signing_secret_beside_the_bot_token_is_warned_of_and_stops_no_alert(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = json.dumps({"bot_token": "xoxb-fake", "signing_secret": "fake-signing-secret"})
    assert secret_field("governor/slack", text, "bot_token").get_secret_value() == "xoxb-fake"
    (record,) = caplog.records
    assert "governor/slack still holds signing_secret" in record.getMessage()
    assert "fake-signing-secret" not in caplog.text
