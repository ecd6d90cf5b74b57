"""What is repeated, when, and for how long."""

import math
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from management_api import (
    AnalyticsQuery,
    AuthenticationFailed,
    Credits,
    Deadline,
    KeyPatch,
    NewKey,
    OpenRouter,
    OutcomeUnknown,
    Pacing,
    RateLimited,
    Rejected,
    Retry,
    Unavailable,
)
from tests.unit.management_api.far_side import ClientOf, Sleeper, error_json, key_json

Failure = httpx.Response | Exception

CREDITS = {"data": {"total_credits": 100, "total_usage": 25.5}}


class Answers:
    """Gives one answer after another; an exception is raised. Counts what it was asked."""

    def __init__(self, *answers: Failure) -> None:
        self._answers: Iterator[Failure] = iter(answers)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok() -> httpx.Response:
    return httpx.Response(200, json=CREDITS)


@pytest.mark.parametrize(
    "failure",
    [
        error_json(500), error_json(502), error_json(503), error_json(524), error_json(529), error_json(408),
        error_json(429), httpx.Response(200, content=b'{"data": {"total_cr'), httpx.Response(200, content=b"<html>"),
        httpx.ReadTimeout("slow"), httpx.ConnectError("refused"), httpx.RemoteProtocolError("reset"),
    ],
    ids=lambda failure: str(getattr(failure, "status_code", type(failure).__name__)),
)  # fmt: skip
def test_a_read_is_repeated_until_it_is_answered(client_of: ClientOf, failure: Failure) -> None:
    far_side = Answers(failure, failure, ok())
    assert client_of(far_side).credits() == Credits(total_credits=100, total_usage=25.5)


def test_a_posted_question_is_a_read_and_is_repeated(client_of: ClientOf) -> None:
    answer = {"data": {"data": [{"total_usage": "1.5"}], "metadata": {"truncated": False, "row_count": 1}}}
    far_side = Answers(error_json(500), httpx.Response(200, json=answer))
    assert client_of(far_side).analytics.query(AnalyticsQuery(metrics=["total_usage"])).rows == [{"total_usage": "1.5"}]


def test_the_last_failure_is_raised_when_every_attempt_failed(client_of: ClientOf, sleeper: Sleeper) -> None:
    far_side = Answers(*[error_json(500 + number) for number in range(4)])
    with pytest.raises(Unavailable) as failure:
        client_of(far_side).credits()
    assert failure.value.status == 503
    assert sleeper.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (401, AuthenticationFailed), (402, Rejected)])
def test_a_refusal_is_not_repeated(client_of: ClientOf, status: int, kind: type[Exception]) -> None:
    far_side = Answers(error_json(status))
    with pytest.raises(kind):
        client_of(far_side).credits()
    assert far_side.asked == 1


def test_backoff_is_jittered_over_its_whole_width_and_capped() -> None:
    chances = iter([0.0, 0.5, 1.0, 1.0])
    retry = Retry(base=1.0, cap=3.0, random=lambda: next(chances))
    assert [retry.pause(attempt, None) for attempt in (1, 2, 3, 4)] == [0.0, 1.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("Fri, 15 Jan 2027 08:00:20 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None), ("nan", None), ("inf", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert Retry(now=lambda: 1_800_000_000.0).retry_after(header) == seconds


def test_retry_after_is_waited_for_before_the_backoff(client_of: ClientOf, sleeper: Sleeper) -> None:
    assert client_of(Answers(error_json(429, retry_after="7"), ok())).credits()
    assert sleeper.slept == [7.0 + 1.0]


def test_a_retry_after_beyond_patience_is_handed_to_the_caller(client_of: ClientOf, sleeper: Sleeper) -> None:
    with pytest.raises(RateLimited) as failure:
        client_of(Answers(error_json(429, retry_after="3600"))).credits()
    assert failure.value.retry_after == 3600
    assert sleeper.slept == []


def test_nothing_is_slept_past_the_deadline(client_of: ClientOf, sleeper: Sleeper) -> None:
    far_side = Answers(*[error_json(503)] * 4)
    client = client_of(far_side).within(Deadline(lambda: 6.0 - sleeper.now))
    with pytest.raises(Unavailable) as failure:
        client.credits()
    assert failure.value.status == 503
    assert sleeper.slept == [1.0, 2.0]  # the next would be 4 seconds, and 3 are left


def test_nothing_is_sent_once_the_time_is_up(client_of: ClientOf) -> None:
    far_side = Answers()
    client = client_of(far_side).within(Deadline(lambda: 0.0))
    for call in (client.credits, lambda: client.keys.update("ab", KeyPatch(disabled=True))):
        with pytest.raises(Unavailable, match="no time left"):
            call()
    assert far_side.asked == 0


def test_every_request_is_given_no_longer_than_what_is_left(client_of: ClientOf) -> None:
    seen: list[dict[str, float]] = []

    def far_side(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return ok()

    client_of(far_side).within(Deadline(lambda: 2.5)).credits()
    client_of(far_side).credits()
    assert set(seen[0].values()) == {2.5}
    assert all(0 < seconds < math.inf for seconds in seen[1].values())


def test_an_answer_that_drips_in_is_cut_off_when_the_time_is_up(client_of: ClientOf, sleeper: Sleeper) -> None:
    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                sleeper.now += 1.0
                yield b" "

    client = client_of(lambda request: httpx.Response(200, stream=Drip())).within(Deadline(lambda: 5.0 - sleeper.now))
    with pytest.raises(Unavailable, match="still arriving"):
        client.credits()
    sleeper.now = 0.0
    with pytest.raises(OutcomeUnknown, match="still arriving"):
        client.keys.create(NewKey(name="x"))


def test_a_copy_within_a_deadline_leaves_the_original_unbounded(client_of: ClientOf) -> None:
    client = client_of(lambda request: ok())
    client.within(Deadline(lambda: 0.0))
    assert client.credits()


WRITES: list[Callable[[OpenRouter], object]] = [
    lambda client: client.keys.create(NewKey(name="x")),
    lambda client: client.keys.update("ab", KeyPatch(disabled=True)),
    lambda client: client.keys.delete("ab"),
    lambda client: client.guardrails.assign("g", ["ab"]),
    lambda client: client.workspaces.set_budget("w", "daily", 5, False),
    lambda client: client.presets.save("triage", {"model": "a/b", "messages": []}),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "failure",
    [
        error_json(500), error_json(502), error_json(503, retry_after="1"), error_json(408),
        httpx.Response(200, content=b"<html>"), httpx.Response(200, json=[]),
        httpx.ReadTimeout("slow"), httpx.ReadError("reset"), httpx.WriteError("pipe"), httpx.WriteTimeout("slow"),
        httpx.RemoteProtocolError("gone"), httpx.DecodingError("gzip"),
    ],
    ids=lambda failure: str(getattr(failure, "status_code", type(failure).__name__)),
)  # fmt: skip
def test_a_write_whose_answer_was_lost_is_of_unknown_outcome_and_is_not_repeated(
    client_of: ClientOf, failure: Failure, write: Callable[[OpenRouter], object]
) -> None:
    far_side = Answers(failure)
    with pytest.raises(OutcomeUnknown):
        write(client_of(far_side))
    assert far_side.asked == 1


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), error_json(429)]
)
def test_a_write_that_provably_was_not_executed_is_repeated(client_of: ClientOf, failure: Failure) -> None:
    far_side = Answers(failure, httpx.Response(200, json={"data": key_json(1)}))
    assert client_of(far_side).keys.update("ab", KeyPatch(disabled=True)).name == "prod-team-1"
    assert far_side.asked == 2


def test_a_write_that_never_left_is_unavailable_not_of_unknown_outcome(client_of: ClientOf) -> None:
    with pytest.raises(Unavailable, match="not sent"):
        client_of(Answers(*[httpx.ConnectError("refused")] * 4)).keys.delete("ab")


@pytest.mark.parametrize("failure", [error_json(429), error_json(502), httpx.ReadTimeout("slow")])
def test_inference_is_sent_once_because_it_costs_money(client_of: ClientOf, failure: Failure) -> None:
    far_side = Answers(failure)
    with pytest.raises((RateLimited, Unavailable)):
        client_of(far_side).chat({"model": "a/b", "messages": []})
    assert far_side.asked == 1


def test_pacing_spaces_requests_evenly() -> None:
    clock = Sleeper()
    pacing = Pacing(4, now=lambda: clock.now, sleep=clock.sleep)
    assert all(pacing.wait(math.inf) for _ in range(5))
    assert clock.now == pytest.approx(1.0)


def test_pacing_gives_no_turn_beyond_the_time_left_and_takes_none_away() -> None:
    clock = Sleeper()
    pacing = Pacing(1, now=lambda: clock.now, sleep=clock.sleep)
    assert pacing.wait(10)
    assert not pacing.wait(0.5)
    assert pacing.wait(1.5)
    assert clock.now == pytest.approx(1.0)


def test_pacing_is_shared_by_threads() -> None:
    turns: list[float] = []
    pacing = Pacing(100, now=lambda: 0.0, sleep=turns.append)
    threads = [threading.Thread(target=pacing.wait, args=(math.inf,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == pytest.approx([number / 100 for number in range(1, 20)])


def test_a_paced_request_that_finds_no_turn_is_not_sent(client_of: ClientOf, sleeper: Sleeper) -> None:
    pacing = Pacing(0.1, now=lambda: sleeper.now, sleep=sleeper.sleep)
    far_side = Answers(ok())
    client = client_of(far_side, pacing=pacing).within(Deadline(lambda: 5.0))
    assert client.credits()
    with pytest.raises(Unavailable, match="no turn"):
        client.credits()
    assert far_side.asked == 1


@pytest.mark.parametrize("pace", [0, -1, math.nan])
def test_a_pace_must_be_above_zero(pace: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Pacing(pace)
