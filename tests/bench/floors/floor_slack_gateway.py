"""The least that a Slack endpoint must do: read the signing secret once and check the signature."""

import base64
import json
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from slack_sdk.signature import SignatureVerifier

AWS = Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def build() -> SignatureVerifier:
    client = boto3.session.Session().client("secretsmanager", config=AWS)
    held = json.loads(client.get_secret_value(SecretId=os.environ["SLACK_SIGNING_SECRET"])["SecretString"])
    return SignatureVerifier(held["signing_secret"])


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"]
    return {"statusCode": 200 if build().is_valid_request(body, event["headers"]) else 401}
