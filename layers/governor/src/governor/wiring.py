"""What most handlers are wired of: AWS over one session, the ledger, the bus, secrets, Slack's token and the log."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.logging import Logger
from pydantic import SecretStr

from governor.aws import AWS
from governor.events.published import RecordedBus, recorded_bus
from governor.ledger import Ledger
from governor.ledger.dynamodb import DynamoLedger
from governor.secrets import SecretsManager

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Wiring:
    """One per process. Makes clients when they are first asked for, and calls nothing.

    It knows no name of a table, a bus or a secret: a handler gives each, so that what a function has stands there.
    """

    def __init__(self, function: str) -> None:
        self.session = boto3.session.Session()
        self._function = function

    @functools.cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.session.client("dynamodb", config=AWS)

    @functools.cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        return self.session.client("secretsmanager", config=AWS)

    @functools.cached_property
    def secrets(self) -> SecretsManager:
        return SecretsManager(self.secrets_manager)

    @functools.cached_property
    def log(self) -> Logger:
        return Logger(use_rfc3339=True)

    def ledger(self, table: str) -> DynamoLedger:
        return DynamoLedger(self.dynamodb, table)

    def bus(self, ledger: Ledger, name: str) -> RecordedBus:
        """The bus `name`, for events that the function stores in `ledger` first."""
        return recorded_bus(self._function, ledger, self.session.client("events", config=AWS), name)

    def bot_token(self, secret: str) -> Callable[[], SecretStr]:
        """Slack's token, asked for at each call."""
        return functools.partial(self.secrets.field, secret, "bot_token")
