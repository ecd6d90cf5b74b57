"""Lines: a loop crosses one within seconds, ordinary traffic none in weeks."""

import pytest

from sandbox.traffic import Profile
from sandbox.traffic.profile import ORIGIN
from spend_meter.days import DAY
from spend_meter.excess import left_until
from spend_meter.history import History
from spend_meter.limits import LIMITS, UNLIMITED
from spend_meter.runaway import QUIET, Facts, judge, settle

LEARNED, DAYS = 15, 30
"""Days after which a habit is known, and that are drawn."""


def lived(profile: Profile, days: int) -> tuple[History, int]:
    """The history after so many days, and in how many minutes a key with a known habit crossed its line."""
    history, state, crossed = History.empty(ORIGIN * DAY), QUIET, 0
    left = LIMITS.floor[0]
    for minute in range(ORIGIN * DAY + 1, (ORIGIN + days) * DAY):
        usd = profile.minute_spend(minute)
        if usd <= 0 and not state.needs_tick:
            continue
        if minute > (ORIGIN + LEARNED) * DAY and usd > 0 and usd >= left:
            crossed += 1
        history.record(minute, usd)
        verdict = judge(history, Facts(minute, UNLIMITED, state))
        settle(history, verdict)
        state, left = verdict.next_state, max(left_until(history, UNLIMITED, LIMITS), 0.0)
    return history, crossed


@pytest.mark.parametrize(
    "name", ["steady", "office hours", "nightly batch", "agent bursts", "weekly job", "product launch", "heavy tail"]
)
def test_ordinary_traffic_of_two_thousand_dollars_a_month_crosses_no_line(name: str) -> None:
    _, crossed = lived(Profile(name, 2_000.0, seed=1), DAYS)
    assert crossed == 0


def test_a_loop_crosses_the_line_as_soon_as_a_reading_would_confirm_it() -> None:
    history, _ = lived(Profile("steady", 100.0, seed=1), DAYS)
    minute = history.minute + 1
    history.record(minute, 0.01)
    left = left_until(history, UNLIMITED, LIMITS)
    assert 0 < left <= LIMITS.floor[0]
    for more, level in ((left * 0.99, False), (left * 0.02, True)):
        history.record(minute, more)
        for _ in range(2):
            verdict = judge(history, Facts(minute, UNLIMITED, QUIET))
        assert (verdict.next_state.confirm_ticks == 1) == level
