"""What a cold start of a function that anybody may call may cost, and what an import may not do."""

import os
import subprocess
import sys

import pytest

HEAVY = ("pydantic", "httpx", "aws_lambda_powertools", "slack_sdk", "governor.policy", "governor.events")


@pytest.mark.parametrize("function", ["broadcast_gateway", "slack_gateway"])
def test_importing_the_handler_reads_no_environment_and_brings_nothing_that_it_does_not_need(function: str) -> None:
    code = (
        "import os, sys\n"
        "os.environ.clear()\n"
        f"import {function}.handler\n"
        f"print(*(name for name in {HEAVY} if name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
