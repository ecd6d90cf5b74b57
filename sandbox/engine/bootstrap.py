"""Runs in the worker: AWS's runtime interface client, unmodified, under the engine's clock.

    python bootstrap.py HANDLER

Lambda counts a deadline from delivery, so deadline minus timeout *is* the instant of delivery: before each invocation
this process's clock moves there and runs on at real speed. The code under test asks for the date as it would in AWS.
It imports nothing of the sandbox: the interpreter it runs in does not have it.
"""

import os
import sys
from typing import Any

import awslambdaric.bootstrap
import botocore.session
import time_machine
from awslambdaric.lambda_runtime_client import InvocationRequest, LambdaRuntimeClient
from botocore.config import Config

TIMEOUT_MS = int(os.environ.pop("_ENGINE_TIMEOUT_MS"))
PATIENCE = 10
"""Times that AWS's answers may take longer here than a function's client waits at AWS: the machine may be busy."""
CLOCK = time_machine.travel(float(os.environ.pop("_ENGINE_NOW")), tick=True).start()


class TravellingClient(LambdaRuntimeClient):  # type: ignore[misc]  # awslambdaric has no types
    def wait_next_invocation(self) -> InvocationRequest:
        request = super().wait_next_invocation()
        CLOCK.move_to((int(request.deadline_time_in_ms) - TIMEOUT_MS) / 1000)
        return request


SESSION: Any = botocore.session.Session
CREATE_CLIENT = SESSION.create_client


def create_patient_client(session: Any, service_name: str, config: Any = None, **more: Any) -> Any:
    """boto3's way to every client: the one seam that a function's own timeouts pass."""
    if config is not None:
        longer = {name: PATIENCE * getattr(config, name) for name in ("connect_timeout", "read_timeout")}
        config = config.merge(Config(**longer))
    return CREATE_CLIENT(session, service_name, config=config, **more)


SESSION.create_client = create_patient_client


if __name__ == "__main__":
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    # The same threaded polling that AWS_EXECUTION_ENV selects in awslambdaric.__main__, so that signals are handled.
    client = TravellingClient(os.environ["AWS_LAMBDA_RUNTIME_API"], use_thread_for_polling_next=True)
    awslambdaric.bootstrap.run(sys.argv[1], client)
