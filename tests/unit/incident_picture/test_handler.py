import json
from pathlib import Path
from typing import Any

import pytest

from governor.environment import SettingsError
from governor.events import BadEvent
from governor.policy import Policy
from governor.slack.channel import SlackUnavailable
from incident_picture import handler
from incident_picture.service import Postponed
from incident_picture.settings import NoChannel, PictureSettings, Wanted

SAMPLE = json.loads((Path(__file__).parents[3] / "events" / "incident_picture" / "wanted.json").read_text())


class Drawn:
    """An illustrator that ends as it is told."""

    def __init__(self, ends: Exception | str) -> None:
        self.ends, self.asked = ends, list[str]()

    def illustrate(self, incident: str) -> str:
        self.asked.append(incident)
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends


def test_the_sample_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Drawn("shown")
    monkeypatch.setattr(handler, "build", lambda: drawn)
    assert handler.lambda_handler(SAMPLE, None) == {"batchItemFailures": []}
    assert drawn.asked == ["runaway#prod-search-agent"]


@pytest.mark.parametrize("error", [Postponed("later"), SlackUnavailable("down"), RuntimeError("a bug")])
def test_what_fails_comes_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(handler, "build", lambda: Drawn(error))
    id = SAMPLE["Records"][0]["messageId"]
    assert handler.lambda_handler(SAMPLE, None) == {"batchItemFailures": [{"itemIdentifier": id}]}


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"incident": 3}', '{"incident": ""}', "null"])
def test_a_malformed_message_names_the_field(body: str) -> None:
    record: dict[str, Any] = {"messageId": "m", "body": body}
    with pytest.raises(BadEvent, match="body"):
        Wanted.received(record)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="SLACK_SECRET"):
        PictureSettings.read({"TABLE_NAME": "ledger"})


def test_a_policy_without_a_channel_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Policy, "load", lambda: Policy.model_validate({"version": 1}))
    for name in ("TABLE_NAME", "SLACK_SECRET"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(NoChannel, match="alerts"):
        handler.build()
