"""Tables with the ledger's keys, as `template.yaml` makes them."""

from typing import Any


def create_tables(dynamodb: Any, *names: str) -> None:
    """`dynamodb`: boto3's client, of moto or of the engine."""
    for name in names:
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
