"""Function URLs answer on the loopback as AWS's do, payload format 2.0."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import httpx
import pytest
from botocore.exceptions import ClientError

from sandbox.engine import Engine

FUNCTION = """
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: echo.handler
      CodeUri: code
      Timeout: 5
"""
TEMPLATE = f"""
  Open: {FUNCTION}
      FunctionUrlConfig: {{AuthType: NONE}}
  Signed: {FUNCTION}
      FunctionUrlConfig: {{AuthType: AWS_IAM}}
  Private: {FUNCTION}
  Narrow: {FUNCTION.replace("echo", "waiting")}
      ReservedConcurrentExecutions: 2
      FunctionUrlConfig: {{AuthType: NONE}}
"""
ECHO = """
import json
def handler(event, context):
    if event["rawPath"] == "/fail":
        raise RuntimeError("no")
    if event["rawPath"] == "/plain":
        return {"hello": "world"}
    return {
        "statusCode": 201, "headers": {"X-Seen": "yes"}, "cookies": ["a=1", "b=2"], "body": json.dumps(event)}
"""


WAITING = """
import os, time
def handler(event, context):
    path = event.get("until") or event["queryStringParameters"]["until"]
    open(f"{path}.{context.aws_request_id}", "w").close()
    while not os.path.exists(path):
        time.sleep(0.01)
    return {"statusCode": 200}
"""


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, {"code/echo.py": ECHO, "code/waiting.py": WAITING})


def test_a_request_becomes_an_event_and_the_answer_a_response(engine):
    url = engine.url("Open") + "some/path?x=1&x=2&y="
    response = httpx.post(url, json={"a": 1}, headers={"X-Custom": "Z"}, cookies={"c": "3"})
    event = response.json()

    assert response.status_code == 201
    assert response.headers["x-seen"] == "yes"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/some/path", "x=1&x=2&y=")
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["headers"]["x-custom"] == "Z"
    assert event["cookies"] == ["c=3"]
    assert json.loads(event["body"]) == {"a": 1}
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["timeEpoch"] // 1000 == pytest.approx(engine.now().timestamp(), abs=20)


def test_bytes_travel_as_base64(engine):
    response = httpx.put(engine.url("Open"), content=b"\xff\x00", headers={"content-type": "application/octet-stream"})

    assert response.json()["isBase64Encoded"] is True
    assert base64.b64decode(response.json()["body"]) == b"\xff\x00"


def test_an_answer_without_a_status_is_the_body(engine):
    response = httpx.get(engine.url("Open") + "plain")

    assert (response.status_code, response.json()) == (200, {"hello": "world"})


def test_a_function_that_fails_is_a_bad_gateway(engine):
    assert httpx.get(engine.url("Open") + "fail").status_code == 502


def test_an_unsigned_request_to_a_signed_url_is_forbidden(engine):
    assert httpx.get(engine.url("Signed")).status_code == 403


def test_a_function_without_a_url_has_none(engine):
    assert httpx.get(engine.url("Private")).status_code == 404


def _fill(engine, until):
    """Two requests that wait for the file `until`, both inside."""
    url = engine.url("Narrow") + f"?until={until}"
    threads = [Thread(target=httpx.post, args=(url,), kwargs={"timeout": 60}) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(list(until.parent.glob("go.*"))) < 2:
        threads[0].join(0.01)
    return threads


def test_more_at_once_than_are_reserved_are_turned_away_until_a_place_is_free(engine, tmp_path):
    until = tmp_path / "go"
    waiting = _fill(engine, until)
    url = engine.url("Narrow") + f"?until={until}"
    assert [httpx.post(url, timeout=60).status_code for _ in range(3)] == [429, 429, 429]
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        engine.client("lambda").invoke(
            FunctionName=engine.physical("Narrow"), Payload=json.dumps({"until": str(until)})
        )
    until.touch()
    for thread in waiting:
        thread.join()
    assert httpx.post(url, timeout=60).status_code == 200


def test_an_event_that_finds_no_place_waits_and_spends_no_attempt(engine, tmp_path):
    until = tmp_path / "go"
    waiting = _fill(engine, until)
    payload = json.dumps({"until": str(until)})
    engine.client("lambda").invoke(FunctionName=engine.physical("Narrow"), Payload=payload, InvocationType="Event")
    for _ in range(4):
        engine.run_until(timedelta(minutes=1))
    assert engine.invocations[-1].kind == "throttled"
    until.touch()
    for thread in waiting:
        thread.join()
    engine.run_until(timedelta(minutes=2))
    assert engine.invocations[-1].kind == "response"
    assert engine.lost == []
