"""Runs functions: a warm worker when there is one, a new one when there is not, and a record of every invocation."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.engine.aws import Aws
from sandbox.engine.clock import VirtualClock
from sandbox.engine.faults import Faults
from sandbox.engine.functions import Function
from sandbox.engine.layers import merged
from sandbox.engine.permissions import Permissions, Session
from sandbox.engine.runtime import runtime_python
from sandbox.engine.worker import Outcome, Worker


@dataclass(frozen=True)
class Invocation:
    """One run of a function: `at` in virtual time, `seconds` of real time; `kind`: response, error or timeout, or
    throttled, which was no run: as many as the function's reserved concurrency allows were under way.
    """

    function: str
    request_id: str
    at: datetime
    seconds: float
    kind: str
    source: str
    cold: bool
    event: Any
    result: Any

    @property
    def payload(self) -> bytes:
        return json.dumps(self.result).encode()


class Pool:
    """The execution environments of every function. `folder` takes logs and merged layers."""

    def __init__(
        self,
        folder: Path,
        aws: Aws,
        permissions: Permissions,
        clock: VirtualClock,
        faults: Faults,
        extra: Mapping[str, str],
    ) -> None:
        self.functions: dict[str, Function] = {}
        self.invocations: list[Invocation] = []
        self._folder, self._aws, self._permissions, self._clock = folder, aws, permissions, clock
        self._faults, self._extra = faults, dict(extra)
        self._idle: dict[str, list[Worker]] = {}
        self._busy: dict[str, list[Worker]] = {}
        self._credentials: dict[str, dict[str, str]] = {}
        self._opt: dict[str, Path] = {}
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def by_arn(self, arn: str) -> Function | None:
        plain = arn.removesuffix(":$LATEST")
        return next((one for one in self.functions.values() if plain in (one.arn, one.name, one.logical_id)), None)

    def invoke(self, function: Function, payload: bytes, source: str, request_id: str | None = None) -> Invocation:
        """Runs the function to its end. Never raises for what the function does: that is the record's `kind`."""
        request_id = request_id or str(uuid.uuid4())
        if not self._enters(function):
            return self._throttled(function, payload, source, request_id)
        try:
            return self._run(function, payload, source, request_id)
        finally:
            with self._lock:
                self._running[function.logical_id] -= 1

    def _run(self, function: Function, payload: bytes, source: str, request_id: str) -> Invocation:
        with self._lock:
            idle = self._idle.setdefault(function.logical_id, [])
            worker = idle.pop() if idle else None
        cold = worker is None
        worker = worker or self._start(function)
        with self._lock:
            self._busy.setdefault(function.logical_id, []).append(worker)
        began, at = time.monotonic(), self._clock.now()
        with self._faults.around(function.logical_id, worker.kill):
            outcome = worker.invoke(request_id, payload)
        self._return(function, worker, outcome)
        record = Invocation(
            function.logical_id,
            request_id,
            at,
            time.monotonic() - began,
            outcome.kind,
            source,
            cold,
            json.loads(payload or b"null"),
            json.loads(outcome.payload or b"null"),
        )
        self.invocations.append(record)
        return record

    def role_credentials(self, role_arn: str, holder: str) -> dict[str, str]:
        """Credentials of a role, as boto3's clients take them; what is done with them is held to the role."""
        if holder not in self._credentials:
            answer = self._aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=f"function-{holder}"[:64])[
                "Credentials"
            ]
            self._permissions.sessions[answer["AccessKeyId"]] = Session(role_arn, holder)
            self._credentials[holder] = {
                "aws_access_key_id": answer["AccessKeyId"],
                "aws_secret_access_key": answer["SecretAccessKey"],
                "aws_session_token": answer["SessionToken"],
            }
        return self._credentials[holder]

    def log(self, function: Function) -> str:
        path = self._log_path(function)
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def recycle(self) -> None:
        """Ends the idle workers: whoever is woken next starts anew, as after a deployment."""
        with self._lock:
            workers = [worker for found in self._idle.values() for worker in found]
            self._idle = {}
        for worker in workers:
            worker.close()

    def close(self) -> None:
        with self._lock:
            workers = [worker for group in (self._idle, self._busy) for found in group.values() for worker in found]
            self._idle, self._busy = {}, {}
        for worker in workers:
            worker.close()

    def _enters(self, function: Function) -> bool:
        """Whether one more may run; it is counted then."""
        with self._lock:
            if function.reserved is not None and self._running[function.logical_id] >= function.reserved:
                return False
            self._running[function.logical_id] += 1
            return True

    def _throttled(self, function: Function, payload: bytes, source: str, request_id: str) -> Invocation:
        refusal = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "message": "Rate Exceeded."}
        event, now = json.loads(payload or b"null"), self._clock.now()
        record = Invocation(function.logical_id, request_id, now, 0.0, "throttled", source, False, event, refusal)
        self.invocations.append(record)
        return record

    def _start(self, function: Function) -> Worker:
        if function.logical_id not in self._opt:
            self._opt[function.logical_id] = merged(function.layers, self._folder / "opt" / function.logical_id)
        credentials = self.role_credentials(function.role_arn, function.logical_id)
        environment = {name.upper(): value for name, value in credentials.items()}
        environment |= {"AWS_ENDPOINT_URL": self._aws.endpoint, **function.environment, **self._extra}
        python, opt = runtime_python(), self._opt[function.logical_id]
        return Worker(function, python, opt, environment, self._log_path(function), self._clock)

    def _return(self, function: Function, worker: Worker, outcome: Outcome) -> None:
        with self._lock:
            self._busy[function.logical_id].remove(worker)
            if outcome.reusable:
                self._idle[function.logical_id].append(worker)
        if not outcome.reusable:
            worker.close()

    def _log_path(self, function: Function) -> Path:
        path = self._folder / "logs" / f"{function.logical_id}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
