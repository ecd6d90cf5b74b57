"""What is new, what stands, what has ended and what is accepted: each finding is told once while it lasts. Pure.

A finding that an approver has accepted is listed and not told; on the day after the acceptance ends it is told again. A
finding whose rule could not see this time stands as it stood.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from account_review.decide import RULES, blind
from account_review.facts import Facts
from account_review.finding import ACCOUNT, Finding
from governor.policy import Accepted, Policy


@dataclass(frozen=True)
class Known:
    """What is remembered of a finding. `since`: the day it was first found. `told`: whether people were told of it."""

    since: date
    told: bool
    place: str = ACCOUNT


@dataclass(frozen=True)
class Standing:
    """One finding, since when, and who has accepted it."""

    finding: Finding
    since: date
    accepted: Accepted | None = None


@dataclass(frozen=True)
class Findings:
    """The review's findings. `new`: to be told now. `ended`: ids that are no more, with their first day.

    `unseen`: ids that nobody could look for this time. `idle_acceptances`: acceptances of what is not (or no longer)
    found, and those of rules that do not exist. `memory`: what to remember for the next review.
    """

    new: Sequence[Standing] = ()
    standing: Sequence[Standing] = ()
    accepted: Sequence[Standing] = ()
    ended: Mapping[str, date] = field(default_factory=dict)
    unseen: Sequence[str] = ()
    idle_acceptances: Sequence[Accepted] = ()
    memory: Mapping[str, Known] = field(default_factory=dict)

    @property
    def open(self) -> Sequence[Standing]:
        """What nobody has accepted."""
        return [*self.new, *self.standing]


def compare(found: Iterable[Finding], before: Mapping[str, Known], facts: Facts, policy: Policy) -> Findings:
    """The findings held against what is remembered and what is accepted."""
    today = facts.today
    new: list[Standing] = []
    standing: list[Standing] = []
    accepted: list[Standing] = []
    memory: dict[str, Known] = {}
    used: set[int] = set()
    for finding in found:
        known = before.get(finding.id)
        since = known.since if known else today
        index = next((n for n, one in enumerate(policy.review.accepted) if _covers(one, finding, today)), None)
        if index is not None:
            used.add(index)
            accepted.append(Standing(finding, since, policy.review.accepted[index]))
            memory[finding.id] = Known(since, False, finding.place)
            continue
        (standing if known and known.told else new).append(Standing(finding, since))
        memory[finding.id] = Known(since, True, finding.place)
    gone = {id: known for id, known in before.items() if id not in memory}
    unseen = [id for id, known in gone.items() if _unseen(id, known.place, facts)]
    memory |= {id: gone[id] for id in unseen}
    ended = {id: known.since for id, known in gone.items() if id not in memory}
    idle = [one for n, one in enumerate(policy.review.accepted) if n not in used]
    return Findings(new, standing, accepted, ended, sorted(unseen), idle, memory)


def _covers(one: Accepted, finding: Finding, today: date) -> bool:
    return one.rule == finding.rule and one.subject in ("*", finding.subject) and today <= one.until


def _unseen(id: str, place: str, facts: Facts) -> bool:
    rule = RULES.get(id.partition(" ")[0])
    if rule is None:
        return False
    if place == ACCOUNT:  # it may lie in any of the workspaces
        return any(part in rule.needs for part, _ in facts.unread)
    return blind(rule, place, facts)
