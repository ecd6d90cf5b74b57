"""Runs the golden cases: the candidate's config under staging's key, and production's beside it, within one purse.

A case is asked of the very config that was read, not of the preset, which somebody may change meanwhile. Nothing of a
prompt or an answer leaves here: results are names, classes and figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from governor.policy import Golden, GoldenCase
from management_api import AuthenticationFailed, OpenRouterError
from preset_promotion.catalogue import MILLION, Catalogue
from preset_promotion.checks import Check
from preset_promotion.content import Content
from preset_promotion.golden import Answer, judge
from preset_promotion.ports import Turn

if TYPE_CHECKING:
    from management_api import ChatCompletion, OpenRouter

TRIES = 2
"""Requests of one case that may go unanswered before the case does."""
LEAST_SECONDS = 60.0
"""With less time left no case is begun: what was found must still be written down and told."""


@dataclass
class Purse:
    """What a run may still spend, in USD. What a lost answer may have cost counts as spent."""

    cap: float
    spent: float = 0.0

    def affords(self, usd: float) -> bool:
        return self.spent + usd <= self.cap


@dataclass(frozen=True)
class Run:
    """What the cases came to. `shown`: lines for people."""

    checks: tuple[Check, ...] = ()
    usd: float = 0.0
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Side:
    """One of the two that are asked."""

    turn: Turn
    api: "OpenRouter"
    content: Content
    golden: Golden
    catalogue: Catalogue
    purse: Purse
    answers: dict[str, Answer] = field(default_factory=dict)
    faults: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def ask_all(self) -> None:
        for case in self.golden.cases:
            self.faults[case.name] = self._asked(case)

    def _asked(self, case: GoldenCase) -> tuple[str, ...]:
        body = self.content.asked(case.prompt, self.golden.max_tokens)
        most = _most(self.content, body, self.catalogue)
        for _ in range(TRIES):
            if not self.purse.affords(most):
                return ("budget",)
            if self.turn.deadline.seconds_left() < LEAST_SECONDS:
                return ("time",)
            began = self.turn.ports.clock()
            try:
                completion = self.api.chat(body)
            except AuthenticationFailed:
                raise
            except OpenRouterError:
                # Neither its text, which may quote the prompt, nor a guess at what it cost: the most it can have been.
                self.purse.spent += most
                continue
            seconds = (self.turn.ports.clock() - began).total_seconds()
            answer = Answer.of(completion, _cost(completion, most), seconds)
            self.purse.spent += answer.usd
            self.answers[case.name] = answer
            return judge(case, answer)
        return judge(case, None)


def run(turn: Turn, candidate: Content, base: Content | None, catalogue: Catalogue) -> Run:
    """The candidate is asked every case first; production is with what money and time is left."""
    golden = turn.preset.checks.golden
    if golden is None:
        return Run()
    purse = Purse(golden.usd)
    new = _Side(turn, turn.staging, candidate, golden, catalogue, purse)
    new.ask_all()
    old = _Side(turn, turn.production, base, golden, catalogue, purse) if base else None
    if old:
        old.ask_all()
    checks = tuple(_check(case.name, new, old) for case in golden.cases)
    return Run(checks, purse.spent, (_summary(checks, old, purse), *_figures(new, old)))


def _check(name: str, new: _Side, old: _Side | None) -> Check:
    faults = new.faults[name]
    if not faults:
        return Check(f"golden: {name}", True)
    beside = ""
    if old and name in old.answers:
        beside = "; production fails it too" if old.faults[name] else "; production passes"
    return Check(f"golden: {name}", False, f"{', '.join(faults)}{beside}")


def _summary(checks: Sequence[Check], old: _Side | None, purse: Purse) -> str:
    passed = sum(check.passed for check in checks)
    theirs = f", production {sum(not faults for faults in old.faults.values())}" if old else ""
    cost = f"the run cost ${purse.spent:.4f} of at most ${purse.cap:g}"
    return f"Golden cases: {passed} of {len(checks)} pass{theirs}; {cost}"


def _figures(new: _Side, old: _Side | None) -> tuple[str, ...]:
    """Cost and time of the cases that both answered."""
    both = sorted(new.answers.keys() & old.answers.keys()) if old else []
    if not old or not both:
        return ()
    sums = [
        (sum(side.answers[name].usd for name in both), sum(side.answers[name].seconds for name in both) / len(both))
        for side in (old, new)
    ]
    (old_usd, old_seconds), (new_usd, new_seconds) = sums
    return (
        f"Against production on {len(both)} cases: ${old_usd:.4f} → ${new_usd:.4f}, "
        f"{old_seconds:.1f} s → {new_seconds:.1f} s an answer",
    )


def _most(content: Content, body: dict[str, object], catalogue: Catalogue) -> float:
    """The most that a request can cost by the catalogue: a character is at most a token. Unknown prices count as 0."""
    characters = len(str(body.get("messages"))) + len(str(body.get("tools") or ""))
    listed = [one for model in content.models if (one := catalogue.find(model))]
    prompt = max((one.prompt_usd or 0.0 for one in listed), default=0.0)
    completion = max((one.completion_usd or 0.0 for one in listed), default=0.0)
    tokens = body["max_tokens"]
    return (characters * prompt + (tokens if isinstance(tokens, int) else 0) * completion) / MILLION


def _cost(completion: "ChatCompletion", most: float) -> float:
    """What it cost, a provider's own bill included; the most it can have cost where nobody says."""
    usage = completion.usage
    if usage is None or usage.cost is None:
        return most
    upstream = (usage.cost_details or {}).get("upstream_inference_cost") if usage.is_byok else None
    return usage.cost + (float(upstream) if isinstance(upstream, int | float) else 0.0)
