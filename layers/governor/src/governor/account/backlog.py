"""How long the account's pace keeps the next request waiting, for those who ask nothing of OpenRouter themselves."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PK, SK = "pace", "openrouter"


def backlog_seconds(client: "DynamoDBClient", table: str, now: float) -> float:
    """How far away the next turn is that nobody has taken; `now` in epoch seconds. Raises botocore's errors."""
    item: Any = client.get_item(TableName=table, Key={"pk": {"S": PK}, "sk": {"S": SK}}).get("Item", {})
    text = item.get("next_turn", {}).get("N")
    return 0.0 if text is None else max(0.0, int(text) / 1000 - now)
