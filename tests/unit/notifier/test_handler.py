import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governor.aws import AWS, AWS_ONCE
from governor.environment import SettingsError
from governor.slack.memory import MemorySlack
from governor.work_queue import SendFailed
from notifier import handler
from notifier.service import Notifier
from notifier.settings import NotifierSettings
from tests.unit.notifier.conftest import Trusting

SAMPLES = sorted((Path(__file__).parents[3] / "events" / "notifier").glob("*.json"))


@dataclass
class Context:
    """The one thing the handler asks of Lambda's context."""

    left: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


class Asked:
    """The queue of pictures."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.refuses = False

    def send(self, bodies: Sequence[str]) -> None:
        if self.refuses:
            raise SendFailed("refused")
        self.bodies += bodies


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, notifier: Notifier) -> list[str]:
    """What the queue of pictures was given."""
    queue = Asked()
    monkeypatch.setattr(handler, "build", lambda: (notifier, queue))
    return queue.bodies


def _records(*names: str) -> dict[str, Any]:
    samples = {sample.stem: json.loads(sample.read_text())["Records"][0] for sample in SAMPLES}
    return {"Records": [samples[name] for name in names]}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_told_in_slack(path: Path, slack: MemorySlack) -> None:
    assert handler.lambda_handler(json.loads(path.read_text()), Context()) == {"batchItemFailures": []}
    assert len(slack.said) == 1


@pytest.mark.parametrize(
    "body", ["not json", "[]", '{"detail-type": "Weather Changed"}', '{"detail": {}}', "[" * 200_000]
)
def test_a_malformed_record_fails_alone_and_says_so_in_the_log(
    body: str, slack: MemorySlack, capsys: pytest.CaptureFixture[str]
) -> None:
    event = _records("key_disabled", "monitor_blind")
    event["Records"][0]["body"] = body
    answer = handler.lambda_handler(event, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    assert len(slack.said) == 1


def test_with_too_little_time_left_every_record_comes_again(slack: MemorySlack) -> None:
    event = _records("key_disabled", "monitor_blind")
    answer = handler.lambda_handler(event, Context(left=1_000))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
        record["messageId"] for record in event["Records"]
    ]
    assert slack.said == []


def test_settings_name_the_variable_that_is_missing() -> None:
    with pytest.raises(SettingsError, match="ALERT_TOPIC_ARN"):
        NotifierSettings.read({"TABLE_NAME": "ledger"})
    named = {"TABLE_NAME": "t", "DECISIONS_TABLE_NAME": "d", "EVENT_BUS_NAME": "b", "ALERT_TOPIC_ARN": "arn:aws:sns:x"}
    settings = NotifierSettings.read({**named, "SLACK_SECRET": ""})
    assert (settings.slack_secret, settings.slack_api_url) == (None, "https://slack.com/api/")


def test_a_hanging_service_leaves_the_others_time() -> None:
    configs: tuple[Any, ...] = (AWS, AWS_ONCE)
    for config in configs:
        longest = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
        assert longest <= handler.ENOUGH_MILLISECONDS / 1000


def test_importing_the_handler_reads_no_environment(
    monkeypatch: pytest.MonkeyPatch, sample: Callable[..., Any]
) -> None:
    import importlib

    for name in ("TABLE_NAME", "ALERT_TOPIC_ARN", "SLACK_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert importlib.reload(handler).lambda_handler


def test_a_picture_of_each_incident_is_asked_for_once_and_again_when_its_event_comes_again(asked: list[str]) -> None:
    event = _records("runaway_suspected", "runaway_confirmed", "monitor_blind", "budget_threshold_reached")
    handler.lambda_handler(event, Context())
    incidents = [json.loads(one)["incident"] for one in asked]
    assert [one.partition("#")[0] for one in incidents] == ["runaway", "budget"]
    handler.lambda_handler(_records("runaway_confirmed"), Context())
    assert json.loads(asked[-1])["incident"] == incidents[0], "a crash may have come before the first request"


def test_what_nobody_confirms_gets_no_picture(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trusting, "notify", Trusting.hear)
    forged = _records("key_disabled")
    body = json.loads(forged["Records"][0]["body"])
    body["detail"]["id"] = "made-up"
    forged["Records"][0]["body"] = json.dumps(body)
    handler.lambda_handler(forged, Context())
    assert asked == []


def test_people_are_told_although_no_picture_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, notifier: Notifier, slack: MemorySlack, caplog: pytest.LogCaptureFixture
) -> None:
    queue = Asked()
    queue.refuses = True
    monkeypatch.setattr(handler, "build", lambda: (notifier, queue))
    assert handler.lambda_handler(_records("key_disabled"), Context()) == {"batchItemFailures": []}
    assert len(slack.said) == 1
    assert "the text stands" in caplog.text
