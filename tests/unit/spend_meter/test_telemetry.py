"""A run's metrics and log line: few, and without secrets."""

import json
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from spend_meter.service import Report
from spend_meter.settings import Tick
from spend_meter.telemetry import Telemetry

NOW = datetime(2026, 11, 16, 12, 5, tzinfo=UTC)
TICK = Tick(NOW, NOW)


def tell(
    capsys: pytest.CaptureFixture[str], report: Report, tick: Tick = TICK
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the log line, the metrics)"""
    # Loggers of one name share their first stream.
    Telemetry(Logger(service=f"test-{uuid4()}", stream=sys.stdout)).tell(tick, report)
    line, *metrics = map(json.loads, capsys.readouterr().out.splitlines())
    return line, metrics[0] if metrics else {}


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The namespace is the stack's: two stacks of one account must not feed each other's alarms."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "governor-dev")


def test_the_metrics_are_few_and_bear_one_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    _, metrics = tell(capsys, Report("metered", keys_read=48, spend_usd=1.5, oldest_reading_seconds=120))

    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "governor-dev"
    assert directive["Dimensions"] == [["service"]]
    assert {metric["Name"] for metric in directive["Metrics"]} == {
        "SweepAgeSeconds", "SpendUSD", "KeysRead", "UnknownWorkspaces", "ApiErrors",
    }  # fmt: skip
    assert metrics["SweepAgeSeconds"] == [120]
    assert metrics["SpendUSD"] == [1.5]


def test_a_run_that_metered_nothing_tells_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    line, metrics = tell(capsys, Report("repeated"))

    assert metrics == {}
    assert line["outcome"] == "repeated"


def test_the_top_spenders_are_told_every_fifth_minute(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("metered", top_spenders=[("prod-agent", 3.25)])

    line, _ = tell(capsys, report)
    assert line["top_spenders"] == [{"subject": "prod-agent", "usd_hour": 3.25}]
    line, _ = tell(capsys, report, Tick(NOW.replace(minute=6), NOW))
    assert "top_spenders" not in line
