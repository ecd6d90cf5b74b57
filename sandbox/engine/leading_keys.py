"""`dynamodb:LeadingKeys`: the partition keys that a call names, as DynamoDB puts them into the request's context.

Source: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control". A Scan names none, so a
condition with ForAllValues alone lets it pass; each part of a transaction is judged by its own key.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.parsing.key_condition_expression import parse_expression

from sandbox.engine.template import ACCOUNT, REGION

KEY = "dynamodb:LeadingKeys"


def leading_keys(table: str, index: str | None, part: Mapping[str, Any]) -> dict[str, list[str]]:
    """The context of one read or write of `part`'s shape (`Key`, `Item` or a key condition); empty when it names no
    key, as a Scan, or when the table is not there.
    """
    schema = _schema(table.rpartition("/")[2], index)
    hash_key = next((one["AttributeName"] for one in schema if one["KeyType"] == "HASH"), "")
    if "KeyConditionExpression" in part:
        values, names = part.get("ExpressionAttributeValues", {}), part.get("ExpressionAttributeNames", {})
        asked, _, _ = parse_expression(part["KeyConditionExpression"], values, names, schema)
        return {KEY: [_text(value) for name, value in asked if name == hash_key]}
    item = part.get("Key") or part.get("Item") or {}
    return {KEY: [_text(item[hash_key])]} if hash_key in item else {}


def batched(table: str, requests: Any) -> dict[str, list[str]]:
    """The context of a batch's reads or writes of one table, judged together."""
    if isinstance(requests, Mapping):
        parts: Sequence[Mapping[str, Any]] = [{"Key": key} for key in requests["Keys"]]
    else:
        parts = [one.get("PutRequest") or one["DeleteRequest"] for one in requests]
    keys = [key for part in parts for key in leading_keys(table, None, part).get(KEY, [])]
    return {KEY: keys} if keys else {}


def _schema(table: str, index: str | None) -> list[dict[str, str]]:
    found = dynamodb_backends[ACCOUNT][REGION].tables.get(table)
    if found is None:
        return []
    schema: list[dict[str, str]] = found.get_index(index).schema if index else found.schema
    return schema


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))
