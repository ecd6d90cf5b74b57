"""The samples through the handler, and its settings."""

import json
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
