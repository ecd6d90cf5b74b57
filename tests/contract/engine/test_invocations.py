"""A function runs as it would in Lambda: its own process, packages, environment, clock and time limit."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.engine import Engine

MILLISECOND = timedelta(milliseconds=1)
TEMPLATE = """
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: first, CompatibleRuntimes: [python3.13]}}
  Other: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: second, CompatibleRuntimes: [python3.13]}}
  Obedient:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: code
      Timeout: 2
      Environment: {Variables: {GREETING: hello, COUNT: 3}}
  Layered:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: uses_layers.handler
      CodeUri: code
      Timeout: 5
      Layers: [!Ref Layer, !Ref Other]
      LoggingConfig: {LogFormat: JSON}
  Impatient:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: impatient.handler, CodeUri: code, Timeout: 5}
  Forgetful:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: forgot.handler, CodeUri: code, Timeout: 5}
"""
FILES = {
    "first/python/shared/one.py": "NAME = 'first'",
    "first/python/both.py": "NAME = 'first'",
    "second/python/shared/two.py": "NAME = 'second'",
    "second/python/both.py": "NAME = 'second'",
    "code/uses_layers.py": (
        "from shared import one, two\nimport both\ndef handler(event, context): return [one.NAME, two.NAME, both.NAME]"
    ),
    "code/impatient.py": (
        "import boto3\nfrom botocore.config import Config\n"
        "AWS = Config(connect_timeout=0.5, read_timeout=1, retries={'total_max_attempts': 2})\n"
        "def handler(event, context):\n"
        "    config = boto3.client('sqs', config=AWS).meta.config\n"
        "    return [config.connect_timeout, config.read_timeout, config.retries['total_max_attempts']]\n"
    ),
    "code/forgot.py": "import pydantic\ndef handler(event, context): return 1",
}


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, FILES, start="2026-03-01T12:00:00Z", environment={"ADDED": "by the engine"})


def test_the_function_sees_the_virtual_clock_and_its_whole_time(engine):
    engine.run_until(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))

    answer = engine.invoke("Obedient", {}).result

    seen = datetime.fromisoformat(answer["now"])
    assert timedelta() <= seen - datetime(2026, 3, 2, 9, 30, tzinfo=UTC) < timedelta(seconds=20)
    assert answer["time"] == pytest.approx(seen.timestamp(), abs=1)
    assert 1900 <= answer["remaining"] <= 2000


def test_a_clock_that_stands_still_moves_by_what_is_due_and_not_by_what_a_function_takes(engine):
    engine.clock.stand_still()
    before = engine.now()

    engine.invoke("Obedient", {})
    engine.run_until(timedelta(seconds=30))
    engine.invoke("Obedient", {})

    assert abs(engine.now() - before - timedelta(seconds=30)) < MILLISECOND
    engine.clock.tick()
    engine.invoke("Obedient", {})
    assert engine.now() - before > timedelta(seconds=30) + MILLISECOND


def test_a_client_waits_for_the_local_aws_ten_times_as_long_as_it_would_for_aws(engine):
    assert engine.invoke("Impatient", {}).result == [5.0, 10, 2]


def test_a_warm_worker_is_used_again_and_its_clock_follows(engine):
    first = engine.invoke("Obedient", {})
    engine.run_until(timedelta(days=3))
    second = engine.invoke("Obedient", {})

    assert second.result["pid"] == first.result["pid"]
    assert not second.cold
    assert second.result["time"] - first.result["time"] == pytest.approx(3 * 86400, abs=20)


def test_the_environment_is_the_functions_own(engine, monkeypatch):
    monkeypatch.setenv("LEAKED", "yes")

    environment = engine.invoke("Obedient", {}).result["environment"]

    assert environment["GREETING"] == "hello"
    assert environment["COUNT"] == "3"
    assert environment["ADDED"] == "by the engine"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "sandbox-Obedient"
    assert "LEAKED" not in environment
    assert not [name for name in environment if name.startswith("_ENGINE")]


def test_nothing_of_the_engine_or_its_packages_is_on_the_path(engine):
    path = engine.invoke("Obedient", {}).result["path"]

    assert not [entry for entry in path if entry.endswith("sandbox/engine") or "/.venv/" in entry]


def test_a_package_that_no_layer_brings_is_missing(engine):
    invocation = engine.invoke("Forgetful", {})

    assert invocation.kind == "error"
    assert invocation.result["errorType"] == "Runtime.ImportModuleError"
    assert "pydantic" in invocation.result["errorMessage"]


def test_layers_are_merged_and_the_later_one_wins(engine):
    assert engine.invoke("Layered", {}).result == ["first", "second", "second"]


def test_an_exception_is_an_error_and_the_worker_lives_on(engine):
    failed = engine.invoke("Obedient", {"raise": "no such luck"})
    after = engine.invoke("Obedient", {})

    assert (failed.kind, failed.result["errorType"]) == ("error", "RuntimeError")
    assert not after.cold
    assert "no such luck" in engine.logs("Obedient")


def test_the_time_limit_counts_from_delivery_and_ends_the_worker(engine):
    before = engine.invoke("Obedient", {}).result["pid"]
    late = engine.invoke("Obedient", {"sleep": 30})
    after = engine.invoke("Obedient", {})

    assert late.kind == "timeout"
    assert "Task timed out after 2.00 seconds" in late.result["errorMessage"]
    assert 2.0 <= late.seconds < 15
    assert after.cold
    assert after.result["pid"] != before


def test_a_crash_is_reported_and_the_next_call_gets_a_new_worker(engine):
    crashed = engine.invoke("Obedient", {"exit": 3})

    assert (crashed.kind, crashed.result["errorType"]) == ("error", "Runtime.ExitError")
    assert "exit status 3" in crashed.result["errorMessage"]
    assert engine.invoke("Obedient", {}).kind == "response"


def test_two_copies_run_side_by_side(engine):
    first, second = engine.invoke_together(("Obedient", {"sleep": 0.3}), ("Obedient", {"sleep": 0.3}))

    assert first.result["pid"] != second.result["pid"]


def test_a_worker_can_be_killed_in_the_middle(engine):
    engine.faults.kill_after("Obedient", 0.2)

    killed = engine.invoke("Obedient", {"sleep": 1.5})

    assert (killed.kind, killed.result["errorType"]) == ("error", "Runtime.ExitError")
    assert "signal: 9" in killed.result["errorMessage"]


def test_every_run_is_on_record(engine):
    count = len(engine.invocations)
    engine.invoke("Obedient", {"answer": {"ok": True}})

    last = engine.invocations[-1]
    assert len(engine.invocations) == count + 1
    assert (last.function, last.kind, last.source, last.event) == (
        "Obedient",
        "response",
        "invoke",
        {"answer": {"ok": True}},
    )
    assert json.loads(last.payload) == {"ok": True}
