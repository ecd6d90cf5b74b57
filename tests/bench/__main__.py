"""`python -m tests.bench [PART ...]`: every ratio, each measured within one run; writes `build/bench.json`.

PART is one of those that `--help` names; without one all are measured, and only then the file is written. Exits with 1
when a limit is missed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from sandbox.build import ROOT
from tests.bench import broadcast, broadcast_http, cold_start, failover, gateway, large, plan, rotation_runs, sweep
from tests.bench.figures import Figure, table
from tests.bench.processes import built_stack

TARGET = ROOT / "build" / "bench.json"


def main() -> int:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text} ...", file=sys.stderr, flush=True)

    @cache
    def stack() -> Path:
        say("building the stack")
        return built_stack()

    parts: dict[str, Callable[[], Iterable[Figure]]] = {
        "sweep": lambda: sweep.measure(stack(), say),
        "large": lambda: large.measure(stack(), say),
        "cold_start": lambda: cold_start.measure(stack(), say),
        "gateway": lambda: gateway.measure(stack(), say),
        "rotations": lambda: rotation_runs.measure(say),
        "failover": lambda: failover.measure(say),
        "plan": lambda: plan.measure(say),
        "broadcast": lambda: broadcast.measure(say),
        "broadcast_http": lambda: broadcast_http.measure(say),
    }
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all without one")
    asked = parser.parse_args().parts
    if set(asked) - set(parts):
        parser.error(f"there is no {', '.join(sorted(set(asked) - set(parts)))}; there are {', '.join(parts)}")
    figures = [figure for name, part in parts.items() if not asked or name in asked for figure in part()]
    print(table(figures))
    if not asked:
        TARGET.write_text(json.dumps([figure.row() for figure in figures], indent=1) + "\n")
        print(f"written to {TARGET.relative_to(ROOT)}")
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
