"""The processes a bench is made of: the far side, and workers that do one job each, told over a pipe.

A worker is a script in `workers/`. It reads one JSON object a line, does what `do` says, answers with one, and ends
when its input closes. Those that run what ships get the runtime's interpreter and the built paths, and nothing else.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import httpx

from sandbox.build import ROOT, with_policy
from sandbox.engine.runtime import runtime_python

WORKERS = Path(__file__).with_name("workers")
LAYERS = ("ManagementApiLayer", "GovernorLayer", "PolicyLayer")
REGION = "us-east-1"


class WorkerFailed(Exception):
    """A worker ended without an answer; the message is what it wrote to standard error."""


def built_stack() -> Path:
    """What ships, as it is now: a copy, so that nobody's rebuild changes it while it is measured."""
    return with_policy(ROOT / "layers" / "policy" / "policy.yaml", ROOT / "build" / "bench" / "stack")


def shipped_paths(stack: Path, function: str) -> list[Path]:
    """Where Lambda would look for modules: the function's folder, then the layers."""
    return [stack / function, *(stack / layer / "python" for layer in LAYERS)]


def shipped_environment(stack: Path, function: str, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """A worker's whole environment; nothing of whoever runs the bench leaks in."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": tempfile.gettempdir(),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, shipped_paths(stack, function))),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        **(variables or {}),
    }


class Worker:
    """A process that does what it is told, one thing at a time."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )

    @classmethod
    def shipped(cls, script: str, stack: Path, function: str = "SpendMeterFunction", **variables: str) -> Self:
        """Under the runtime's interpreter, with the built layers and function."""
        return cls([runtime_python(), WORKERS / script], shipped_environment(stack, function, variables))

    @classmethod
    def developer(cls, script: str) -> Self:
        """Under the interpreter of the development environment, for what does not ship."""
        return cls([sys.executable, WORKERS / script], dict(os.environ))

    def tell(self, do: str, **given: Any) -> dict[str, Any]:
        """Raises `WorkerFailed`."""
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise WorkerFailed(f"{do}: {self._errors.read()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


class Far:
    """The far side's controls. `url`: what a client takes for OpenRouter's base URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._http = httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}/_far", timeout=120)

    def move(self, share: float, minute: int) -> None:
        self._http.get("/move", params={"share": share, "minute": minute})

    def latency(self, seconds: float) -> None:
        self._http.get("/latency", params={"seconds": seconds})

    def asked(self) -> tuple[list[str], int]:
        """`GET /api/v1/...` and so on since the last time, and the bytes of those requests."""
        answer = self._http.get("/asked").json()
        return answer["asked"], answer["bytes"]

    def close(self) -> None:
        self._http.close()


@contextlib.contextmanager
def far_side(keys: int, workspaces: int, kind: Literal["simulator", "replay"] = "replay") -> Iterator[Far]:
    command = [sys.executable, "-m", "tests.bench.far_side", kind, str(keys), str(workspaces)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            far = Far(process.stdout.readline().strip())
            yield far
            far.close()
        finally:
            process.kill()
