"""OpenAI's own client, with which most callers reach OpenRouter, chats with the simulator over HTTP."""

from collections.abc import Iterator

import openai
import pytest

from sandbox.openrouter import Simulator
from sandbox.openrouter.scripts import Script
from sandbox.openrouter.server import serve

HAIKU, GPT = "anthropic/claude-haiku-4.5", "openai/gpt-5.1"
MESSAGES = [{"role": "user", "content": "Are you there?"}]
REPLY = "Yes, I am here, and I say so in more than one chunk of the stream."


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator("sk-or-v1-fake-management", clock=lambda: 1_795_000_000.0)
    simulator.organization.scripts = [Script(REPLY, prompt="there")]
    return simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[openai.OpenAI]:
    _, plaintext = simulator.create_key("caller")
    with (
        serve(simulator.app, 0) as port,
        openai.OpenAI(base_url=f"http://localhost:{port}/api/v1", api_key=plaintext, max_retries=0) as client,
    ):
        yield client


def test_a_completion_is_read_with_what_it_cost(simulator, client):
    answer = client.chat.completions.create(model=HAIKU, messages=MESSAGES)
    assert answer.choices[0].message.content == REPLY
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.model_extra["cost"] == simulator.organization.meter.usage > 0


def test_a_stream_is_read_to_its_end_past_comments_with_the_usage_last(simulator, client):
    chunks = list(client.chat.completions.create(model=HAIKU, messages=MESSAGES, stream=True))
    assert "".join(each.choices[0].delta.content for each in chunks if each.choices) == REPLY
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.model_extra["cost"] == simulator.organization.meter.usage > 0


def test_an_error_midway_is_raised_after_the_text_before_it(simulator, client):
    simulator.organization.scripts = [Script(REPLY, breaks_after=45)]
    stream = iter(client.chat.completions.create(model=HAIKU, messages=MESSAGES, stream=True))
    read = [next(stream).choices[0].delta.content for _ in range(2)]
    assert "".join(read) == REPLY[:45]
    with pytest.raises(openai.APIError, match="disconnected"):
        next(stream)


@pytest.mark.parametrize(
    ("model", "error"), [("nobody/nothing", openai.BadRequestError), ("@preset/none", openai.NotFoundError)]
)
def test_a_refusal_is_the_clients_own_error(client, model, error):
    with pytest.raises(error):
        client.chat.completions.create(model=model, messages=MESSAGES)


def test_a_preset_serves_by_its_slug_and_beside_a_model(client):
    client.post("/presets/triage/chat/completions", body={"model": GPT, "messages": MESSAGES}, cast_to=object)
    assert client.chat.completions.create(model="@preset/triage", messages=MESSAGES).model == GPT
    assert client.chat.completions.create(model=f"{HAIKU}@preset/triage", messages=MESSAGES).model == HAIKU


def test_the_next_of_several_models_serves_when_the_first_ones_providers_fail(simulator, client):
    for provider in ("anthropic", "amazon-bedrock", "google-vertex"):
        simulator.trouble(provider=provider, status=503)
    answer = client.chat.completions.create(model=HAIKU, messages=MESSAGES, extra_body={"models": [GPT]})
    assert answer.model == GPT
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model=HAIKU, messages=MESSAGES)


def test_a_disabled_key_is_an_authentication_error_at_once(simulator, client):
    for key in simulator.organization.keys:
        key.disabled = True
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model=HAIKU, messages=MESSAGES)
