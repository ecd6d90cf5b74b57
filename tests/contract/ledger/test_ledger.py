"""One suite over the ledger in memory and the one in DynamoDB, so that the double is proven."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from governor.ledger import Delete, Ledger, LedgerConflict, MemoryLedger, Put, Row
from governor.ledger.dynamodb import DynamoLedger
from tests.doubles.tables import create_tables


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with mock_aws():
        yield DynamoLedger(_table(), "ledger")


def _table() -> Any:
    client = boto3.client("dynamodb", region_name="us-east-1")
    create_tables(client, "ledger")
    return client


def test_a_row_that_nobody_wrote_is_none(ledger: Ledger) -> None:
    assert ledger.get("subject#a", "cause#runaway") is None
    assert ledger.rows("subject#a") == []


def test_a_new_row_is_read_back_with_version_one(ledger: Ledger) -> None:
    ledger.commit(Put("p", "s", {"usd": 1.5, "keys": ["a"]}, expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert ledger.get("p", "s") == Row("p", "s", 1, {"usd": 1.5, "keys": ["a"]})


def test_a_second_new_row_in_the_same_place_conflicts_and_changes_nothing(ledger: Ledger) -> None:
    ledger.commit(Put("p", "s", {"owner": "first"}))
    with pytest.raises(LedgerConflict):
        ledger.commit(Put("p", "s", {"owner": "second"}))
    assert ledger.get("p", "s") == Row("p", "s", 1, {"owner": "first"})


def test_a_write_over_the_version_it_read_succeeds_once(ledger: Ledger) -> None:
    ledger.commit(Put("p", "s", {"n": 1}))
    ledger.commit(Put("p", "s", {"n": 2}, expect=1))
    with pytest.raises(LedgerConflict):
        ledger.commit(Put("p", "s", {"n": 3}, expect=1))
    assert ledger.get("p", "s") == Row("p", "s", 2, {"n": 2})


def test_all_writes_of_a_commit_happen_or_none(ledger: Ledger) -> None:
    ledger.commit(Put("p", "taken", {}))
    with pytest.raises(LedgerConflict):
        ledger.commit(Put("p", "free", {}), Put("p", "taken", {}))
    assert ledger.get("p", "free") is None
    ledger.commit(Put("p", "free", {}), Delete("p", "taken", expect=1))
    assert [row.sk for row in ledger.rows("p")] == ["free"]


def test_a_delete_of_another_version_conflicts(ledger: Ledger) -> None:
    ledger.commit(Put("p", "s", {}))
    with pytest.raises(LedgerConflict):
        ledger.commit(Delete("p", "s", expect=7))
    ledger.commit(Delete("p", "s", expect=1))
    assert ledger.get("p", "s") is None


def test_rows_are_listed_by_prefix_in_order(ledger: Ledger) -> None:
    for sk in ("cause#runaway", "cause#budget", "note"):
        ledger.commit(Put("p", sk, {}))
    ledger.commit(Put("q", "cause#budget", {}))
    assert [row.sk for row in ledger.rows("p", "cause#")] == ["cause#budget", "cause#runaway"]
    assert [row.sk for row in ledger.rows("p")] == ["cause#budget", "cause#runaway", "note"]


def test_a_row_handed_out_is_a_copy(ledger: Ledger) -> None:
    data = {"keys": ["a"]}
    ledger.commit(Put("p", "s", data))
    data["keys"].append("b")
    row = ledger.get("p", "s")
    assert row is not None
    assert row.data == {"keys": ["a"]}


def test_an_equal_write_by_somebody_else_conflicts(ledger: Ledger) -> None:
    """Two copies that claim the same thing with the same words: one of them must learn that it lost."""
    ledger.commit(Put("p", "s", {"claim": "mine"}))
    with pytest.raises(LedgerConflict):
        ledger.commit(Put("p", "s", {"claim": "mine"}))


def test_a_write_whose_answer_was_lost_is_repeated_by_boto3_and_is_no_conflict() -> None:
    with mock_aws():
        client = _table()
        ledger = DynamoLedger(client, "ledger")
        lost = []

        def lose_the_first_answer(attempts: int, **_: Any) -> float | None:
            lost.append(attempts)
            return 0.0 if attempts == 1 else None

        client.meta.events.register_first("needs-retry.dynamodb.PutItem", lose_the_first_answer)
        ledger.commit(Put("p", "s", {"claim": "mine"}))
        assert lost == [1, 2]
        row = ledger.get("p", "s")
        assert row is not None
        assert row.version == 1
