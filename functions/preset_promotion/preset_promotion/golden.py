"""Judges an answer to a golden case. Pure, but for the process that `fitting` starts.

A verdict is made of short classes, never of the answer's text: `contains`, `regex`, `json_schema`, `too_slow` (regex or
schema took too long to match), `refusal`, `cost`, `latency`, `unanswered`; and of a case that was not asked, `budget`
or `time`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governor.policy import GoldenCase
from preset_promotion.fitting import unfit

if TYPE_CHECKING:
    from management_api import ChatCompletion

_REFUSING = re.compile(
    r"\b(?:I(?:'m| am)? (?:can(?:'t|not)|won't|will not|unable|not able)|I must decline|against my guidelines)\b", re.I
)
"""How models say no where the answer has no `refusal` of its own."""

MAX_ANSWER = 50_000
"""Characters of an answer that are judged; `max_tokens` of a case is at most 4,096."""


@dataclass(frozen=True)
class Answer:
    """What came back of one request. `usd`: what it cost, or may have cost where nobody says. `seconds`: all of it."""

    text: str
    refused: bool
    usd: float
    seconds: float

    @classmethod
    def of(cls, completion: "ChatCompletion", usd: float, seconds: float) -> "Answer":
        choice = completion.choices[0] if completion.choices else None
        content = choice.message.content if choice else None
        text = content[:MAX_ANSWER] if isinstance(content, str) else ""
        said_no = bool(choice and (choice.message.refusal or choice.finish_reason == "content_filter"))
        return cls(text, said_no or bool(_REFUSING.search(text.replace("’", "'"))), usd, seconds)

    def __repr__(self) -> str:
        return f"Answer({len(self.text)} characters, usd={self.usd}, seconds={self.seconds})"


def judge(case: GoldenCase, answer: Answer | None) -> tuple[str, ...]:
    """The classes by which the answer fails the case; empty when it passes. None: there was no answer."""
    return ("unanswered",) if answer is None else tuple(_faults(case, answer))


def _faults(case: GoldenCase, answer: Answer) -> Iterator[str]:
    if not all(text in answer.text for text in case.contains):
        yield "contains"
    yield from unfit(case.regex, case.json_schema, answer.text)
    if case.refusal is not None and answer.refused != case.refusal:
        yield "refusal"
    if case.usd is not None and answer.usd > case.usd:
        yield "cost"
    if case.seconds is not None and answer.seconds > case.seconds:
        yield "latency"
