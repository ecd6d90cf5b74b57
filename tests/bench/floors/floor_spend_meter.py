"""The least that a meter must do to answer for the first time: the same clients, the same first call, one log line.

Neither this nor the meter connects to OpenRouter at a beat that was metered already; both have imported its client.
"""

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics
from aws_lambda_powertools.utilities.parameters import SecretsProvider

from management_api import OpenRouter, Pacing


@cache
def build() -> tuple[Any, ...]:
    assert OpenRouter.__name__
    return (
        boto3.client("s3"),
        boto3.client("dynamodb"),
        boto3.client("events"),
        SecretsProvider(boto3_client=boto3.client("secretsmanager")),
        Pacing(float(os.environ["REQUESTS_PER_SECOND"])),
        Metrics(namespace="Floor", service="floor"),
        Logger(service="floor"),
    )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    s3, *_, logger = build()
    answer = s3.get_object(Bucket=os.environ["READING_BUCKET"], Key="readings/state.bin")
    content = answer["Body"].read()
    logger.info("beat", extra={"bytes": len(content)})
    return {"outcome": "repeated"}
