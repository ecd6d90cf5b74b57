"""LiteLLM, through which many callers reach OpenRouter, chats with the simulator over HTTP."""

import pytest

from tests.contract.litellm_client.conftest import GPT, HAIKU, REPLY


def test_a_completion_is_read_with_its_tokens_and_its_cost(read):
    whole = read["whole"]
    assert (whole["text"], whole["model"].removeprefix("openrouter/")) == (REPLY, HAIKU)
    assert whole["tokens"] > 0
    assert whole["cost"] > 0


def test_a_stream_is_read_to_its_end_past_comments_with_the_usage_last(read):
    stream = read["stream"]
    assert (stream["text"], stream["finish"]) == (REPLY, "stop")
    assert stream["tokens"] == read["whole"]["tokens"]


def test_a_stream_that_breaks_off_is_an_error_after_the_text_before_it(read):
    assert read["broken"]["text"] == REPLY[:45]
    assert "error" in read["broken"]


@pytest.mark.parametrize(
    ("request_", "error", "status"),
    [
        ("unknown model", "BadRequestError", 400),
        ("unknown preset", "NotFoundError", 404),
        ("disabled", "AuthenticationError", 401),
        ("limited", "APIError", 403),
    ],
)
def test_a_refusal_is_the_clients_own_error_with_its_status(read, request_, error, status):
    assert (read[request_]["error"], read[request_]["status"]) == (error, status)


def test_a_preset_serves_by_its_slug(read):
    assert read["preset"]["model"].removeprefix("openrouter/") == GPT


def test_the_next_of_several_models_serves_when_the_first_ones_providers_fail(read):
    assert read["fallback"]["model"].removeprefix("openrouter/") == GPT
