"""What must hold of a candidate before anybody is asked: judgement only, from what was read. Pure.

 1. `models`        every model is certified, where the policy lists any, and is in the catalogue
 2. `parameters`    every model takes every parameter that is set
 3. `data_policy`   prompts go nowhere they do not go today, unless the request says `loosen`
 4. `reviewable`    every risk finds its place in the message that people decide by
 5. `golden: NAME`  one a case; `preset_promotion.golden` judges the answer

`why` is a short sentence of ours: never a prompt, never an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preset_promotion.catalogue import Catalogue
from preset_promotion.content import Content, plain_name
from preset_promotion.data_policy import loosened

PARAMETERS = frozenset((
    "temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty", "presence_penalty", "repetition_penalty",
    "max_tokens", "max_completion_tokens", "logit_bias", "logprobs", "top_logprobs", "prediction", "seed",
    "response_format", "structured_outputs", "stop", "tools", "tool_choice", "parallel_tool_calls", "include_reasoning",
    "reasoning", "reasoning_effort", "web_search_options", "verbosity",
))  # fmt: skip
"""What `supported_parameters` may name (the vendor's document, schema `Parameter`); the rest is not for models."""
_SAME = {"max_completion_tokens": "max_tokens"}
"""Models list one of the two names of a parameter."""


@dataclass(frozen=True)
class Check:
    """One result. `why` is empty for a check that passed."""

    name: str
    passed: bool
    why: str = ""

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "passed": self.passed, "why": self.why}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Check":
        return cls(data["name"], data["passed"], data["why"])


def failing(checks: Sequence[Check]) -> tuple[str, ...]:
    """The names of those that did not pass."""
    return tuple(check.name for check in checks if not check.passed)


def examine(
    base: Content | None,
    candidate: Content,
    catalogue: Catalogue,
    certified: Sequence[str],
    *,
    loosen: bool,
    unshown_risks: int = 0,
) -> tuple[Check, ...]:
    """The checks that cost nothing. `unshown_risks`: those for which a message has no room."""
    unseen = (f"{unshown_risks} risks do not fit into one message: promote in smaller steps",) if unshown_risks else ()
    return (
        _check("models", _models(candidate, catalogue, certified)),
        _check("parameters", _parameters(candidate, catalogue)),
        _check("data_policy", () if loosen or base is None else loosened(base, candidate)),
        _check("reviewable", unseen),
    )


def _check(name: str, faults: Sequence[str]) -> Check:
    return Check(name, not faults, "; ".join(faults))


def _models(candidate: Content, catalogue: Catalogue, certified: Sequence[str]) -> tuple[str, ...]:
    if not candidate.models:
        return ("the preset names no model",)
    unknown = [model for model in candidate.models if catalogue.find(model) is None]
    foreign = [model for model in candidate.models if certified and model not in certified]
    return (
        *(f"{plain_name(model)} is not certified" for model in foreign),
        *(f"{plain_name(model)} is not in OpenRouter's catalogue" for model in unknown),
    )


def _parameters(candidate: Content, catalogue: Catalogue) -> tuple[str, ...]:
    given = [name for name, value in candidate.config.items() if name in PARAMETERS and value is not None]
    faults = []
    for model in candidate.models:
        listed = catalogue.find(model)
        lacking = [name for name in given if listed and not {name, _SAME.get(name, name)} & listed.parameters]
        if lacking:
            faults.append(f"{plain_name(model)} does not take {', '.join(sorted(lacking))}")
    return tuple(faults)
