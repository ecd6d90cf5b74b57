"""Runs in the worker: AWS's runtime interface client, unmodified, under the engine's clock.

    python bootstrap.py HANDLER

Lambda counts a deadline from delivery, so deadline minus timeout *is* the instant of delivery: before each invocation
this process's clock moves there and runs on at real speed. The code under test asks for the date as it would in AWS.
It imports nothing of the sandbox: the interpreter it runs in does not have it.
"""

import os
import sys

import awslambdaric.bootstrap
import time_machine
from awslambdaric.lambda_runtime_client import InvocationRequest, LambdaRuntimeClient

TIMEOUT_MS = int(os.environ.pop("_ENGINE_TIMEOUT_MS"))
CLOCK = time_machine.travel(float(os.environ.pop("_ENGINE_NOW")), tick=True).start()


class TravellingClient(LambdaRuntimeClient):  # type: ignore[misc]  # awslambdaric has no types
    def wait_next_invocation(self) -> InvocationRequest:
        request = super().wait_next_invocation()
        CLOCK.move_to((int(request.deadline_time_in_ms) - TIMEOUT_MS) / 1000)
        return request


if __name__ == "__main__":
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    # The same threaded polling that AWS_EXECUTION_ENV selects in awslambdaric.__main__, so that signals are handled.
    client = TravellingClient(os.environ["AWS_LAMBDA_RUNTIME_API"], use_thread_for_polling_next=True)
    awslambdaric.bootstrap.run(sys.argv[1], client)
