"""moto's server in this process, started on a free loopback port, and clients to it."""

import logging
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from sandbox.engine.atomic import make_requests_atomic
from sandbox.engine.iam_gate import ADMIN_KEY
from sandbox.engine.memoized import memoize
from sandbox.engine.template import REGION


class Aws:
    """Clients by service name, for the engine itself or for a role's credentials."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._clients: dict[tuple[str, str], Any] = {}
        # Making clients from one session is not thread-safe; using them is.
        self._lock = threading.Lock()

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        identity: dict[str, Any] = credentials or {"aws_access_key_id": ADMIN_KEY, "aws_secret_access_key": "fake"}
        key = (service, identity["aws_access_key_id"])
        with self._lock:
            if key not in self._clients:
                session: Any = boto3.session.Session(region_name=REGION, **identity)
                # A refusal is an answer here, never a hiccup to retry.
                config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
                self._clients[key] = session.client(service, endpoint_url=self.endpoint, config=config)
            return self._clients[key]


@contextmanager
def serving() -> Iterator[Aws]:
    """moto's server, its state empty. One at a time: moto's state is the process's."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    memoize()
    make_requests_atomic()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        # `localhost`, not the address: S3 and SQS build names from it.
        endpoint = f"http://localhost:{server.get_host_and_port()[1]}"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        yield Aws(endpoint)
    finally:
        server.stop()
