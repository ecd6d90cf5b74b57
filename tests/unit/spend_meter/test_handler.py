"""The handler's edge: what is wrong is raised before anything is done."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from governor.clock import utc_now
from governor.environment import SettingsError
from governor.events import BadEvent
from spend_meter import handler
from spend_meter.settings import Tick, asks_for_check, tip_in

SAMPLES = Path(__file__).parents[3] / "events" / "spend_meter"
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 55_000)


def test_an_input_of_the_wrong_shape_is_refused_before_anything_is_built() -> None:
    handler.build.cache_clear()

    with pytest.raises(BadEvent, match="version"):
        handler.lambda_handler({"detail": {}}, CONTEXT)
    assert handler.build.cache_info().currsize == 0


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    handler.build.cache_clear()
    monkeypatch.delenv("READING_BUCKET", raising=False)

    with pytest.raises(SettingsError, match="READING_BUCKET"):
        handler.lambda_handler({"version": 1, "scheduled_time": "2026-11-21T10:40:00Z"}, CONTEXT)


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_is_a_run_a_tip_or_a_check(sample: Path) -> None:
    event = json.loads(sample.read_text())
    assert asks_for_check(event) or tip_in(event) or Tick.received(event, utc_now()).scheduled_at.tzinfo is not None
