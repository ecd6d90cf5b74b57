"""The bench of lessons: one key under one choice, and a line of the table."""

import pytest

from spend_meter.limits import LIMITS
from tests.bench.detector.replay import Caught, Key
from tests.bench.detector.taught import Taught, lines, play


@pytest.mark.parametrize(("seed", "loops"), [(101, 10), (204, 0)])
def test_loops_are_tried_where_the_sixty_days_have_a_later_months_end(seed: int, loops: int) -> None:
    taught = play((LIMITS.meant, "judged", Key("month-end job", 50.0, seed, said_expected=True)))
    assert len(taught.caught) == loops


def test_the_table_counts_jobs_that_were_told_again_and_loops() -> None:
    quick, never = (Caught("flat", 100, minutes, minutes, usd, 30) for minutes, usd in ((5, 8.0), (None, 2400.0)))
    late = Caught("flat", 500, 500, 20, 4000.0, 30)
    _, line = lines([Taught(1.4, "judged", 1, (quick, late)), Taught(1.4, "judged", 0, (never, late))])
    assert " ".join(line.split()) == "1.4 judged 1 of 2 1 of 2 1,204 2,400 2 of 2 4,000 4,000"
