"""Holds the import rules in pyproject.toml: `lint-imports`, with the packages in functions/ put in.

    python -m tools.import_rules

import-linter wants each package named in each rule. Here "{functions}" stands for all of them, and
"{functions}.service" for that module of each, so that a new function is under every rule once its folder exists.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = re.compile(r'"\{functions\}([.\w]*)"')


def spelled_out(rules: str, functions: Sequence[str]) -> str:
    """The rules (TOML) with each placeholder replaced by the names of the functions."""
    return PLACEHOLDER.sub(lambda found: ", ".join(f'"{name}{found[1]}"' for name in functions), rules)


def main() -> int:
    """What `lint-imports` exits with."""
    functions = sorted(path.parent.name for path in ROOT.glob("functions/*/*/handler.py"))
    rules = ROOT / "build" / "import_rules.toml"
    rules.parent.mkdir(exist_ok=True)
    rules.write_text(spelled_out((ROOT / "pyproject.toml").read_text(), functions))
    return subprocess.run(["lint-imports", "--config", rules], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
