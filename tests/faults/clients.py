"""AWS's clients of all fault tests, each made once: to make one costs more than a case takes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest import mock

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.retries.quota import RetryQuota

from governor.aws import AWS
from sandbox.engine.atomic import make_requests_atomic
from sandbox.engine.memoized import memoize

REGION = "us-east-1"
memoize()
make_requests_atomic()
_BOTO = boto3.session.Session


@cache
def client(service: str, attempts: int = 2) -> Any:
    """boto3's, with the timeouts of `governor.aws`."""
    session: Any = _BOTO(region_name=REGION, aws_access_key_id="fake", aws_secret_access_key="fake")
    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # To sign and to introduce oneself is a sixth of a call's time, and only moto's S3 asks who calls.
        signature_version=None if service == "s3" else UNSIGNED,
        user_agent="faults",
    )
    return session.client(service, config=config)


class Session:
    """Stands for boto3's in the handlers."""

    region_name = REGION

    def client(self, service: str, config: Any = None) -> Any:
        if service == "sts":
            return client(service)  # it is asked for its address alone, and never called
        return _asked(service, config)


def _asked(service: str, config: Any) -> Any:
    """With as many attempts as a handler asks for. Every one of them must bound its calls (`governor.aws`)."""
    assert config.connect_timeout <= AWS.connect_timeout  # type: ignore[attr-defined]
    assert config.read_timeout <= AWS.read_timeout  # type: ignore[attr-defined]
    return client(service, config.retries["total_max_attempts"])


@contextmanager
def shared() -> Iterator[None]:
    """Whoever asks boto3 for a client gets the one that there is."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch("boto3.session.Session", Session))
        stack.enter_context(mock.patch("boto3.client", _asked))
        # A container's client may repeat a hundred times before it may no more: the one of all containers must too.
        stack.enter_context(mock.patch.object(RetryQuota, "acquire", return_value=True))
        yield
