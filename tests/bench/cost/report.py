"""The bill for people: a table for the terminal, facts for `build/cost.json`, and `docs/cost.md`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tests.bench.cost import bill as rules
from tests.bench.cost.bill import Line, Measured, Stack, total


@dataclass(frozen=True)
class Size:
    """A bill. `limit`: the most it may come to, USD, secrets apart."""

    keys: int
    workspaces: int
    limit: float
    measured: Measured
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        return total(self.lines)

    @property
    def held(self) -> bool:
        return self.usd < self.limit


def facts(size: Size) -> dict[str, Any]:
    return {
        "keys": size.keys,
        "workspaces": size.workspaces,
        "usd": round(size.usd, 4),
        "limit": size.limit,
        "held": size.held,
        "lines": [asdict(line) for line in size.lines],
        "measured": asdict(size.measured),
    }


def table(sizes: Sequence[Size]) -> str:
    rows = [["USD a month", *(f"{size.keys:,} keys" for size in sizes)]]
    rows += [[lines[0].item, *(f"{line.usd:.2f}" for line in lines)] for lines in _side_by_side(sizes)]
    rows.append(["total, secrets apart", *(f"{size.usd:.2f}" for size in sizes)])
    rows.append(["limit", *(f"{size.limit:.2f}{'' if size.held else ' MISSED'}" for size in sizes)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def document(sizes: Sequence[Size], stack: Stack, prices: Mapping[str, Any], today: date) -> str:
    """`docs/cost.md`."""
    header = " | ".join(f"{size.keys:,} keys, {size.workspaces} workspaces" for size in sizes)
    bill = [
        f"| {lines[0].item} | {' | '.join(f'{line.usd:.2f} ({_amount(line)})' for line in lines)} |"
        for lines in _side_by_side(sizes)
    ]
    beats = [size.measured.beat for size in sizes]
    memory = stack.memory_mb["spend_meter"]
    measured = {
        "calls to OpenRouter": [f"{beat.asked:.1f}" for beat in beats],
        "processor time here, s": [f"{beat.cpu:.3f}" for beat in beats],
        "billed duration, s": [f"{beat.seconds(memory, stack.requests_per_second):.2f}" for beat in beats],
        "reading kept, KB": [f"{beat.kept / 1000:,.0f}" for beat in beats],
        "log bytes, the platform's included": [f"{beat.log_bytes:,.0f}" for beat in beats],
        "AWS calls": [", ".join(f"{name} {count:g}" for name, count in beat.calls.items()) for beat in beats],
    }
    unconfirmed = [name for name, price in prices["prices"].items() if price["confirmed_by"] is None]
    secret = prices["prices"]["secret"]["usd"]
    return "\n".join(
        [
            "# What it costs",
            "",
            f"A month's AWS bill, measured on {today}. Written by `python -m tests.bench.cost --write docs/cost.md`; "
            "`make cost` measures again.",
            "",
            f"| USD a month | {header} |",
            f"|---|{'---|' * len(sizes)}",
            *bill,
            f"| **total, secrets apart** | {' | '.join(f'**{size.usd:.2f}**' for size in sizes)} |",
            f"| may be at most | {' | '.join(f'{size.limit:.2f}' for size in sizes)} |",
            "",
            f"Secrets are ${secret:.2f} each a month: one with the management key, one with Slack's token if there is one, "
            "and the workloads' own, which exist anyway.",
            "",
            "## A beat of `spend_meter`, on the average of ten",
            "",
            f"| | {header} |",
            f"|---|{'---|' * len(sizes)}",
            *(f"| {name} | {' | '.join(values)} |" for name, values in measured.items()),
            "",
            "The shipped handler, from the built layers, over recorded answers of the simulator and a local AWS; a fifth "
            "of the keys' counters move between two beats, and every key has a month of habits behind it.",
            "",
            "## Assumed",
            "",
            f"- {rules.MONTH_MINUTES / stack.beat_minutes:,.0f} beats in 30 days; region {prices['region']}, "
            f"{prices['architecture']}, list prices of {prices['as_of']} "
            "([with their sources](../tests/bench/prices-2026-11.json)). Not confirmed by a second source: "
            f"{', '.join(unconfirmed)}.",
            f"- No free tier but one: {prices['free']['why']}",
            f"- A call to OpenRouter takes {rules.CALL_SECONDS * 1000:.0f} ms, one to AWS {rules.AWS_CALL_SECONDS * 1000:.0f}"
            f" ms, and {rules.S3_BYTES_PER_SECOND / 1e6:.0f} MB a second are written to S3. Calls to OpenRouter are paced at {stack.requests_per_second:g} a second (`RequestsPerSecond`); at many "
            "keys this pace, not the work, is the duration that is billed.",
            f"- Processor time is this machine's, divided by the function's share of a vCPU ({rules.VCPU_MB} MB are one). "
            "It is added to the waiting, though some of it happens meanwhile.",
            f"- {rules.ALERTS} alerts a month, each through `kill_switch` in a container started for it, then told twice by "
            "`notifier`, by e-mail. What the platform logs of an invocation is taken as "
            f"{rules.PLATFORM_BYTES} bytes.",
            f"- An idle queue is polled {rules.POLLERS} at a time every {rules.POLL_SECONDS} s. The dashboard is looked at "
            f"{rules.DASHBOARD_VIEWS} times a month.",
            "",
        ]
    )


def _side_by_side(sizes: Sequence[Size]) -> list[tuple[Line, ...]]:
    return list(zip(*(size.lines for size in sizes), strict=True))


def _amount(line: Line) -> str:
    return (
        f"{line.quantity:,.0f} {line.unit}"
        if line.quantity >= 10 or not line.quantity
        else f"{line.quantity:.2g} {line.unit}"
    )
