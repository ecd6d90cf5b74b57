"""The Python that workers run in: a virtual environment with what Lambda's image has, and nothing of this project's."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.engine.errors import EngineError

REQUIREMENTS = Path(__file__).with_name("runtime-requirements.txt")
FOLDER = Path(__file__).resolve().parents[2] / "build" / "runtime"


def runtime_python() -> Path:
    """The interpreter, installed (hashes checked) the first time and whenever the requirements change.

    A layer that forgot a dependency fails here as it would in Lambda, whatever is installed around the engine.
    Safe to call from several processes at once.
    """
    state = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    target = FOLDER / state
    python, mark = target / "bin" / "python", target / ".installed"
    if mark.exists():
        return python
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(target, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(target)])
            _run(
                [
                    str(python),
                    *["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"],
                    str(REQUIREMENTS),
                ]
            )
            mark.touch()
    return python


def _run(command: list[str]) -> None:
    # A PYTHONPATH of whoever runs the sandbox would leak into the installation.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}{done.stderr}")
