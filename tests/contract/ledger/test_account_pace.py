"""The account's pace over DynamoDB as moto plays it: whoever asks, from however many processes, in one row."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pydantic import SecretStr

from governor.account.pace import MOST_SECONDS, PAUSE_SECONDS, AccountPace
from management_api import OpenRouter, RateLimited, Retry
from tests.doubles.log import MemoryLog
from tests.doubles.tables import create_tables


@dataclass
class Time:
    """A clock of which each process sees the same; to sleep moves it."""

    now: float = 1_700_000_000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client, "ledger")
        yield client


def process(table: Any, time: Time, pace: float = 20.0, log: MemoryLog | None = None) -> AccountPace:
    return AccountPace(table, "ledger", pace, log or MemoryLog(), now=lambda: time.now, sleep=time.sleep)


@pytest.mark.parametrize("pace", [5.0, 20.0, 100.0, 200.0])
def test_four_processes_together_keep_the_pace_of_one(table: Any, pace: float) -> None:
    time = Time()
    began, processes = time.now, [process(table, time, pace) for _ in range(4)]
    for number in range(80):
        assert processes[number % 4].wait(60.0)
    assert 79 / pace <= time.now - began + 0.001 <= 80 / pace * 1.05


def test_a_turn_beyond_the_time_left_is_not_taken(table: Any) -> None:
    time = Time()
    with mock.patch.object(time, "sleep"):
        one, other = process(table, time, 1.0), process(table, time, 1.0)
        assert one.wait(60.0)
        assert other.wait(60.0)
        assert not other.wait(1.5)
        row = table.get_item(TableName="ledger", Key={"pk": {"S": "pace"}, "sk": {"S": "openrouter"}})["Item"]
    assert int(row["next_turn"]["N"]) == (time.now + 2) * 1000


def test_time_in_which_nobody_asked_is_not_saved_up(table: Any) -> None:
    time = Time()
    one = process(table, time, 1.0)
    assert one.wait(60.0)
    time.now += 3600
    began = time.now
    for _ in range(3):
        assert one.wait(60.0)
    assert time.now - began == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("said", "paused"), [(7.0, 7.0), (None, PAUSE_SECONDS), (86_400.0, MOST_SECONDS)])
def test_a_429_to_one_is_a_pause_for_all(table: Any, said: float | None, paused: float) -> None:
    time = Time()
    one, other = process(table, time), process(table, time)
    one.wait(60.0)
    other.wait(60.0)
    refused = time.now
    one.slow(said)
    assert other.wait(600.0)
    assert time.now - refused == pytest.approx(paused, abs=0.1)


def test_a_shorter_pause_does_not_end_a_longer_one(table: Any) -> None:
    time = Time()
    one, other = process(table, time), process(table, time)
    refused = time.now
    one.slow(30.0)
    other.slow(1.0)
    assert one.wait(600.0)
    assert time.now - refused == pytest.approx(30.0, abs=0.1)


def test_an_hour_of_429s_is_asked_into_no_oftener_than_openrouter_says(table: Any) -> None:
    """Eight processes that want to ask all the time; each answer is a 429 that asks for ten seconds."""
    time, answers = Time(), 0
    began = time.now

    def refuse(request: httpx.Request) -> httpx.Response:
        nonlocal answers
        answers += 1
        return httpx.Response(429, headers={"Retry-After": "10"}, json={"error": {"code": 429, "message": "slow down"}})

    retry = Retry(sleep=time.sleep, random=lambda: 0.0, now=lambda: time.now)
    clients = [
        OpenRouter(
            SecretStr("sk-or-v1-fake"), transport=httpx.MockTransport(refuse), pacing=process(table, time), retry=retry
        )
        for _ in range(8)
    ]
    asked = 0
    while time.now - began < 3600:
        with pytest.raises(RateLimited):
            clients[asked % 8].keys.get("a" * 64)
        asked += 1
    for client in clients:
        client.close()
    assert answers <= 3600 / 10 + 8


def test_while_the_row_cannot_be_written_a_process_keeps_the_pace_by_itself(table: Any) -> None:
    time, log = Time(), MemoryLog()
    one = process(table, time, 4.0, log)
    refused = ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "UpdateItem")
    slept: list[float] = []
    with (
        mock.patch.object(table, "update_item", side_effect=refused),
        mock.patch.object(one._alone, "_sleep", slept.append),
    ):
        assert all(one.wait(60.0) for _ in range(3))
        one.slow(5.0)
    assert len(slept) == 2
    assert log.lines[0] == "the account's pace is kept by this process alone {'error': 'ClientError'}"
    assert log.lines[-1] == "a 429 was not told to the others {'error': 'ClientError'}"
