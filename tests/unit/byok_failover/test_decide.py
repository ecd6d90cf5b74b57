"""A credential is not called dead on one answer, nor alive again on one."""

from itertools import product
from typing import Any

import pytest

from byok_failover.decide import Health, Sign, judge, judge_error
from management_api import (
    AuthenticationFailed,
    ChatCompletion,
    NotFound,
    OpenRouterError,
    RateLimited,
    Rejected,
    Unavailable,
)


def after(*signs: Sign) -> Health:
    health = Health()
    for sign in signs:
        health = health.after(sign)
    return health


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ((), "unknown"),
        (("served",), "healthy"),
        (("refused",), "unknown"),
        (("refused", "refused"), "invalid"),
        (("served", "refused"), "healthy"),
        (("served", "refused", "served", "refused"), "healthy"),
        (("served", "refused", "refused"), "invalid"),
        (("refused", "silent", "elsewhere", "refused"), "invalid"),
        (("refused", "refused", "served"), "invalid"),
        (("refused", "refused", "served", "served"), "healthy"),
        (("refused", "refused", "served", "refused", "served"), "invalid"),
        (("served", "strained"), "healthy"),
        (("served", "strained", "strained"), "degraded"),
        (("strained", "strained", "refused", "refused"), "invalid"),
        (("refused", "served"), "unknown"),
    ],
)
def test_a_verdict_takes_two_in_a_row_either_way(signs: tuple[Sign, ...], verdict: str) -> None:
    assert after(*signs).verdict == verdict


def test_nothing_but_refusals_of_the_provider_ever_makes_a_credential_invalid() -> None:
    others: tuple[Sign, ...] = ("served", "strained", "elsewhere", "silent")
    for signs in product(others, repeat=5):
        assert after(*signs).verdict != "invalid"


@pytest.mark.parametrize(
    ("error", "key_works", "sign"),
    [
        (AuthenticationFailed("no", status=401), True, "refused"),
        (AuthenticationFailed("no", status=401), False, "silent"),
        (Rejected("bad", status=400), None, "silent"),
        (Rejected("region", status=403), None, "silent"),
        (RateLimited("wait", status=429), None, "silent"),
        (Unavailable("down", status=503), None, "silent"),
        (Unavailable("timed out"), None, "silent"),
        (NotFound("no endpoint", status=404), None, "silent"),
    ],
)
def test_an_error_is_a_refusal_only_where_it_is_the_providers_401(
    error: OpenRouterError, key_works: bool | None, sign: str
) -> None:
    assert judge_error(error, key_works=key_works).sign == sign


@pytest.mark.parametrize(
    ("statuses", "is_byok", "seconds", "sign"),
    [
        ((200,), True, 1.0, "served"),
        ((200,), True, 21.0, "strained"),
        ((429, 200), True, 1.0, "strained"),
        ((401, 200), True, 1.0, "refused"),
        ((401, 200), False, 1.0, "refused"),
        ((200,), False, 1.0, "elsewhere"),
        ((429, 200), False, 1.0, "elsewhere"),
    ],
)
def test_an_answer_is_judged_by_the_attempts_that_openrouter_tells_of(
    statuses: tuple[int, ...], is_byok: bool, seconds: float, sign: str
) -> None:
    attempts = [{"provider": "Anthropic", "status": status} for status in statuses]
    told: dict[str, Any] = {"is_byok": is_byok, "attempt": len(statuses), "attempts": attempts}
    usage = {
        "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.001, "is_byok": is_byok,
        "cost_details": {"upstream_inference_cost": 0.02},
    }  # fmt: skip
    answer = ChatCompletion.model_validate(
        {"id": "g", "model": "m", "choices": [], "openrouter_metadata": told, "usage": usage}
    )
    seen = judge(answer, seconds)
    assert seen.sign == sign
    assert seen.cost_usd == pytest.approx(0.021 if is_byok else 0.001)


def test_an_answer_without_metadata_says_nothing() -> None:
    assert judge(ChatCompletion.model_validate({"id": "g", "model": "m", "choices": []}), 1.0).sign == "silent"
