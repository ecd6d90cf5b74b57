"""What a cold start may cost, and what an import may not do."""

import inspect
import os
import subprocess
import sys

import pytest

from governor.environment import SettingsError
from governor.events import BadEvent
from kill_switch import handler
from tests.unit.kill_switch.doubles import runaway


def test_the_handler_stays_small() -> None:
    assert len(inspect.getsource(handler).splitlines()) <= 60


def test_importing_the_handler_reads_no_environment_and_brings_nothing_heavy() -> None:
    code = (
        "import os, sys\n"
        "os.environ.clear()\n"
        "import kill_switch.handler\n"
        "print(*(name for name in ('aws_xray_sdk', 'slack_sdk', 'yaml', 'jsonschema') if name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_a_bad_event_is_refused_before_anything_is_built() -> None:
    handler.build.cache_clear()
    with pytest.raises(BadEvent):
        handler.lambda_handler({"detail-type": "Nonsense"}, None)
    assert handler.build.cache_info().misses == 0


def test_a_missing_variable_fails_the_first_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    handler.build.cache_clear()
    monkeypatch.delenv("TABLE_NAME", raising=False)
    with pytest.raises(SettingsError, match="TABLE_NAME"):
        handler.lambda_handler(runaway(), None)
