"""The clock by which spend is metered was ahead, or goes back, over the built stack: a loop is stopped all the same."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from spend_meter.codec import Codec
from tests.accidents.account import MINUTE, Account, opened
from tests.accidents.checker import Checker

WORKLOAD = "prod-clock-agent"


def _the_reading_is_stamped_ahead(account: Account, minutes: int) -> None:
    """As a clock that was ahead would have left it."""
    engine = account.world.engine
    s3, place = engine.client("s3"), {"Bucket": engine.outputs["ReadingBucket"], "Key": "readings/state.bin"}
    state = Codec().decode(s3.get_object(**place)["Body"].read())
    places = {id: replace(one, read_at=one.read_at + minutes) for id, one in state.places.items()}
    stamped = replace(state, tick=state.tick + minutes, places=places)
    s3.put_object(**place, Body=Codec().encode(stamped))


@pytest.mark.parametrize("ahead", [5, 60, 3 * 24 * 60])
def test_a_reading_from_the_future_hides_no_loop_and_is_told_once(tmp_path: Path, ahead: int) -> None:
    with opened(tmp_path, [WORKLOAD]) as account:
        checker = Checker(account)
        account.pass_time(3 * MINUTE, MINUTE)
        _the_reading_is_stamped_ahead(account, ahead)
        account.world.traffic[WORKLOAD].hash = account.held_hash(WORKLOAD)
        account.world.loop(WORKLOAD, 500)
        account.pass_time(8 * MINUTE, MINUTE)

        assert account.current(WORKLOAD).disabled, "a loop of 500 USD an hour was not stopped within 8 minutes"
        told = [one["detail"] for one in account.world.events("Monitor Blind")]
        assert [one["evidence"]["kind"] for one in told] == ["clock"]
        account.pass_time(timedelta(hours=2))
        assert len(account.world.events("Monitor Blind")) == 1
        assert checker.at_the_end(resting=False) == []
