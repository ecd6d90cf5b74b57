"""Function URLs: one loopback server, `http://localhost:PORT/<LogicalId>/path`, payload format 2.0.

Source: Lambda Developer Guide, "Invoking Lambda function URLs".
"""

import base64
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from sandbox.engine.clock import VirtualClock
from sandbox.engine.functions import Function
from sandbox.engine.permissions import Permissions
from sandbox.engine.pool import Pool

TEXT = ("text/", "application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class FunctionUrls:
    """Answers until closed. An unsigned request to an AWS_IAM URL, or one without permission, hears 403."""

    def __init__(self, pool: Pool, permissions: Permissions, clock: VirtualClock) -> None:
        self._pool, self._permissions, self._clock = pool, permissions, clock
        urls = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the engine keeps its own record."""

        for method in METHODS:
            setattr(Handler, f"do_{method}", lambda handler: urls._answer(handler))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, logical_id: str) -> str:
        return f"http://localhost:{self._server.server_port}/{logical_id}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path, _, query = handler.path.partition("?")
        _, logical_id, *rest = path.split("/")
        function = self._pool.functions.get(logical_id)
        if function is None or function.url_auth is None:
            return _send(handler, 404, {}, b'{"Message":null}', [])
        if not self._allowed(function, handler.headers.get("Authorization", "")):
            return _send(handler, 403, {}, b'{"Message":"Forbidden"}', [])
        event = _event(handler, "/" + "/".join(rest), query, body, self._clock)
        invocation = self._pool.invoke(function, json.dumps(event).encode(), "function-url")
        if invocation.kind == "throttled":
            return _send(handler, 429, {}, invocation.payload, [])
        if invocation.kind != "response":
            return _send(handler, 502, {}, b"Internal Server Error", [])
        return _send(handler, *_response(invocation.result))

    def _allowed(self, function: Function, authorization: str) -> bool:
        context = {"lambda:FunctionUrlAuthType": str(function.url_auth)}
        if function.url_auth == "NONE":
            return self._permissions.anyone_may("lambda:InvokeFunctionUrl", function.arn, context)
        key = authorization.partition("Credential=")[2].partition("/")[0]
        session = self._permissions.sessions.get(key)
        return session is not None and self._permissions.role_may(
            session.role_arn, "lambda:InvokeFunctionUrl", function.arn, context
        )


def _event(handler: BaseHTTPRequestHandler, path: str, query: str, body: bytes, clock: VirtualClock) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in handler.headers.items():
        headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    now = clock.now()
    is_text = headers.get("content-type", "text/plain").startswith(TEXT)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": handler.command,
                "path": path,
                "protocol": handler.request_version,
                "sourceIp": handler.client_address[0],
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": bool(body) and not is_text,
    }
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["queryStringParameters"] = parameters
    if body:
        event["body"] = body.decode() if is_text else base64.b64encode(body).decode()
    return event


def _response(result: Any) -> tuple[int, dict[str, str], bytes, list[str]]:
    if not isinstance(result, dict) or "statusCode" not in result:
        return 200, {"content-type": "application/json"}, json.dumps(result).encode(), []
    body = result.get("body") or ""
    if not isinstance(body, str):
        body = json.dumps(body)
    raw = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    headers = {"content-type": "application/json"} | {
        k.lower(): str(v) for k, v in (result.get("headers") or {}).items()
    }
    return int(result["statusCode"]), headers, raw, list(result.get("cookies") or [])


def _send(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, cookies: list[str]
) -> None:
    handler.send_response(status)
    for name, value in {"content-type": "application/json", **headers, "content-length": str(len(body))}.items():
        handler.send_header(name, value)
    for cookie in cookies:
        handler.send_header("set-cookie", cookie)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
