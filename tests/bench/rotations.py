"""Rotations in bulk, against a script that creates and deletes: `rotation_runs`, as a command.

`python -m tests.bench.rotations [SIZE ...]` measures every latency and every pace, and prints a table by kind.
`python -m tests.bench.rotations --profile [N]` tells whose processor time it is, and computes what is left of it in
Lambda: `rotation_profile`. `--matrix`: 10 to 10,000 workloads at three latencies and three paces, `rotation_matrix`.
"""

import argparse
import sys
from collections.abc import Sequence

from tests.bench import rotation_matrix
from tests.bench.rotation_profile import profile
from tests.bench.rotation_runs import ALL, HEADER, LEAST, Load, run


def matrix(sizes: Sequence[int]) -> list[Load]:
    """Every latency without a pace, every pace at 50 ms, and the largest load with more at once."""
    loads = [Load(size, latency) for size in sizes for latency in (0.0, 0.05, 0.15)]
    paces = ((5, 2), (20, 5), (100, 20))
    loads += [Load(size, pace=pace, containers=at_once) for size in sizes for pace, at_once in paces]
    return [*loads, Load(max(sizes), containers=64), Load(max(sizes), spent=20.0)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.rotations")
    parser.add_argument("sizes", nargs="*", type=int, default=[10, 100], help="workloads, such as 10 100 1000 10000")
    parser.add_argument("--profile", nargs="?", type=int, const=100, metavar="N", help="whose time N rotations take")
    parser.add_argument("--matrix", action="store_true", help="10 to 10,000 workloads, three latencies, three paces")
    asked = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if asked.profile:
        print(profile(asked.profile, say))
        return 0
    if asked.matrix:
        for line in rotation_matrix.lines(say):
            print(line, flush=True)
        return 0
    outcomes = []
    print(HEADER, flush=True)
    for load in matrix(asked.sizes):
        outcomes.append(run(load, say, script=not load.pace))
        print(outcomes[-1].row(), flush=True)
    last = outcomes[-1]
    print(f"\nRequests of a rotation by kind ({last.load}); the least is {len(LEAST)}: {', '.join(LEAST)}.")
    for kind, count in last.asked[ALL].most_common():
        print(f"{count / last.load.workloads:7.2f}  {kind}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
