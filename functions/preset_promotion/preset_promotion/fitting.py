"""Holds an answer against a case's regex and JSON Schema in a process of its own, which is killed when it takes long.

Python's `re` cannot be interrupted: a pattern that backtracks for hours, in `regex` or in a schema's `pattern`, would
hold the whole invocation. The child gets the pattern, the schema and the answer on its standard input, no credentials
in its environment, and prints the classes that fail.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

SECONDS = 5.0
"""What one answer may take, the start of the process included."""


def unfit(regex: str | None, json_schema: Mapping[str, Any] | None, text: str, seconds: float = SECONDS) -> list[str]:
    """`regex` where it matches nowhere, `json_schema` where the text is not JSON that fits, `too_slow` where no answer
    came in time or at all."""
    if regex is None and json_schema is None:
        return []
    asked = json.dumps({"regex": regex, "json_schema": json_schema, "text": text})
    command = [sys.executable, "-m", "preset_promotion.fitting"]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module; what a person wrote travels on its input only
            command, input=asked, capture_output=True, text=True, timeout=seconds, check=True, env=environment
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return ["too_slow"]
    return [str(one) for one in json.loads(done.stdout)]


def _unfit(regex: str | None, json_schema: Mapping[str, Any] | None, text: str) -> list[str]:
    faults = []
    if regex is not None and not re.search(regex, text):
        faults.append("regex")
    if json_schema is not None and not _fits(json_schema, text):
        faults.append("json_schema")
    return faults


def _fits(schema: Mapping[str, Any], text: str) -> bool:
    """Whether the whole answer is JSON that fits: a consumer would parse it whole, fences and all."""
    import fastjsonschema

    try:
        fastjsonschema.compile(dict(schema), handlers=_Nowhere(), use_default=False)(json.loads(text))
    except (ValueError, RecursionError, fastjsonschema.JsonSchemaException):
        return False
    return True


class _Nowhere(dict[str, Callable[[str], Any]]):
    """A resolver of every scheme that resolves none: fastjsonschema opens what it finds no handler for, files too."""

    def __contains__(self, _scheme: object) -> bool:
        return True

    def __getitem__(self, _scheme: str) -> Callable[[str], Any]:
        return _refused


def _refused(_uri: str) -> Any:
    raise ValueError("a $ref must stay within the schema")


if __name__ == "__main__":
    given = json.load(sys.stdin)
    sys.stdout.write(json.dumps(_unfit(given["regex"], given["json_schema"], given["text"])))
