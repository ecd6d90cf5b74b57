"""`python -m tests.bench.cost [--write docs/cost.md]`: a month's AWS bill at three sizes; writes `build/cost.json`.

Exits with 1 when a size costs more than it may.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from sandbox.build import ROOT
from tests.bench.cost import broadcast, failover, review
from tests.bench.cost.bill import Deciding, Failover, Measured, Prices, Rotation, bill
from tests.bench.cost.deciding import Decisions
from tests.bench.cost.measure import Incident, Ticks
from tests.bench.cost.report import Size, document, facts, table
from tests.bench.cost.rotations import Rotations
from tests.bench.cost.stack import read
from tests.bench.processes import built_stack

PRICES = ROOT / "tests" / "bench" / "prices-2026-11.json"
SIZES = ((50, 4, 8.9), (1_000, 8, 9.5), (10_000, 20, 14.3))
"""Keys, workspaces, and the most USD a month may cost, every function on the bill.

The limits are for whoever adds to what Governor does: they leave a tenth over what was measured, so that three metrics
or queues more, or some ten calls more in a run of spend_meter, are noticed here and not on AWS's bill. They are no
promise to a user.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.cost")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the document to write, such as docs/cost.md")
    arguments = parser.parse_args()
    stack, prices = read(ROOT / "template.yaml"), json.loads(PRICES.read_text())
    built = built_stack()
    print("measuring an incident ...", file=sys.stderr, flush=True)
    incident = Incident(built)
    print("measuring rotations ...", file=sys.stderr, flush=True)
    taken = Rotations(built)
    rotation = Rotation(taken.step, taken.plan, taken.asking, taken.tick, taken.hour, taken.look)
    print("measuring a promotion, and clicks ...", file=sys.stderr, flush=True)
    said = Decisions(built)
    deciding = Deciding(said.watch, said.asking, said.promoting, said.gateway, said.desk, said.expiring, said.kept)
    sizes = []
    for keys, workspaces, limit in SIZES:
        print(f"measuring runs over {keys:,} keys ...", file=sys.stderr, flush=True)
        ticks = Ticks(built, keys, workspaces)
        checks = failover.Ticks(built, keys, workspaces)
        measured = Measured(
            tick=ticks.average,
            kill_switch=incident.kill_switch,
            notifier=incident.notifier,
            rotation=rotation,
            failover=Failover(checks.reading, checks.probing),
            deciding=deciding,
            secret_seconds=ticks.secret_seconds,
            metrics=ticks.metrics,
            event_bytes=incident.event_bytes,
            ledger_bytes=incident.ledger_bytes,
        )
        sizes.append(Size(keys, workspaces, limit, measured, tuple(bill(measured, stack, Prices(prices)))))
    print(table(sizes))
    print("measuring deliveries of Broadcast ...", file=sys.stderr, flush=True)
    work = broadcast.measured()
    pushed = f"{broadcast.table(work, Prices(prices))}\n\n{broadcast.lines(work, Prices(prices))}"
    print(f"\nBroadcast, on top\n{pushed}")
    print("measuring a review ...", file=sys.stderr, flush=True)
    week = review.reviewed(built)
    reviewed = review.table(week, Prices(prices))
    print(f"\nThe weekly review, on top\n{reviewed}")
    target = ROOT / "build" / "cost.json"
    target.write_text(json.dumps([facts(size) for size in sizes], indent=1) + "\n")
    print(f"written to {target.relative_to(ROOT)}")
    if arguments.write:
        arguments.write.write_text(document(sizes, stack, prices, datetime.now(UTC).date(), pushed, reviewed))
        print(f"written to {arguments.write}")
    return 0 if all(size.held for size in sizes) and review.held(week, Prices(prices)) else 1


if __name__ == "__main__":
    sys.exit(main())
