"""`governor plan` over a large account: how often OpenRouter is asked, how long that takes at its rate, and memory.

The least number of questions holds each row received once, in answers as full as they may be: 10,000 rows of hours, and
for minutes three hours a question. The seconds of asking are those of the pace alone, an answer costing nothing.
"""

from collections.abc import Callable, Iterator

from tests.bench.figures import Figure
from tests.bench.processes import Worker

KEYS, DAYS = 1_000, 28
MANY = 10_000
"""Keys for which the floor is counted, and nothing is asked or played."""
QUERIES_LIMIT = 1.1
MEMORY_MB = 512


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    say(f"the plan over {KEYS:,} keys and {DAYS} days")
    with Worker.developer("plan.py") as worker:
        took = worker.tell("measure", keys=KEYS, days=DAYS)
        many = worker.tell("floor", keys=MANY, days=DAYS)
    assert took["keys"] == KEYS
    of = f"plan of {KEYS:,} keys and {DAYS} days"
    yield Figure(f"{of}: questions to analytics", took["queries"], took["least"], "questions", QUERIES_LIMIT)
    yield Figure(f"{of}: asking, at the vendor's rate", took["asking_s"], took["least_s"], "s", QUERIES_LIMIT)
    yield Figure(f"{of}: playing beside asking", took["playing_s"], took["asking_s"], "s")
    yield Figure(f"{of}: peak memory", took["peak_mb"], MEMORY_MB, "MB", 1.0)
    at_rate = f"plan of {MANY:,} keys and {DAYS} days: the vendor's floor, beside that of {KEYS:,}"
    yield Figure(at_rate, many["least_s"], took["least_s"], "s")
