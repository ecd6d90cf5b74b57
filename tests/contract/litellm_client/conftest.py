"""LiteLLM's environment, made from its locked requirements once, and what it read of the simulator."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.openrouter import Simulator
from sandbox.openrouter.scripts import Script
from sandbox.openrouter.server import serve
from tests.environments import BUILD, python_of

HERE = Path(__file__).parent
HAIKU, GPT = "anthropic/claude-haiku-4.5", "openai/gpt-5.1"
REPLY = "Yes, I am here, and I say so in more than one chunk of the stream."
REQUESTS: dict[str, dict[str, Any]] = {
    "whole": {"text": "there?"},
    "stream": {"text": "there?", "stream": True, "stream_options": {"include_usage": True}},
    "broken": {"text": "break off", "stream": True},
    "unknown model": {"model": "nobody/nothing"},
    "unknown preset": {"model": "@preset/none"},
    "preset": {"model": "@preset/triage"},
    "fallback": {"model": "google/gemini-2.5-pro", "extra_body": {"models": [GPT]}},
    "disabled": {"key": "disabled"},
    "limited": {"key": "limited"},
}


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    simulator = Simulator("sk-or-v1-fake-management", clock=lambda: 1_795_000_000.0)
    simulator.organization.scripts = [Script(REPLY, prompt="there"), Script(REPLY, prompt="break", breaks_after=45)]
    return simulator


@pytest.fixture(scope="module")
def read(simulator: Simulator) -> dict[str, dict[str, Any]]:
    """What LiteLLM made of each request, by its name in `REQUESTS`."""
    keys = {name: simulator.create_key(name)[1] for name in ("caller", "disabled")}
    keys["limited"] = simulator.create_key("limited", limit=0.0)[1]
    next(key for key in simulator.organization.keys if key.name == "disabled").disabled = True
    organization = simulator.organization
    organization.add_preset_version(None, "triage", None, {"model": GPT})
    for provider in ("google-vertex", "google-ai-studio"):
        simulator.trouble(provider=provider, status=503)
    with serve(simulator.app, 0) as port:
        asked = {name: _arguments(request, port, keys) for name, request in REQUESTS.items()}
        done = subprocess.run(
            [str(python_of("litellm", HERE / "requirements.txt")), str(HERE / "chatting.py")],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.environ["PATH"], "HOME": str(BUILD)},
        )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _arguments(request: dict[str, Any], port: int, keys: dict[str, str]) -> dict[str, Any]:
    request = {"model": HAIKU, "text": "hi", "key": "caller", **request}
    return {
        "model": f"openrouter/{request.pop('model')}",
        "messages": [{"role": "user", "content": request.pop("text")}],
        "api_base": f"http://localhost:{port}/api/v1",
        "api_key": keys[request.pop("key")],
        **request,
    }
