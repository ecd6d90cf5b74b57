"""The page of all decision records: why each key is our own, whose it is, when it may go, and how it stands. Pure.

No time of day is in it but those of what happened, so that it changes when something did, and is put only then.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from byok_failover.chain import called, own
from byok_failover.inventory import Inventory

if TYPE_CHECKING:
    from byok_failover.gaps import Looked
    from byok_failover.shares import Record
    from governor.policy import Byok
    from management_api import ByokKey

NAME = "byok.md"
Rows = Mapping[str, Mapping[str, Any]]


def page(inventory: Inventory, looked: "Mapping[str, Looked]", records: "Mapping[str, Record]", rows: Rows) -> str:
    """Markdown. `rows`: this function's own, by their names."""
    parts = ["# Provider keys of our own", "", "Written by Governor's `byok_failover`; a change here changes nothing."]
    for byok in inventory.policy.byok:
        parts += ["", *_decision(byok, inventory, looked, records, rows)]
    return "\n".join(parts) + "\n"


def _decision(
    byok: "Byok", inventory: Inventory, looked: "Mapping[str, Looked]", records: "Mapping[str, Record]", rows: Rows
) -> Iterable[str]:
    title = f"{byok.name} ({_text(byok.credential)})" if byok.credential else byok.name
    yield f"## {_text(title)}"
    yield ""
    yield f"- **Why:** {_text(byok.reason)}"
    yield f"- **Owner:** {_text(byok.owner)}"
    yield f"- **Goes when:** {_text(byok.exit)}"
    last = rows.get(f"lastdrill#{byok.name}")
    if byok.drill:
        yield f"- **Last drill:** {last['rule']}, {last['at']}" if last else "- **Last drill:** none yet"
    seen, place = looked.get(byok.name), inventory.place(byok.workspace)
    record = records.get(place.workspace.id) if place else None
    if record and record.told == byok.name and record.lost:
        yield f"- **Credits leak:** suspected since {record.lost.since:%Y-%m-%d %H:%M} UTC"
    if seen is None or seen.unknown is None or place is None or place.credentials is None:
        yield "- **State:** unknown, the credentials could not be read"
        return
    gaps = [row for sk, row in rows.items() if sk.startswith(f"finding#{byok.name}#")]
    unasked = sorted(rule for rule in seen.unknown if "#" not in rule and not rule.startswith("probe_"))
    if not gaps:
        yield "- **Gaps:** none" + (f" (not asked: {', '.join(unasked)})" if unasked else "")
    for gap in gaps:
        yield f"- **Gap** `{gap['rule']}`: {_text(gap['detail'])}"
    yield ""
    yield "| order | credential | tier | state | health |"
    yield "|---|---|---|---|---|"
    for number, one in enumerate(own(place.credentials, byok.provider), 1):
        tier = "fallback" if one.is_fallback else "prioritized"
        yield f"| {number} | {_text(called(one))} | {tier} | {_state(one, rows)} | {_health(one, byok, rows)} |"
    if seen.chains:
        yield ""
        yield "What OpenRouter tries:"
        yield ""
        yield from (f"- {_text(line)}" for line in seen.chains)


def _state(credential: "ByokKey", rows: Rows) -> str:
    hold = rows.get(f"hold#{credential.id}")
    if hold:
        return f"disabled by Governor ({hold['cause']})"
    return "disabled" if credential.disabled else "enabled"


def _health(credential: "ByokKey", byok: "Byok", rows: Rows) -> str:
    row = rows.get(f"health#{credential.id}")
    if row:
        return str(row["verdict"])
    together = [
        one for sk, one in rows.items() if sk.startswith(f"health#{byok.name}/") and credential.id in one["among"]
    ]
    return f"{together[-1]['verdict']}, with others" if together else "not probed"


def _text(text: str) -> str:
    """On one line of a table."""
    return " ".join(text.replace("|", "\\|").split())
