"""`/governor status` and `/governor keys`, from the ledger alone. Pure; for one person's eyes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from governor.approvals.approval import Approval
from governor.keys.causes import Causes
from governor.keys.lineage import Lineage
from governor.policy import Policy
from governor.slack.text import escape, mention

MAX_LINES = 40


def status(
    causes: Mapping[str, Causes], lineages: Sequence[Lineage], pending: Sequence[Approval], now: datetime
) -> str:
    """What holds keys, what is in rotation, what waits for a decision."""
    held = [
        f"• `{subject}`: {', '.join(f'{row.cause} for {age(now - row.at)}' for row in one.standing())}"
        for subject, one in causes.items()
        if one.standing()
    ]
    turning = [
        f"• `{one.workload}`: {one.rotation.why}, begun {age(now - one.rotation.started_at)} ago"
        for one in lineages
        if one.rotation
    ]
    waiting = [
        f"• {one.request.kind} `{escape(one.request.name or one.request.subject)}`, asked by "
        f"{mention(one.request.requested_by)} {age(now - one.request.requested_at)} ago, "
        f"{len(one.approved_by)} of {one.request.needed}"
        for one in pending
    ]
    parts = (("Disabled", held), ("In rotation", turning), ("Waiting for a decision", waiting))
    return "\n".join(_part(title, lines) for title, lines in parts)


def keys(policy: Policy, lineages: Sequence[Lineage], now: datetime) -> str:
    """Every declared workload's keys, as far as Governor made or adopted them."""
    known = {one.workload: one for one in lineages}
    lines = []
    for workload in policy.workloads:
        lineage = known.get(workload.name)
        if lineage is None or lineage.current is None:
            lines.append(f"• `{workload.name}`: no key of Governor's")
            continue
        others = [f"{key.state} for {age(now - key.since)}" for key in lineage.keys if key.state not in _SILENT]
        beside = f"; its former key: {', '.join(others)}" if others else ""
        lines.append(f"• `{workload.name}`: current for {age(now - lineage.current.since)}{beside}")
    return _part("Keys", lines)


def age(span: timedelta) -> str:
    """`3 d`, `5 h` or `12 min`."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"


_SILENT = ("current", "deleted")


def _part(title: str, lines: Sequence[str]) -> str:
    more = [f"… and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
    return "\n".join([f"*{title}*" + ("" if lines else ": nothing"), *lines[:MAX_LINES], *more])
