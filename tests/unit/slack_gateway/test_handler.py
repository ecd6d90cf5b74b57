"""The samples through the handler; what a cold start may cost, and what an import may not do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from governor.bare_environment import SettingsMissing
from slack_gateway import handler
from tests.unit.slack_gateway.signing import request

SAMPLES = sorted((Path(__file__).parents[3] / "events" / "slack_gateway").glob("*.json"))
QUEUED = {"base64": 1, "button": 1, "command": 1, "modal": 1, "ssl_check": 0}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_taken_and_one_character_less_is_not(path: Path, gateway: Any) -> None:
    event = json.loads(path.read_text())
    assert gateway.answer(event)["statusCode"] == 200
    assert len(gateway.queue.bodies) == QUEUED[path.stem]
    assert gateway.answer({**event, "body": event["body"][:-4]})["statusCode"] == 401
    assert len(gateway.queue.bodies) == QUEUED[path.stem]


def test_importing_the_handler_reads_no_environment_and_brings_nothing_that_it_does_not_need() -> None:
    heavy = ("pydantic", "httpx", "aws_lambda_powertools", "slack_sdk", "governor.policy", "governor.events")
    code = (
        "import os, sys\n"
        "os.environ.clear()\n"
        "import slack_gateway.handler\n"
        f"print(*(name for name in {heavy} if name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_a_missing_variable_is_an_error_of_ours_that_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    handler.build.cache_clear()
    monkeypatch.delenv("SLACK_SIGNING_SECRET", raising=False)
    monkeypatch.setattr("time.time", lambda: 1_773_197_040.0)
    with pytest.raises(SettingsMissing, match="SLACK_SIGNING_SECRET"):
        handler.build()
    assert handler.lambda_handler(request(), None) == {"statusCode": 500}
    assert "SettingsMissing" in caplog.text
