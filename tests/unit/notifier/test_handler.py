import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governor.aws import AWS, AWS_ONCE
from governor.environment import SettingsError
from governor.slack_memory import MemorySlack
from notifier import handler
from notifier.service import Notifier
from notifier.settings import NotifierSettings

SAMPLES = sorted((Path(__file__).parents[3] / "events" / "notifier").glob("*.json"))


@dataclass
class Context:
    """The one thing the handler asks of Lambda's context."""

    left: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@pytest.fixture(autouse=True)
def _wired(monkeypatch: pytest.MonkeyPatch, notifier: Notifier) -> None:
    monkeypatch.setattr(handler, "build", lambda: notifier)


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
