"""The wiring of handlers: made without a call, one client for each service, no name of its own."""

import pytest

from governor.clock import seconds_left
from governor.wiring import Wiring


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Wiring:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return Wiring("kill_switch")


def test_all_of_it_is_made_without_a_call_and_shares_its_clients(aws: Wiring) -> None:
    ledger = aws.ledger("ledger")
    aws.bus(ledger, "bus")
    aws.bot_token("slack")
    assert aws.dynamodb is aws.dynamodb
    assert aws.secrets is aws.secrets


class Context:
    """Lambda's, with less time left at each question."""

    def __init__(self) -> None:
        self.left = 30_000

    def get_remaining_time_in_millis(self) -> int:
        self.left -= 10_000
        return self.left


def test_the_time_that_is_left_is_asked_again_each_time_and_some_is_kept() -> None:
    left = seconds_left(Context(), keep=4.0)
    assert [left(), left()] == [16.0, 6.0]
