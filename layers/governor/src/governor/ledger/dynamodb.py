"""The ledger in one DynamoDB table: `pk`, `sk`, `version`, `data` (a JSON string), `expires` (TTL, epoch seconds).

`writer` names the one `commit` that wrote the row: boto3 repeats a write whose answer was lost, and the repeat then
fails against the row that the first one wrote. Our own writer standing there is success; an equal row by another is a
conflict.
"""

import json
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from governor.ledger import ABSENT, Delete, LedgerConflict, Put, Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BESIDE = ("TransactionConflictException", "ReplicatedWriteConflictException")
"""DynamoDB refused a single write because a transaction, or a write in another region, holds the row at this moment.
boto3 repeats neither. What holds the row may yet come to nothing, so the row may also be as it was."""


class DynamoLedger:
    """`Ledger` over a boto3 DynamoDB client."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, pk: str, sk: str) -> Row | None:
        answer = self._client.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True)
        return _row(answer["Item"]) if "Item" in answer else None

    def rows(self, pk: str, prefix: str = "") -> list[Row]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}, **({":prefix": {"S": prefix}} if prefix else {})},
        )
        return [_row(item) for page in pages for item in page["Items"]]

    def commit(self, *writes: Put | Delete) -> None:
        if len(writes) == 1:
            self._write_one(writes[0])
        elif writes:
            self._write_all(writes)

    def _write_one(self, write: Put | Delete) -> None:
        request = self._delete(write) if isinstance(write, Delete) else self._put(write)
        try:
            if isinstance(write, Delete):
                self._client.delete_item(**request)
            else:
                self._client.put_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in BESIDE:
                raise LedgerConflict(f"{write.pk} {write.sk}: {code}, another write of it is under way") from error
            if code != "ConditionalCheckFailedException":
                raise
            standing: Any = error.response.get("Item", {})
            if isinstance(write, Put) and standing.get("writer") == request["Item"]["writer"]:
                return
            raise LedgerConflict(f"{write.pk} {write.sk}: expected version {write.expect}") from error

    def _write_all(self, writes: tuple[Put | Delete, ...]) -> None:
        # boto3 adds a ClientRequestToken of its own, so its repeats of a lost transaction are one transaction.
        items: list[Any] = [
            {"Delete": self._delete(write)} if isinstance(write, Delete) else {"Put": self._put(write)}
            for write in writes
        ]
        try:
            self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise LedgerConflict(f"{len(writes)} writes from {writes[0].pk} {writes[0].sk}: {codes}") from error
            raise

    def _put(self, write: Put) -> Any:
        return {"TableName": self._table, "Item": _item(write), **_condition(write.expect)}

    def _delete(self, write: Delete) -> Any:
        return {"TableName": self._table, "Key": _key(write.pk, write.sk), **_condition(write.expect)}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _item(write: Put) -> dict[str, Any]:
    expires = {"expires": {"N": str(int(write.expires_at.timestamp()))}} if write.expires_at else {}
    return {
        **_key(write.pk, write.sk),
        "version": {"N": str(write.expect + 1)},
        "writer": {"S": uuid.uuid4().hex},
        "data": {"S": json.dumps(write.data, separators=(",", ":"), sort_keys=True)},
        **expires,
    }


def _row(item: Any) -> Row:
    return Row(item["pk"]["S"], item["sk"]["S"], int(item["version"]["N"]), json.loads(item["data"]["S"]))


def _condition(expect: int) -> dict[str, Any]:
    if expect == ABSENT:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(expect)}},
    }
