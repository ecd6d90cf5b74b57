"""moto's DynamoDB writes as AWS's does: of writes at the same moment, one passes a condition."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models.table import Table

from sandbox.engine.atomic import make_requests_atomic
from tests.doubles.tables import create_tables

ROW = {"pk": {"S": "p"}, "sk": {"S": "s"}}
NEW = {"ConditionExpression": "attribute_not_exists(pk)"}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a table whose reading takes so long that all writers have read before one writes."""
    make_requests_atomic()
    read = Table.get_item

    def slowly(self: Table, *arguments: Any, **named: Any) -> Any:
        found = read(self, *arguments, **named)
        time.sleep(0.05)
        return found

    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client, "t")
        monkeypatch.setattr(Table, "get_item", slowly)
        yield client


def _refused(write: Any) -> bool:
    try:
        write()
    except ClientError:
        return True
    return False


def test_one_of_four_writes_at_once_passes_the_condition(slow: Any) -> None:
    with ThreadPoolExecutor(4) as pool:
        refused = list(pool.map(lambda _: _refused(lambda: slow.put_item(TableName="t", Item=ROW, **NEW)), range(4)))

    assert sorted(refused) == [False, True, True, True]


def test_a_transaction_that_is_undone_takes_no_write_beside_it_along(slow: Any) -> None:
    slow.put_item(TableName="t", Item=ROW)
    puts = [{"Put": {"TableName": "t", "Item": ROW, **NEW}}]
    beside = [{**ROW, "sk": {"S": f"beside {number}"}} for number in range(8)]

    with ThreadPoolExecutor(4) as pool:
        undone = [pool.submit(_refused, lambda: slow.transact_write_items(TransactItems=puts)) for _ in range(4)]
        written = list(pool.map(lambda item: _refused(lambda: slow.put_item(TableName="t", Item=item)), beside))

    assert all(one.result() for one in undone)
    assert not any(written)
    assert len(slow.scan(TableName="t")["Items"]) == 9
