"""The bill for people: a table for the terminal, facts for `build/cost.json`, and `docs/cost.md`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tests.bench import byok_world
from tests.bench.cost import bill as rules
from tests.bench.cost import invocation
from tests.bench.cost.bill import Deciding, Line, Measured, Rotation, Stack, total
from tests.bench.cost.invocation import Invocation


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
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)


def document(
    sizes: Sequence[Size], stack: Stack, prices: Mapping[str, Any], today: date, pushed: str, reviewed: str
) -> str:
    """`docs/cost.md`. `pushed`, `reviewed`: what is on top of the bill, in Markdown."""
    bill = [[lines[0].item, *(f"{line.usd:.2f} ({_amount(line)})" for line in lines)] for lines in _side_by_side(sizes)]
    bill.append(["**total, secrets apart**", *(f"**{size.usd:.2f}**" for size in sizes)])
    bill.append(["must stay under", *(f"{size.limit:.2f}" for size in sizes)])
    ticks = [size.measured.tick for size in sizes]
    memory = stack.memory_mb["spend_meter"]
    measured = [
        ["calls to OpenRouter", *(f"{tick.asked:.1f}" for tick in ticks)],
        ["processor time here, s", *(f"{tick.cpu:.3f}" for tick in ticks)],
        ["billed duration, s", *(f"{tick.seconds(memory, stack.requests_per_second):.2f}" for tick in ticks)],
        ["reading kept, KB", *(f"{tick.kept / 1000:,.0f}" for tick in ticks)],
        ["log bytes, the platform's included", *(f"{tick.log_bytes:,.0f}" for tick in ticks)],
        ["AWS calls", *(", ".join(f"{name} {count:g}" for name, count in tick.calls.items()) for tick in ticks)],
    ]
    return TEXT.format(
        today=today,
        pushed=pushed,
        reviewed=reviewed,
        bill=_markdown("USD a month", sizes, bill),
        measured=_markdown("", sizes, measured),
        failover=_markdown("", sizes, _failover(sizes, stack)),
        rotation=_rotation(sizes[0].measured.rotation, stack),
        deciding=_deciding(sizes[0].measured.deciding, stack),
        ticks=f"{stack.ticks('spend_meter'):,.0f}",
        prices=prices,
        secret=prices["prices"]["secret"]["usd"],
        unconfirmed=", ".join(name for name, price in prices["prices"].items() if price["confirmed_by"] is None),
        call_ms=invocation.CALL_SECONDS * 1000,
        aws_ms=invocation.AWS_CALL_SECONDS * 1000,
        s3_mb=invocation.S3_BYTES_PER_SECOND / 1e6,
        kept=rules.CLICKS * rules.KEPT_MONTHS,
        credentials=len(byok_world.CREDENTIALS),
        stack=stack,
        rules=rules,
        one=invocation,
        byok=byok_world,
    )


TEXT = """# What it costs

A month's AWS bill, measured on {today}. Written by `python -m tests.bench.cost --write docs/cost.md`; `make cost`
measures again.

{bill}

Secrets are ${secret:.2f} each a month: one holds the management key, one Slack's token if there is one. The workloads'
own exist anyway.

## A run of `spend_meter`, on the average of ten

{measured}

## A run of `byok_failover`

{failover}

Nearly all that is billed is waiting, one call after the other. At many keys it waits for the list of every key of every
workspace, a hundred a page: their counters tell whose share of spend fell. At every size it reads three rows for each
decision, and the key of every probe, due or not: most of the calls to Secrets Manager.

## Rotation

{rotation}

## Presets, and what people do in Slack

{deciding}

Units are DynamoDB's. To find the requests whose time is over, every run of `approval_desk` reads all requests and
decisions that are kept, here {kept}: that is most of the tables' reads.

## Broadcast, where it is on

{pushed}

On top of the bill above, which has it off. Sampling is OpenRouter's (`BroadcastSamplingRate`). Ways that were not
chosen, and why: [decision 43](decisions/0043-broadcast-comes-in-by-a-function-url-and-a-stream.md).

## The weekly review

{reviewed}

On top of the bill above: once a week, four or five times a month, and whenever somebody asks. The members are looked at
each hour, for who has left.

## How it was measured

The shipped handlers, from the built layers, over a local AWS and the simulators of OpenRouter and Slack; what the first
one answers the meter is recorded. A fifth of the keys' counters move between two of its runs, and every key has a
month of habits behind it.

## Assumed

- {ticks} runs in 30 days. Region {prices[region]}, {prices[architecture]}, list prices of {prices[as_of]}
  ([with their sources](../tests/bench/prices-2026-11.json)). No second source confirmed these: {unconfirmed}.
- {rules.WORKLOADS} workloads rotate, each every {rules.ROTATED_EVERY_DAYS} days, at every size. Those in overlap or
  quarantine are looked at every {stack.tick_minutes[key_retirement]:g} minutes, all of them hourly. One provider's
  secret is watched.
- {byok.WORKSPACES} workspaces hold {credentials} provider credentials each, at two providers, at every size. The keys
  are spread over them, and over the others where the account has more. All but one are probed at both, at the policy's
  default of 24 a day, and none is drilled. What the probes themselves cost is OpenRouter's bill.
- One preset has {rules.PROMOTIONS} promotions a month, with one golden case. People click {rules.CLICKS} times a month,
  each a yes to a request of its own, as large as the preset's; requests and decisions are kept for
  {rules.KEPT_MONTHS} months. What else a yes leads to is among the alerts. Slack answers as fast as OpenRouter, and
  each click and each step runs in a container started for it.
- A run uses the container of the one before; where Lambda has ended that meanwhile, it takes longer.
- No free tier but one. {prices[free][why]}
- A call to OpenRouter takes {call_ms:.0f} ms, one to AWS {aws_ms:.0f} ms, and S3 takes {s3_mb:.0f} MB a second.
- Calls to OpenRouter are paced at {stack.requests_per_second:g} a second (`RequestsPerSecond`); at many keys that pace,
  not the work, is the duration billed.
- Processor time is this machine's, divided by the function's share of a vCPU ({one.VCPU_MB} MB are one). It is added
  to the waiting, though some of it happens meanwhile.
- {rules.ALERTS} alerts a month, each through `kill_switch`, then told twice by `notifier`, by e-mail; each time in a
  container started for it.
- Lambda logs {one.PLATFORM_BYTES} bytes of its own for an invocation. An idle queue is polled by {rules.POLLERS} at a
  time, every {rules.POLL_SECONDS} s. People look at the dashboard {rules.DASHBOARD_VIEWS} times a month.
"""


def _failover(sizes: Sequence[Size], stack: Stack) -> list[list[str]]:
    taken = [size.measured.failover for size in sizes]
    rows = []
    for what, ticks in (
        ("without probes", [one.reading for one in taken]),
        ("with probes, once an hour", [one.probing for one in taken]),
    ):
        seconds = [tick.seconds(stack.memory_mb["byok_failover"], stack.requests_per_second) for tick in ticks]
        rows += [
            [f"{what}: calls to OpenRouter", *(f"{tick.asked:.1f}" for tick in ticks)],
            [f"{what}: calls to AWS", *(f"{sum(tick.calls.values()):.1f}" for tick in ticks)],
            [f"{what}: processor time here, s", *(f"{tick.cpu:.3f}" for tick in ticks)],
            [f"{what}: billed duration, s", *(f"{each:.2f}" for each in seconds)],
            [f"{what}: units read, written", *(f"{tick.read:.0f}, {tick.written:.0f}" for tick in ticks)],
        ]
    return rows


def _rotation(taken: Rotation, stack: Stack) -> str:
    runs = [
        ("a step of `key_rotation`, of four", "key_rotation", taken.step),
        ("a day's plan of `key_planning`", "key_planning", taken.plan),
        ("a message of its queue", "key_planning", taken.asking),
        ("a run of `key_retirement`", "key_retirement", taken.tick),
        ("the hourly one", "key_retirement", taken.hour),
        ("a look of `credential_rotation`", "credential_rotation", taken.look),
    ]
    return _runs(runs, stack)


def _deciding(taken: Deciding, stack: Stack) -> str:
    runs = [
        ("an idle run of `preset_promotion`", "preset_promotion", taken.watch),
        ("its checks, and the question", "preset_promotion", taken.asking),
        ("its promotion, on a yes", "preset_promotion", taken.promoting),
        ("a click at `slack_gateway`", "slack_gateway", taken.gateway),
        ("the same at `approval_desk`", "approval_desk", taken.desk),
        ("an idle run of `approval_desk`", "approval_desk", taken.expiring),
    ]
    return _runs(runs, stack)


def _runs(runs: Sequence[tuple[str, str, Invocation]], stack: Stack) -> str:
    """One table for all sizes: they were measured in one account."""
    titles = ["", "calls to OpenRouter, Slack", "AWS calls", "units read, written", "processor time here, s"]
    rows = [[*titles, "billed duration, s"], ["---"] * (len(titles) + 1)]
    for what, name, one in runs:
        seconds = one.seconds(stack.memory_mb[name], stack.requests_per_second)
        units = f"{one.read:.0f}, {one.written:.0f}"
        rows.append(
            [what, f"{one.asked:.1f}", f"{sum(one.calls.values()):.1f}", units, f"{one.cpu:.3f}", f"{seconds:.2f}"]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _markdown(corner: str, sizes: Sequence[Size], rows: Sequence[Sequence[str]]) -> str:
    header = [corner, *(f"{size.keys:,} keys, {size.workspaces} workspaces" for size in sizes)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])


def _side_by_side(sizes: Sequence[Size]) -> list[tuple[Line, ...]]:
    return list(zip(*(size.lines for size in sizes), strict=True))


def _amount(line: Line) -> str:
    amount = f"{line.quantity:,.0f}" if line.quantity >= 10 or not line.quantity else f"{line.quantity:.2g}"
    return f"{amount} {line.unit}"
