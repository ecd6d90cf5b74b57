"""Small stacks laid out by hand as `sam build` would leave them, all with one obedient function's code."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from sandbox.engine import Engine

# Does what its event says: AWS calls, then sleep, exit, raise or an answer. An SQS batch fails the records marked so.
OBEDIENT = dedent("""
    import datetime, json, os, sys, time
    import boto3

    STARTED = time.time()
    COUNT = 0

    def handler(event, context):
        global COUNT
        COUNT += 1
        print(f"run {COUNT}")
        if "Records" in event and event["Records"][0].get("eventSource") == "aws:sqs":
            bodies = [json.loads(record["body"]) for record in event["Records"]]
            if any(body.get("poison") for body in bodies):
                raise ValueError("poison")
            failed = [r["messageId"] for r, body in zip(event["Records"], bodies) if body.get("fail")]
            return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
        answers = []
        for service, operation, arguments in event.get("calls", []):
            try:
                answer = getattr(boto3.client(service), operation)(**arguments)
                answer.pop("ResponseMetadata", None)
                answers.append(json.loads(json.dumps(answer, default=str)))
            except Exception as error:
                answers.append(getattr(error, "response", {}).get("Error", {}).get("Code") or repr(error))
        if "sleep" in event:
            time.sleep(event["sleep"])
        if "exit" in event:
            os._exit(event["exit"])
        if "raise" in event:
            raise RuntimeError(event["raise"])
        return event.get("answer", {
            "now": datetime.datetime.now(datetime.UTC).isoformat(),
            "time": time.time(),
            "remaining": context.get_remaining_time_in_millis(),
            "run": COUNT,
            "pid": os.getpid(),
            "environment": dict(os.environ),
            "path": sys.path,
            "answers": answers,
        })
""")

HEAD = """Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Handler: app.handler, Timeout: 5}}
"""
Deploy = Callable[..., Engine]


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """Deploys a template's text; `files` adds to what is built. One engine at a time, closed with the module."""
    running: list[Engine] = []

    def deployed(template: str, files: Mapping[str, str] | None = None, **given: Any) -> Engine:
        engine = Engine.deploy(built(tmp_path_factory.mktemp("built"), template, files or {}), **given)
        running.append(engine)
        return engine

    yield deployed
    for engine in running:
        engine.close()


def built(folder: Path, template: str, files: Mapping[str, str]) -> Path:
    text = f"{HEAD}Resources:\n{template}"
    (folder / "template.yaml").write_text(dedent(text))
    for name, content in {"code/app.py": OBEDIENT, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[..., Path]:
    return lambda template, files=None: built(tmp_path, template, files or {})
