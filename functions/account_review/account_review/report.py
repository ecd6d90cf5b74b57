"""The whole review: what its page, its message, its tables and its event are made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from account_review.facts import Facts
from account_review.finding import ORDER, Finding
from account_review.money import Money
from account_review.past import Deeds
from account_review.standing import Findings


@dataclass(frozen=True)
class Report:
    """`name`: the organization's, as people know it: the stack's. `asker_unknown`: see `Money.unknown`."""

    run: str
    name: str
    facts: Facts
    findings: Findings
    money: Money
    deeds: Deeds = field(default_factory=Deeds)

    @property
    def at(self) -> datetime:
        return self.facts.now

    def by_severity(self) -> Mapping[str, int]:
        """Open findings."""
        counts = dict.fromkeys(ORDER, 0)
        for one in self.findings.open:
            counts[one.finding.severity] += 1
        return {f"{name}": count for name, count in counts.items()}

    def rows(self) -> Iterator[tuple[str, Finding, date]]:
        """Every finding with how it stands, for a table."""
        for state, group in (
            ("new", self.findings.new),
            ("standing", self.findings.standing),
            ("accepted", self.findings.accepted),
        ):
            for one in group:
                yield state, one.finding, one.since

    def unread(self) -> Sequence[str]:
        """What the review says nothing of, a line each."""
        parts = [f"{part} of {place}: {why}" for (part, place), why in sorted(self.facts.unread.items())]
        return [*parts, *(f"{what}: {why}" for what, why in sorted(self.money.unknown.items()))]
