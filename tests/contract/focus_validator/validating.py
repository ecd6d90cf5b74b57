"""Validates FOCUS exports with the FinOps Foundation's validator, in an environment of its own; prints JSON.

Arguments: the version of the rules, the criteria that apply (comma-separated), and files. Printed: by file, each rule's
outcome (`passed`, `failed`, `skipped`). Any connection is refused: the rules and the currencies come with the package.
"""

import contextlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any
from unittest import mock


def _refused(_: socket.socket, address: Any) -> None:
    raise OSError(f"refused: {address}; the validator needs nothing from outside")


mock.patch.object(socket.socket, "connect", _refused).start()

import focus_validator  # type: ignore[import-not-found] # noqa: E402 - after the sockets are closed
from focus_validator.validator import Validator  # type: ignore[import-not-found] # noqa: E402


def _outcomes(file: str, version: str, criteria: str) -> dict[str, str]:
    with contextlib.redirect_stdout(sys.stderr):
        results = Validator(
            data_filename=file,
            output_destination=None,
            output_type="console",
            focus_dataset="CostAndUsage",
            rules_version=version,
            rules_block_remote_download=True,
            applicability_criteria=criteria,
        ).validate()
    return {rule: _outcome(found) for rule, found in results.by_rule_id.items()}


def _outcome(found: dict[str, Any]) -> str:
    if found.get("details", {}).get("skipped"):
        return "skipped"
    return "passed" if found["ok"] else "failed"


# It reads its list of currencies by a path that is relative to where packages are.
os.chdir(Path(focus_validator.__file__).parents[1])
version, criteria, *files = sys.argv[1:]
print(json.dumps({file: _outcomes(file, version, criteria) for file in files}))
