"""What a candidate is held against before anybody is asked, and how an answer to a golden case is judged."""

from typing import Any

import pytest

from governor.clock import parse_instant
from governor.policy import GoldenCase
from management_api import Model
from preset_promotion.catalogue import Catalogue
from preset_promotion.checks import Check, examine, failing
from preset_promotion.content import Content
from preset_promotion.golden import Answer, judge
from tests.unit.preset_promotion.samples import CATALOGUE, CHEAP, DEAR, completion, content


def examined(
    candidate: Content, base: Content | None = None, *, certified: tuple[str, ...] = (), loosen: bool = False
) -> dict[str, str]:
    """The failing checks, and why."""
    checks = examine(base, candidate, CATALOGUE, certified, loosen=loosen)
    return {check.name: check.why for check in checks if not check.passed}


def test_a_sound_candidate_fails_nothing() -> None:
    assert examined(content(temperature=0.2, max_tokens=9), content(), certified=(CHEAP,)) == {}


@pytest.mark.parametrize(
    ("candidate", "certified", "why"),
    [
        (content(model=DEAR), (CHEAP,), {"models": f"{DEAR} is not certified"}),
        (content(models=[DEAR]), (CHEAP,), {"models": f"{DEAR} is not certified"}),
        (content(model="gone/model"), (), {"models": "gone/model is not in OpenRouter's catalogue"}),
        (Content("p", {"temperature": 1}), (), {"models": "the preset names no model"}),
        (content(model=f"{CHEAP}:nitro"), (CHEAP,), {"models": f"{CHEAP}:nitro is not certified"}),
        (content(model=f"{CHEAP}:nitro"), (), {}),
        (content(top_k=3, seed=1), (), {"parameters": f"{CHEAP} does not take seed, top_k"}),
        (content(max_completion_tokens=99), (), {}),
        (content(provider={"sort": "price"}, route="fallback"), (), {}),
    ],
)
def test_models_must_be_certified_and_alive_and_take_what_is_set(
    candidate: Content, certified: tuple[str, ...], why: dict[str, str]
) -> None:
    assert examined(candidate, certified=certified) == why


def test_a_looser_data_policy_fails_unless_the_request_says_so() -> None:
    strict, loose = content(provider={"zdr": True}), content()
    assert list(examined(loose, strict)) == ["data_policy"]
    assert examined(loose, strict, loosen=True) == {}
    assert examined(strict, loose) == {}
    assert examined(loose, None) == {}


def test_a_catalogue_survives_being_kept() -> None:
    price = {"prompt": "0.000001", "completion": "0.000005"}
    models = [Model.model_validate({"id": CHEAP, "pricing": price, "supported_parameters": ["seed"]}),
              Model.model_validate({"id": "router", "pricing": {"prompt": "-1", "completion": "-1"}})]  # fmt: skip
    read = Catalogue.of(models)
    at = parse_instant("2026-03-11T09:00:00Z")
    kept = Catalogue.unpacked(read.packed(), at)
    assert (kept.models, kept.kept_since) == (read.models, at)
    assert (read.models[CHEAP].prompt_usd, read.models[CHEAP].completion_usd) == (1.0, 5.0)
    assert read.models["router"].prompt_usd is None


SCHEMA = {"type": "object", "required": ["queue"], "properties": {"queue": {"enum": ["billing"]}}}


@pytest.mark.parametrize(
    ("asserted", "answer", "faults"),
    [
        ({"contains": ["bill", "ing"]}, completion("billing"), ()),
        ({"contains": ["bill", "ship"]}, completion("billing"), ("contains",)),
        ({"regex": "^b.*g$"}, completion("billing"), ()),
        ({"regex": "^x"}, completion("billing"), ("regex",)),
        ({"json_schema": SCHEMA}, completion('{"queue": "billing"}'), ()),
        ({"json_schema": SCHEMA}, completion('{"queue": "other"}'), ("json_schema",)),
        ({"json_schema": SCHEMA}, completion('```json\n{"queue": "billing"}\n```'), ("json_schema",)),
        ({"json_schema": {"type": "nonsense"}}, completion("{}"), ("json_schema",)),
        ({"refusal": True}, completion("I can’t help with that."), ()),
        ({"refusal": True}, completion("", refusal="No."), ()),
        ({"refusal": True}, completion("", finish_reason="content_filter"), ()),
        ({"refusal": True}, completion("The address is 5 Elm Street."), ("refusal",)),
        ({"refusal": False}, completion("I'm unable to do that."), ("refusal",)),
        ({"usd": 0.01}, completion("x"), ("cost",)),
        ({"seconds": 1.0}, completion("x"), ("latency",)),
        ({"contains": ["a"], "usd": 0.01}, completion("x"), ("contains", "cost")),
        ({"contains": ["a"]}, completion(None), ("contains",)),
        ({"contains": ["a"]}, completion([{"type": "text", "text": "a"}]), ("contains",)),
    ],
)
def test_an_answer_fails_by_class(asserted: dict[str, Any], answer: Any, faults: tuple[str, ...]) -> None:
    case = GoldenCase(name="case", prompt="p", **asserted)
    assert judge(case, Answer.of(answer, usd=0.02, seconds=2.0)) == faults


def test_no_answer_is_a_fault_of_its_own_and_an_answer_shows_no_text() -> None:
    assert judge(GoldenCase(name="case", prompt="p", contains=("a",)), None) == ("unanswered",)
    assert "xylophone" not in repr(Answer.of(completion("xylophone"), 0.0, 0.0))


def test_failing_names_only_what_failed() -> None:
    assert failing([Check("models", True), Check("golden: refund", False, "regex")]) == ("golden: refund",)
