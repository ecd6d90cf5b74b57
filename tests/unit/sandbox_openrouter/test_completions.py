"""Chat completions as clients send them: streamed, shaped, by preset, with models to fall back to."""

import json

import pytest

from sandbox.openrouter.scripts import Script

HAIKU, GPT, MISTRAL = "anthropic/claude-haiku-4.5", "openai/gpt-5.1", "mistralai/mistral-large-2411"


@pytest.fixture
def caller(simulator):
    return simulator.create_key("caller")


def streamed(answer):
    """The comments, the chunks, and how the stream ended."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    parts = [each for each in answer.text.split("\n\n") if each]
    data = [each.removeprefix("data: ") for each in parts if not each.startswith(":")]
    return [each for each in parts if each.startswith(":")], [json.loads(each) for each in data[:-1]], data[-1]


def text_of(chunks):
    return "".join(choice["delta"]["content"] for chunk in chunks for choice in chunk["choices"])


def test_a_stream_holds_the_reply_in_pieces_and_the_usage_in_its_last_chunk(simulator, api, caller):
    simulator.organization.scripts = [Script("word " * 40)]
    answer = api.chat(caller[1], model=HAIKU, stream=True)
    comments, chunks, end = streamed(answer)
    assert (comments, end) == ([": OPENROUTER PROCESSING"], "[DONE]")
    assert text_of(chunks) == ("word " * 40).strip()
    reasons = [each["choices"][0]["finish_reason"] for each in chunks[:-1]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["cost"] == caller[0].meter.usage > 0
    assert {each["id"] for each in chunks} == {answer.headers["x-generation-id"]}
    assert api.get(f"/generation?id={chunks[0]['id']}").json()["data"]["streamed"] is True


def test_a_provider_that_breaks_off_is_told_within_the_stream(simulator, api, caller):
    simulator.organization.scripts = [Script("word " * 40, breaks_after=50)]
    _, chunks, _ = streamed(api.chat(caller[1], model=HAIKU, stream=True))
    assert text_of(chunks) == ("word " * 40)[:50]
    last = chunks[-1]
    assert (last["error"]["code"], last["choices"][0]["finish_reason"]) == (502, "error")
    assert not any("usage" in each for each in chunks)


def test_a_request_that_is_refused_is_not_streamed(api, caller):
    answer = api.chat(caller[1], model="nobody/nothing", stream=True)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")


def test_the_first_of_several_models_that_serves_is_answered_and_charged(simulator, api, caller):
    simulator.trouble(provider="anthropic", status=503)
    simulator.trouble(provider="amazon-bedrock", status=503)
    simulator.trouble(provider="google-vertex", status=503)
    assert api.chat(caller[1], model=HAIKU).status_code == 503
    answer = api.chat(caller[1], model=HAIKU, models=[GPT, MISTRAL]).json()
    assert answer["model"] == GPT
    assert api.chat(caller[1], model=HAIKU, models=[HAIKU]).status_code == 503


def test_a_model_that_does_not_exist_is_a_400_wherever_it_stands(api, caller):
    assert api.chat(caller[1], model=HAIKU, models=["nobody/nothing"]).status_code == 400


def test_a_preset_may_be_named_in_a_field_of_its_own(api, caller):
    api.post(
        "/presets/triage/chat/completions",
        {"model": GPT, "messages": [{"role": "user", "content": "x"}]},
        key=caller[1],
    )
    body = {"messages": [{"role": "user", "content": "hi"}], "preset": "triage"}
    assert api.post("/chat/completions", body, key=caller[1]).json()["model"] == GPT
    assert api.post("/chat/completions", {**body, "model": HAIKU}, key=caller[1]).json()["model"] == HAIKU
    assert api.post("/chat/completions", {**body, "preset": "none"}, key=caller[1]).status_code == 404
    assert api.post("/chat/completions", {"messages": body["messages"]}, key=caller[1]).status_code == 400


def test_a_reply_has_the_shape_that_was_asked_for(api, caller):
    schema = {
        "type": "object",
        "properties": {
            "severity": {"enum": ["low", "high"]},
            "score": {"type": "integer", "minimum": 3},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "minItems": 2},
            "sure": {"type": ["boolean", "null"]},
        },
    }
    asked = {"type": "json_schema", "json_schema": {"name": "triage", "schema": schema}}
    reply = api.chat(caller[1], model=HAIKU, response_format=asked).json()["choices"][0]["message"]["content"]
    assert json.loads(reply) == {"severity": "low", "score": 3, "tags": ["simu", "simu"], "sure": True}
    reply = api.chat(caller[1], model=HAIKU, response_format={"type": "json_object"}).json()["choices"][0]["message"]
    assert isinstance(json.loads(reply["content"]), dict)
    assert api.chat(caller[1], model=HAIKU, response_format={"type": "json_schema"}).status_code == 400
