"""What the rotation bench computes of Lambda stands on what the template says."""

import pytest

from key_retirement.handler import MARGIN_SECONDS
from tests.bench.rotation_model import BEAT_EVERY_MINUTES, BEAT_SECONDS, MEMORY_MB
from tests.contract.template.reading import source


@pytest.mark.parametrize("function", ["KeyRotationFunction", "KeyRetirementFunction"])
def test_a_container_has_the_memory_that_the_rotation_bench_computes_with(function: str) -> None:
    assert source()["Resources"][function]["Properties"]["MemorySize"] == MEMORY_MB


def test_a_run_has_the_time_that_the_rotation_bench_computes_with() -> None:
    retirement = source()["Resources"]["KeyRetirementFunction"]["Properties"]
    assert retirement["Timeout"] - MARGIN_SECONDS == BEAT_SECONDS
    schedules = {event["Properties"].get("ScheduleExpression") for event in retirement["Events"].values()}
    assert f"rate({BEAT_EVERY_MINUTES} minutes)" in schedules
