"""The client against a far side that fails, over real sockets: what is repeated, what is unknown, what gets through."""

import logging
import threading

import pytest
from pydantic import SecretStr

from management_api import (
    AuthenticationFailed,
    Deadline,
    KeyPatch,
    NewKey,
    NotFound,
    OpenRouter,
    OutcomeUnknown,
    RateLimited,
    Read,
    Rejected,
    Retry,
    Unavailable,
    Unknown,
)
from tests.contract.management_api.conftest import MANAGEMENT, Both


@pytest.mark.parametrize("mode", ["500", "503", "429", "reset", "fail_after"])
def test_a_read_comes_through_two_failures(both: Both, mode: str) -> None:
    both.simulator.fault("/credits", mode, times=2)
    assert both.ours.credits().total_credits == 500


def test_retry_after_is_read_from_the_wire(both: Both) -> None:
    both.simulator.fault("/credits", "429", times=None, retry_after=3600)
    with pytest.raises(RateLimited) as failure:
        both.ours.credits()
    assert failure.value.retry_after == 3600


def test_a_creation_whose_answer_was_lost_is_found_by_reading_back(both: Both) -> None:
    both.simulator.fault("/keys", "fail_after", method="POST")
    with pytest.raises(OutcomeUnknown):
        both.ours.keys.create(NewKey(name="prod-lost", workspace_id=both.workspace("production")))
    names = [key.name for key in both.ours.keys.list(both.workspace("production"))]
    assert names.count("prod-lost") == 1


@pytest.mark.parametrize(("mode", "disabled"), [("fail_before", False), ("fail_after", True), ("500", False)])
def test_a_patch_whose_answer_was_lost_may_or_may_not_have_happened(both: Both, mode: str, disabled: bool) -> None:
    both.simulator.fault("/keys/{hash}", mode, method="PATCH")
    target = both.hash("prod-search-agent")
    with pytest.raises(OutcomeUnknown):
        both.ours.keys.update(target, KeyPatch(disabled=True))
    assert both.ours.keys.get(target).disabled is disabled


def test_a_write_that_was_rate_limited_is_made_once(both: Both) -> None:
    fault = both.simulator.fault("/keys", "429", method="POST")
    both.ours.keys.create(NewKey(name="prod-once", workspace_id=both.workspace("production")))
    names = [key.name for key in both.ours.keys.list(both.workspace("production"))]
    assert names.count("prod-once") == 1
    assert fault.seen == 2


def test_nobody_there_is_unavailable_for_a_write_too(both: Both) -> None:
    nobody = OpenRouter(SecretStr(MANAGEMENT), base_url="http://localhost:1/api/v1", retry=Retry(attempts=1))
    with pytest.raises(Unavailable, match="not sent"):
        nobody.keys.delete("ab")


def test_a_slow_far_side_is_left_when_the_time_is_up(both: Both) -> None:
    both.simulator.fault("/credits", "slow", seconds=2.0, times=None)
    left = iter([0.05])
    with pytest.raises(Unavailable):
        both.ours.within(Deadline(lambda: next(left, 0.0))).credits()


def test_refusals_have_their_errors(both: Both) -> None:
    with pytest.raises(NotFound):
        both.ours.keys.get("0" * 64)
    with pytest.raises(AuthenticationFailed, match="management key"):
        both.ours.with_key(SecretStr("sk-or-v1-fake-nobody")).credits()
    with pytest.raises(AuthenticationFailed, match="management key"):
        both.as_key("prod-triage")[0].workspaces.list()
    with pytest.raises(Rejected) as failure:
        both.ours.workspaces.set_budget(both.workspace("production"), "daily", 4000, include_byok=False)
    assert failure.value.status == 400


def test_a_budget_that_stops_a_key_is_a_rejection_of_its_inference(both: Both) -> None:
    target = both.hash("prod-search-agent")
    both.simulator.spend(target, 7.5)  # the guardrail's 20 a day are gone
    with pytest.raises(Rejected) as failure:
        both.as_key("prod-search-agent")[0].chat({
            "model": "anthropic/claude-haiku-4.5", "messages": [{"role": "user", "content": "hi"}],
        })  # fmt: skip
    assert failure.value.status == 403


def test_a_disabled_key_is_no_longer_authenticated(both: Both) -> None:
    both.ours.keys.update(both.hash("prod-triage"), KeyPatch(disabled=True))
    with pytest.raises(AuthenticationFailed):
        both.as_key("prod-triage")[0].current_key()


def test_one_failing_workspace_hides_no_other(both: Both) -> None:
    production, default = both.workspace("production"), both.workspace("default")
    both.simulator.fault(rf"/keys\?.*workspace_id={production}.*", "500", times=None)
    readings = both.ours.read_account([production, default])
    assert isinstance(readings[production], Unknown)
    assert isinstance(readings[default], Read)


def test_no_key_is_lost_while_others_are_made_and_deleted(both: Both) -> None:
    production = both.workspace("production")
    made = [both.simulator.create_key(f"bulk-{number}", workspace="production")[0].hash for number in range(620)]
    doomed, stop = made[1::3], threading.Event()

    def churn() -> None:
        for key_hash in reversed(doomed):
            if stop.is_set():
                return
            with both.simulator.lock:
                both.simulator.organization.delete_key(key_hash)
            both.simulator.create_key("new", workspace="production")

    churning = threading.Thread(target=churn)
    both.simulator.latency = 0.002
    churning.start()
    try:
        reading = both.ours.read_account([production], concurrency=4)[production]
    finally:
        stop.set()
        churning.join()
    assert isinstance(reading, Read)
    found = [key.hash for key in reading.keys]
    assert len(found) == len(set(found))
    assert set(made) - set(doomed) <= set(found)


def test_the_wire_logs_addresses_and_no_secret(both: Both, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    plaintext = both.ours.keys.create(NewKey(name="prod-logged")).plaintext.get_secret_value()
    both.ours.keys.delete(both.hash("prod-logged"))
    logged = "".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    assert "/api/v1/keys" in logged
    assert MANAGEMENT not in logged
    assert plaintext not in logged
