"""One execution environment: a process of the runtime interface client, reused while warm, killed when it overruns."""

import contextlib
import json
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.clock import VirtualClock
from sandbox.engine.functions import Function
from sandbox.engine.runtime_api import Report, RuntimeApi
from sandbox.engine.template import REGION

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
# Lambda gives an environment ten seconds to start, then starts it again on the invocation's own time.
INIT_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: `response`, `error` or `timeout`, and the payload Lambda would answer with."""

    kind: str
    payload: bytes
    reusable: bool


class Worker:
    """A process started for one function, with only what Lambda would put into its environment."""

    def __init__(
        self,
        function: Function,
        python: Path,
        opt: Path,
        environment: Mapping[str, str],
        log: Path,
        clock: VirtualClock,
    ) -> None:
        self._function, self._clock = function, clock
        self._api = RuntimeApi(function.arn)
        self._ready = False
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": tempfile.gettempdir(),
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "PYTHONPATH": f"{opt}/python",
            "LAMBDA_TASK_ROOT": str(function.code),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "_HANDLER": function.handler,
            "_ENGINE_NOW": str(clock.now().timestamp()),
            "_ENGINE_TIMEOUT_MS": str(function.timeout * 1000),
            **environment,
        }
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                # -P: the folder of the bootstrap, which is the engine's, is not on the path.
                [python, "-P", BOOTSTRAP, function.handler],
                cwd=function.code,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        threading.Thread(target=self._watch, daemon=True).start()

    def invoke(self, request_id: str, payload: bytes) -> Outcome:
        """Delivers once the environment is ready; the function's timeout (real seconds) counts from that moment."""
        if not self._ready:
            outcome = self._initialize(request_id)
            if outcome is not None:
                return outcome
        deadline = self._clock.now().timestamp() + self._function.timeout
        self._api.offer(request_id, payload, int(deadline * 1000))
        report = self._wait(request_id, self._function.timeout)
        if report is None:
            return self._overran(request_id)
        if report.kind == "exit":
            return self._exited(request_id)
        return Outcome(report.kind, report.body, reusable=True)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._api.close()

    def _initialize(self, request_id: str) -> Outcome | None:
        report = self._wait("", INIT_SECONDS + self._function.timeout)
        if report is None:
            return self._overran(request_id)
        if report.kind == "exit":
            return self._exited(request_id)
        if report.kind == "init_error":
            return Outcome("error", report.body, reusable=False)
        self._ready = True
        return None

    def _wait(self, request_id: str, seconds: float) -> Report | None:
        """The next report about this invocation (or, without an id, about the start); None when time is up."""
        until = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while True:
                report = self._api.reports.get(timeout=max(0.0, until - time.monotonic()))
                # The environment asks for its next invocation as soon as it has answered the last one.
                if report.kind in ("exit", "init_error") or report.request_id == request_id:
                    return report
        return None

    def _watch(self) -> None:
        self._process.wait()
        self._api.reports.put(Report("exit"))

    def _overran(self, request_id: str) -> Outcome:
        self.kill()
        words = f"RequestId: {request_id} Error: Task timed out after {self._function.timeout:.2f} seconds"
        return Outcome("timeout", _error("Sandbox.Timedout", words), reusable=False)

    def _exited(self, request_id: str) -> Outcome:
        status = self._process.wait()
        how = f"exit status {status}" if status >= 0 else f"signal: {-status}"
        words = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return Outcome("error", _error("Runtime.ExitError", words), reusable=False)


def _error(kind: str, words: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": words}).encode()
