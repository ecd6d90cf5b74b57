"""Judges an answer to a golden case. Pure.

A verdict is made of short classes, never of the answer's text: `contains`, `regex`, `json_schema`, `refusal`, `cost`,
`latency`, `unanswered`; and of a case that was not asked, `budget` or `time`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import fastjsonschema

from governor.policy import GoldenCase

if TYPE_CHECKING:
    from management_api import ChatCompletion

_REFUSING = re.compile(
    r"\b(?:I(?:'m| am)? (?:can(?:'t|not)|won't|will not|unable|not able)|I must decline|against my guidelines)\b", re.I
)
"""How models say no where the answer has no `refusal` of its own."""


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
        text = content if isinstance(content, str) else ""
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
    if case.regex is not None and not re.search(case.regex, answer.text):
        yield "regex"
    if case.json_schema is not None and not _fits(json.dumps(case.json_schema, sort_keys=True), answer.text):
        yield "json_schema"
    if case.refusal is not None and answer.refused != case.refusal:
        yield "refusal"
    if case.usd is not None and answer.usd > case.usd:
        yield "cost"
    if case.seconds is not None and answer.seconds > case.seconds:
        yield "latency"


def _fits(schema: str, text: str) -> bool:
    """Whether the whole answer is JSON that fits: a consumer would parse it whole, fences and all."""
    try:
        _compiled(schema)(json.loads(text))
    except (ValueError, fastjsonschema.JsonSchemaException):
        return False
    return True


@cache
def _compiled(schema: str) -> Any:
    # A `$ref` to elsewhere is not fetched: a check that reads the network is no check.
    return fastjsonschema.compile(json.loads(schema), handlers={"http": _nowhere, "https": _nowhere}, use_default=False)


def _nowhere(_uri: str) -> Any:
    raise fastjsonschema.JsonSchemaDefinitionException("a $ref must stay within the schema")
