"""What people read about a bulk order: one message that counts, and a report at its end."""

from collections.abc import Iterator
from typing import cast

from governor.events.bulk_evidence import BulkRotation, Laggard
from governor.slack.channel import Button, escape
from notifier import buttons
from notifier.case import Case
from notifier.phrases import mention, person, utc
from notifier.words import GREEN, ORANGE, RED, YELLOW, Words


def progressed(case: Case) -> Words:
    """One message, brought up to date; its buttons are those of where it stands."""
    evidence = cast(BulkRotation, case.evidence)
    by = person(evidence.said_by) if evidence.said_by else "The age of the order"
    name = escape(evidence.name)
    counted = f"{evidence.rotated} of {evidence.total} keys of {name} are replaced"
    match evidence.state:
        case "paused":
            said, icon, color = f"{by} paused it: nothing more begins.", "⏸", ORANGE
        case "halted":
            said = f"Governor paused it, because {evidence.failed} failed. {case.approvers} must look."
            icon, color = "🔴", RED
        case "stopped":
            said, icon, color = f"{by} stopped it: no further one begins, and what has begun finishes.", "⏹", ORANGE
        case "draining":
            said, icon, color = "Nothing more begins. A report follows when the overlaps are over.", "🟢", GREEN
        case _:
            said, icon, color = "The order continues.", "🔑", YELLOW
    todo = ""
    if evidence.state == "halted":
        todo = "Read why they failed (docs/operations.md, “A rotation fails”), fix it, then resume; or stop."
    return Words(f"{icon} {counted}. {said}", color, tuple(_facts(case, evidence)), todo, _buttons(evidence))


def ended(case: Case) -> Words:
    """The report: what was replaced, what was not, and who has not picked up the new key."""
    evidence = cast(BulkRotation, case.evidence)
    if evidence.state == "void":
        return Words(f"⚪ {escape(case.event.reason)} Nothing was begun by it now.", ORANGE, todo="Ask anew.")
    whole = evidence.rotated == evidence.total and not evidence.behind_count
    left = evidence.total - evidence.rotated
    counted = f"{evidence.rotated} of {evidence.total} keys of {escape(evidence.name)} are replaced"
    others = f"; {left} are not" if left else ""
    behind = f" {evidence.behind_count} of the old ones are still in use." if evidence.behind_count else ""
    headline = f"{'🟢' if whole else '🟠'} {counted}{others}.{behind}"
    todo = ""
    if evidence.behind_count:
        todo = "Point whoever still uses an old key to the workload's secret; each is disabled at its deadline."
    elif left:
        todo = "Rotate those that are left by themselves, or ask anew."
    return Words(headline, GREEN if whole else ORANGE, tuple(_facts(case, evidence)), todo)


def _facts(case: Case, evidence: BulkRotation) -> Iterator[str]:
    counts = {
        "Running": evidence.running,
        "Waiting": evidence.waiting,
        "Failed": evidence.failed,
        "Passed over": evidence.left,
        "Old keys that still work": evidence.behind_count,
    }
    yield " · ".join(f"*{title}:* {count}" for title, count in counts.items())
    yield f"*Because:* {escape(evidence.because)}"
    approved = " and ".join(person(one) for one in evidence.approved_by)
    yield f"*Asked by* {person(evidence.requested_by)}, *approved by* {approved}"
    if evidence.failing:
        yield f"*Failed:* {_names(evidence.failing, evidence.failed)}"
    if evidence.passed_over:
        yield f"*Passed over* (disabled, or no longer in the policy): {_names(evidence.passed_over, evidence.left)}"
    if evidence.state == "ended":
        for one in evidence.behind:
            yield f"• {escape(one.name)} still uses its old key{_last(one)}.{_owner(case, one.name)}"


def _last(one: Laggard) -> str:
    return f", last at {utc(one.last_used_at)}" if one.last_used_at else ""


def _owner(case: Case, name: str) -> str:
    workload = case.policy.workload(name)
    return f" Owner: {mention([workload.owner.slack])}." if workload else ""


def _names(names: list[str], count: int) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return f"{', '.join(escape(name) for name in names)}{more}"


def _buttons(evidence: BulkRotation) -> tuple[Button, ...]:
    match evidence.state:
        case "running":
            return buttons.pause(evidence), buttons.stop(evidence)
        case "paused" | "halted":
            return buttons.resume(evidence), buttons.stop(evidence)
        case _:
            return ()
