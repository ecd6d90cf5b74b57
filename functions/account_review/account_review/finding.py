"""A finding, and the rules that find: each a pure function with an id, a severity, a fix, and what it needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from account_review.facts import Facts
from governor.policy import Policy

Severity = Literal["high", "medium", "low"]
ORDER: Mapping[Severity, int] = {"high": 0, "medium": 1, "low": 2}
ACCOUNT = "account"
"""The place, and the subject, of what is true of the whole account."""


class Found(NamedTuple):
    """What a rule found. `subject`: stable while it lasts, across rotations. `place`: a workspace's slug, or `account`.

    `owner`: the Slack user to ask; empty where the policy gives none, and then an approver is asked.
    """

    subject: str
    place: str
    evidence: str
    owner: str = ""


@dataclass(frozen=True)
class Rule:
    """`needs`: the parts of the account (`Facts.unread`) without which it can find nothing, and end nothing either."""

    id: str
    severity: Severity
    title: str
    fix: str
    needs: tuple[str, ...]
    find: Callable[[Facts, Policy], Iterable[Found]]


@dataclass(frozen=True)
class Finding:
    """One finding, for people. Its `id` is the same as long as it lasts."""

    rule: str
    severity: Severity
    title: str
    fix: str
    subject: str
    place: str
    evidence: str
    owner: str

    @property
    def id(self) -> str:
        return f"{self.rule} {self.subject}"


class Rulebook:
    """Rules in the order in which they were written, by id."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def rule(
        self, severity: Severity, title: str, *, fix: str, needs: tuple[str, ...]
    ) -> Callable[[Callable[[Facts, Policy], Iterable[Found]]], Callable[[Facts, Policy], Iterable[Found]]]:
        """Registers a function under its own name."""

        def register(
            find: Callable[[Facts, Policy], Iterable[Found]],
        ) -> Callable[[Facts, Policy], Iterable[Found]]:
            id = getattr(find, "__name__", "")
            if not id or id in self.rules:
                raise ValueError(f"rule {id!r}: give each rule a function name of its own")
            self.rules[id] = Rule(id, severity, title, fix, needs, find)
            return find

        return register
