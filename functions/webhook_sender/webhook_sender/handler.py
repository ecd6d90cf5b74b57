"""SQS in: every event of Governor's. A signed POST out, to the one receiver."""

import contextlib
import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from pydantic import SecretStr

from governor.aws import AWS
from governor.clock import utc_now
from governor.https_post import HttpsPost
from governor.secrets import FieldAbsent, Secrets, SecretsManager
from webhook_sender.decide import usable
from webhook_sender.service import Sender
from webhook_sender.settings import Delivery, WebhookSettings

logger = Logger(service="webhook_sender", use_rfc3339=True)


def secrets_of(secrets: Secrets, name: str) -> Sequence[SecretStr]:
    """The secret, and the previous one while both are valid. Raises `SecretUnusable`, and what `Secrets` raises."""
    found = [usable(secrets.field(name, "secret"), "secret")]
    with contextlib.suppress(FieldAbsent):
        found.append(usable(secrets.field(name, "previous"), "previous"))
    return found


@functools.cache
def build() -> Sender:
    """The sender over AWS and HTTPS, made at the first event. Raises `SettingsError`."""
    settings = WebhookSettings.read(os.environ)
    secrets = SecretsManager(boto3.client("secretsmanager", config=AWS))
    held = functools.partial(secrets_of, secrets, settings.webhook_secret)
    return Sender(HttpsPost(settings.webhook_url), held, utc_now)


def lambda_handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Raises what kept an event from being taken: its message comes again, and Lambda counts the error.

    A batch is one message (BatchSize), so an error is that message's and nobody else's.
    """
    for record in event["Records"]:
        delivery = Delivery.received(record)
        logger.info("sent", event_id=delivery.id, answer=build().send(delivery))
    return {"batchItemFailures": []}
