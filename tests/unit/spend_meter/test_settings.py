"""A run's input and the environment: what is wrong is named."""

from datetime import UTC, datetime
from typing import Any

import pytest

from governor.environment import SettingsError
from governor.events import BadEvent
from spend_meter.settings import MeterSettings, Tick

NOW = datetime(2026, 11, 21, 10, 40, tzinfo=UTC)
ENVIRONMENT = {
    "MANAGEMENT_KEY_SECRET": "governor/management-key",
    "TABLE_NAME": "ledger",
    "EVENT_BUS_NAME": "governor",
    "READING_BUCKET": "readings-fake",
}


def test_the_schedules_input_is_a_run_at_its_scheduled_time() -> None:
    tick = Tick.received({"version": 1, "scheduled_time": "2026-11-21T10:40:00Z", "later": "addition"}, NOW)

    assert tick.scheduled_at == datetime(2026, 11, 21, 10, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ([], "JSON object"),
        ({}, "version"),
        ({"version": 2, "scheduled_time": "2026-11-21T10:40:00Z"}, "version"),
        ({"version": 1}, "scheduled_time"),
        ({"version": 1, "scheduled_time": 7}, "scheduled_time"),
        ({"version": 1, "scheduled_time": "now"}, "scheduled_time"),
        ({"version": 1, "scheduled_time": "<aws.scheduler.scheduled-time>"}, "scheduled_time"),
        ({"version": 1, "scheduled_time": "2026-11-21T10:40:00"}, "offset"),
    ],
)
def test_a_run_of_the_wrong_shape_is_refused_by_name(event: Any, names: str) -> None:
    with pytest.raises(BadEvent, match=names):
        Tick.received(event, NOW)


@pytest.mark.parametrize(("scheduled", "believed"), [("10:44:00", "10:44:00"), ("10:46:00", "10:40:00")])
def test_a_time_in_the_future_is_believed_as_far_as_two_clocks_may_differ(scheduled: str, believed: str) -> None:
    tick = Tick.received({"version": 1, "scheduled_time": f"2026-11-21T{scheduled}Z"}, NOW)

    assert tick == Tick(datetime.fromisoformat(f"2026-11-21T{believed}Z"), NOW)


def test_the_environment_has_defaults_where_it_may() -> None:
    settings = MeterSettings.read({**ENVIRONMENT, "REQUESTS_PER_SECOND": ""})

    assert settings.concurrency == 8
    assert settings.requests_per_second is None


@pytest.mark.parametrize(
    ("variable", "value"), [("READING_BUCKET", ""), ("CONCURRENCY", "0"), ("REQUESTS_PER_SECOND", "-1")]
)
def test_a_bad_variable_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        MeterSettings.read({**ENVIRONMENT, variable: value})
