"""The answers of AWS and OpenRouter when they refuse, in each one's own form."""

import json
import re
from typing import Any

import httpx
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse

_HASH = re.compile(r"/[0-9a-f]{64}|/[0-9a-f]{8}-[0-9a-f-]{27}")


def aws(name: str, request: Any, status: int, code: str) -> AWSResponse:
    """An AWS error. `name`: service and operation, such as `dynamodb.PutItem`."""
    if name.startswith(("s3.", "sns.", "sqs.")):
        inner = f"<Code>{code}</Code><Message>fault</Message>"
        text = (
            f"<Error>{inner}</Error>"
            if name.startswith("s3.")
            else f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>"
        )
    else:
        text = json.dumps({"__type": code, "message": "fault"})
    headers = HTTPHeaders()
    headers["x-amzn-errortype"] = code
    return AWSResponse(request.url, status, headers, MockRawResponse(text))


def openrouter(request: httpx.Request, status: int, error_type: str) -> httpx.Response:
    """An OpenRouter error."""
    error = {"code": status, "message": "fault", "metadata": {"error_type": error_type}}
    return httpx.Response(status, json={"error": error}, request=request)


def template(path: str) -> str:
    """A path without the ids in it."""
    return _HASH.sub("/{id}", path)
