"""The golden run: candidate first, then production beside it, within one purse and the time there is."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from governor.clock import parse_instant
from governor.policy import Preset
from management_api import AuthenticationFailed, ChatCompletion, Deadline, Unavailable
from preset_promotion.case_runs import Run, run
from preset_promotion.ports import Turn
from tests.unit.preset_promotion.samples import CATALOGUE, completion, content

OK, BAD = completion("billing", cost=0.001), completion("shipping", cost=0.002)


@dataclass
class Side:
    """A workspace's key: it gives these answers in turn, and notes what it was asked."""

    answers: list[ChatCompletion | Exception]
    asked: list[Any] = field(default_factory=list)

    def chat(self, request: Any) -> ChatCompletion:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Stopwatch:
    """A second passes at each look."""

    now = parse_instant("2026-03-11T09:00:00Z")

    def __call__(self) -> Any:
        self.now += timedelta(seconds=1)
        return self.now


def ran(
    staging: Side, production: Side, *, usd: float = 1.0, seconds: float = 600.0, cases: int = 1, **asserted: Any
) -> Run:
    asserted = asserted or {"contains": ["billing"]}
    preset = Preset.model_validate(
        {
            "slug": "s", "from": "a", "to": "b", "from_secret": "x", "to_secret": "y",
                "approvers": ["U0LEAD", "U0SEC"],
            "checks": {
                "golden": {
                    "usd": usd, "max_tokens": 100,
                    "cases": [{"name": f"case-{n}", "prompt": "Money back?", **asserted} for n in range(cases)],
                }
            },
        }
    )  # fmt: skip
    ports = cast(Any, type("Ports", (), {"clock": Stopwatch()})())
    turn = Turn(ports, preset, cast(Any, None), Deadline(lambda: seconds))
    turn.__dict__.update(staging=staging, production=production)
    return run(turn, content("New.", max_tokens=50), content("Old."), CATALOGUE)


def test_each_case_is_asked_of_the_content_that_was_read_with_the_smaller_bound() -> None:
    staging, production = Side([OK]), Side([OK])
    came = ran(staging, production)
    assert staging.asked[0]["messages"][0] == {"role": "system", "content": "New."}
    assert (staging.asked[0]["max_tokens"], production.asked[0]["max_tokens"]) == (50, 100)
    assert production.asked[0]["messages"][0]["content"] == "Old."
    assert [check.passed for check in came.checks] == [True]
    assert came.usd == pytest.approx(0.002)
    assert came.shown[0] == "Golden cases: 1 of 1 pass, production 1; the run cost $0.0020 of at most $1"
    assert came.shown[1] == "Against production on 1 cases: $0.0010 → $0.0010, 1.0 s → 1.0 s an answer"


@pytest.mark.parametrize(
    ("candidate", "production", "why"),
    [
        ([BAD], [OK], "contains; production passes"),
        ([BAD], [BAD], "contains; production fails it too"),
        ([BAD], [Unavailable("no"), Unavailable("no")], "contains"),
        ([Unavailable("no"), Unavailable("no")], [OK], "unanswered; production passes"),
        ([Unavailable("no"), OK], [OK], ""),
    ],
)
def test_a_failing_case_says_how_production_does(candidate: list[Any], production: list[Any], why: str) -> None:
    assert ran(Side(candidate), Side(production)).checks[0].why == why


def test_a_lost_answer_may_have_cost_all_that_it_could_and_counts_so() -> None:
    lost = ran(Side([Unavailable("no"), Unavailable("no")]), Side([OK]))
    assert lost.usd > 2 * 50 * 5 / 1e6


def test_no_request_is_made_that_could_overdraw_the_purse() -> None:
    cheap = completion("billing", cost=0.0003)
    staging, production = Side([cheap] * 9), Side([cheap] * 9)
    came = ran(staging, production, usd=0.001, cases=5)
    assert 0 < came.usd <= 0.001
    assert [check.why for check in came.checks[-2:]] == ["budget"] * 2
    assert production.asked == []


def test_no_case_is_begun_when_time_runs_out() -> None:
    staging = Side([])
    assert ran(staging, Side([]), seconds=59).checks[0].why == "time"
    assert staging.asked == []


def test_what_a_provider_bills_itself_counts_too() -> None:
    byok = completion("billing", cost=0.0, is_byok=True, cost_details={"upstream_inference_cost": 0.3})
    assert ran(Side([byok]), Side([OK])).usd == pytest.approx(0.301)


def test_a_refused_key_is_no_verdict_on_the_candidate() -> None:
    with pytest.raises(AuthenticationFailed):
        ran(Side([AuthenticationFailed("no", status=401)]), Side([]))
