import traceback

import pytest

from governor.secrets import SecretMalformed, secret_field

PLAINTEXT = "sk-or-v1-fake-plaintext"


def test_a_field_is_handed_out_redacted() -> None:
    value = secret_field("openrouter/a", f'{{"api_key": "{PLAINTEXT}"}}', "api_key")
    assert value.get_secret_value() == PLAINTEXT
    assert PLAINTEXT not in repr(value) + str(value)


@pytest.mark.parametrize(
    "text", [PLAINTEXT, f'["{PLAINTEXT}"]', f'{{"key": "{PLAINTEXT}"}}', f'{{"api_key": ["{PLAINTEXT}"]}}', "{}", ""]
)
def test_a_malformed_secret_is_named_and_its_value_is_nowhere_in_the_error(text: str) -> None:
    with pytest.raises(SecretMalformed, match="secret openrouter/a") as caught:
        secret_field("openrouter/a", text, "api_key")
    assert caught.value.__cause__ is None
    printed = "".join(traceback.format_exception(caught.value))
    assert PLAINTEXT not in printed.replace(traceback.format_stack()[-1], "")
