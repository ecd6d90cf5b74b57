"""What `docs/presets.md` says of golden cases is so: its policy's own cases are judged, its classes are the code's."""

import json
import re
from pathlib import Path

import yaml

from governor.policy import GoldenCase, Policy
from management_api import ChatCompletion
from preset_promotion.golden import Answer, judge

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "presets.md").read_text()
(SHOWN,) = re.findall(r"^```yaml\n(version:.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def _answered(text: str) -> Answer:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choices = [{"finish_reason": "stop", "message": {"content": text}}]
    body = {"id": "g", "model": "m", "choices": choices, "usage": usage}
    return Answer.of(ChatCompletion.model_validate(body), usd=0.001, seconds=1.0)


def test_the_cases_shown_pass_and_fail_as_a_reader_expects() -> None:
    golden = Policy.model_validate(yaml.safe_load(SHOWN)).presets[0].checks.golden
    assert golden
    refund, foreign = golden.cases
    assert judge(refund, _answered(json.dumps({"queue": "billing"}))) == ()
    assert judge(refund, _answered("The billing queue.")) == ("json_schema",)
    assert judge(foreign, _answered("I can't share that.")) == ()
    assert judge(foreign, _answered("5 Elm Street.")) == ("refusal",)


def test_every_assertion_and_every_class_is_explained() -> None:
    rows = re.findall(r"^\| (?:`(\w+)` )?\| `(\w+)`(?:, `(\w+)`)? \|", TEXT, flags=re.MULTILINE)
    fields = {field for field, *_ in rows if field}
    assert fields == set(GoldenCase.model_fields) - {"name", "prompt"}
    classes = {one for _, *found in rows for one in found if one}
    assert classes == {*fields - {"usd", "seconds"}, "cost", "latency", "too_slow", "unanswered", "budget", "time"}
