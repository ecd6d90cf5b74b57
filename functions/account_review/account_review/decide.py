"""What is wrong with the account, by every rule. Pure: facts and policy in, findings out.

A rule that lacks a part it needs finds nothing there: unknown is not zero. Findings of one rule about one subject are
one finding. The worst come first.
"""

from collections.abc import Sequence

from account_review.facts import Facts
from account_review.finding import ACCOUNT, ORDER, Finding, Rule
from account_review.of_account import THINGS
from account_review.of_guardrails import GUARDRAILS
from account_review.of_keys import KEYS
from account_review.of_models import MODELS
from governor.policy import Policy

RULES: dict[str, Rule] = {**KEYS.rules, **GUARDRAILS.rules, **THINGS.rules, **MODELS.rules}


def blind(rule: Rule, place: str, facts: Facts) -> bool:
    """Whether a part that the rule needs was not read, there or at all."""
    return any((part, where) in facts.unread for part in rule.needs for where in (place, ACCOUNT))


def judge(facts: Facts, policy: Policy) -> Sequence[Finding]:
    """Every finding, the worst first, then by rule and subject."""
    found: dict[str, Finding] = {}
    for rule in RULES.values():
        for one in rule.find(facts, policy):
            if blind(rule, one.place, facts):
                continue
            finding = Finding(
                rule.id, rule.severity, rule.title, rule.fix, one.subject, one.place, one.evidence, one.owner
            )
            found.setdefault(finding.id, finding)
    return sorted(found.values(), key=lambda one: (ORDER[one.severity], one.rule, one.subject))
