"""Builds the stack for this machine with `sam build`, once per state of its sources.

    python -m sandbox.build

`stack()` answers the folder with the built template, functions and layers; `with_policy()` a copy that carries another
policy, compiled by the very program the policy layer's build runs.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("template.yaml", "layers", "functions", "tools/policy", "tools/bootstrap.txt", "uv.lock")
ARCH = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


class BuildFailed(Exception):
    """`sam build` or the policy's compiler failed; the message is what it printed."""


def stack() -> Path:
    """The folder `build/stack`, built from the sources as they are now."""
    built, mark = ROOT / "build" / "stack", ROOT / "build" / "stack.sources"
    mark.parent.mkdir(exist_ok=True)
    # Tests run side by side, and sam empties the folder it builds into.
    with (mark.parent / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = _fingerprint()
        if not mark.exists() or mark.read_text() != state or not (built / "template.yaml").exists():
            mark.unlink(missing_ok=True)
            _run(
                ["sam", "build", "--parameter-overrides", f"Arch={ARCH}", "--build-dir", str(built)],
                {"ARCH": ARCH, "POLICY_FILE": str(ROOT / "layers" / "policy" / "policy.yaml")},
            )
            mark.write_text(state)
    return built


def with_policy(policy: Path, target: Path) -> Path:
    """A copy of the built stack at `target` whose policy layer holds the policy in the YAML file `policy`."""
    source = stack()
    shutil.rmtree(target, ignore_errors=True)
    # Hard links: the layers' thousand files are not copied, and the compiled policy below replaces, never edits.
    shutil.copytree(source, target, copy_function=os.link)
    replace_policy(policy, target)
    return target


def replace_policy(policy: Path, built: Path) -> None:
    """Compiles the policy in the YAML file `policy` into the policy layer of the stack at `built`."""
    layer = built / "PolicyLayer" / "python"
    shutil.rmtree(layer)
    _run([sys.executable, "-m", "tools.policy", "build", str(policy), str(layer)], {})


def _run(command: list[str], variables: dict[str, str]) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "SAM_CLI_TELEMETRY": "0", **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed(f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}{done.stderr}")


def _fingerprint() -> str:
    digest = hashlib.sha256(ARCH.encode())
    for name in SOURCES:
        path = ROOT / name
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    print(stack())
