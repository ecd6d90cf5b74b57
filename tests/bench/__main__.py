"""`python -m tests.bench`: every ratio, each measured within one run; writes `build/bench.json`.

Exits with 1 when a limit is missed.
"""

import json
import sys
import time

from sandbox.build import ROOT
from tests.bench import cold_start, failover, gateway, rotations, sweep
from tests.bench.figures import Figure, table
from tests.bench.processes import built_stack

TARGET = ROOT / "build" / "bench.json"


def main() -> int:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text} ...", file=sys.stderr, flush=True)

    say("building the stack")
    stack = built_stack()
    figures: list[Figure] = []
    for bench in (sweep.measure, cold_start.measure, gateway.measure):
        figures += bench(stack, say)
    figures += rotations.measure(say)
    figures += failover.measure(say)
    TARGET.write_text(json.dumps([figure.row() for figure in figures], indent=1) + "\n")
    print(table(figures))
    print(f"written to {TARGET.relative_to(ROOT)}")
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
