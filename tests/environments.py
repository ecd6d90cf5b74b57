"""Environments beside the project's own, for what must not share its versions: made with uv from a locked file."""

import hashlib
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).parents[1] / "build"


def python_of(name: str, requirements: Path) -> Path:
    """The interpreter of the environment that holds exactly these requirements, made anew when the file changes.

    The first time its packages are installed, with their hashes, which takes seconds and reaches the package index.
    """
    place = BUILD / f"{name}-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    python = place / "bin" / "python"
    if not (place / "complete").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], check=True)
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--python",
            str(python),
            "-r",
            str(requirements),
        ]
        subprocess.run(install, check=True)
        (place / "complete").touch()
    return python
