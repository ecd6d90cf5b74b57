"""The least that a kill switch must do to answer for the first time: the same clients, the same first call.

That call reads the management key, and is refused: neither this nor the kill switch comes to connect to OpenRouter.
"""

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from botocore.config import Config

from management_api import OpenRouter

AWS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def build() -> tuple[Any, ...]:
    assert OpenRouter.__name__
    session = boto3.session.Session()
    return (
        SecretsProvider(boto3_client=session.client("secretsmanager", config=AWS)),
        session.client("dynamodb", config=AWS),
        session.client("events", config=AWS),
        Logger(),
    )


def lambda_handler(event: Any, context: Any) -> None:
    build()[0].get(os.environ["MANAGEMENT_KEY_SECRET"], max_age=300)
