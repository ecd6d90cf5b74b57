"""What `governor review` and other programs read of a run: `review.json`, JSON values only. USD as text, exact."""

import json

from account_review.costs import cents
from account_review.report import Report
from governor.clock import format_instant
from governor.events.review_evidence import Reviewed


def facts_json(report: Report) -> str:
    """The findings, the week's sums and what could not be read."""
    tables = {
        one.dimension: [{"name": line.name, "weeks_usd": [f"{cents(usd)}" for usd in line.weeks]} for line in one.lines]
        for one in report.money.costs.tables
    }
    movers = [
        {
            "kind": one.kind,
            "name": one.name,
            "before_usd": f"{one.reasons.before}",
            "now_usd": f"{one.reasons.now}",
            "reasons_usd": {name: f"{amount}" for name, amount in one.reasons.parts.items()},
        }
        for one in report.money.movers
    ]
    found = [
        {
            "state": state, "severity": one.severity, "rule": one.rule, "subject": one.subject, "title": one.title,
            "evidence": one.evidence, "fix": one.fix, "owner": one.owner, "since": f"{since}",
        }
        for state, one, since in report.rows()
    ]  # fmt: skip
    document = {
        "version": 1,
        "at": format_instant(report.at),
        "summary": evidence(report).model_dump(mode="json"),
        "findings": found,
        "tables": tables,
        "movers": movers,
    }
    return json.dumps(document, separators=(",", ":"))


def evidence(report: Report) -> Reviewed:
    """What the event holds: figures, and no link."""
    total, ahead = report.money.costs.workspaces.total, report.money.forecast
    return Reviewed(
        run=report.run,
        week_usd=float(cents(total.week)),
        week_before_usd=float(cents(total.before)),
        usual_week_usd=float(cents(total.usual)),
        month_so_far_usd=float(cents(ahead.so_far)) if ahead else None,
        month_expected_usd=float(cents(ahead.expected)) if ahead else None,
        month_low_usd=float(cents(ahead.low)) if ahead and ahead.low is not None else None,
        month_high_usd=float(cents(ahead.high)) if ahead and ahead.high is not None else None,
        findings=dict(report.by_severity()),
        accepted=len(report.findings.accepted),
        new=len(report.findings.new),
        ended=len(report.findings.ended),
        unread=[line[:200] for line in report.unread()[:50]],
    )
