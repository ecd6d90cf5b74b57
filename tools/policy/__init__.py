"""The policy's compiler: from `policy.yaml` to a checked `Policy`, with faults that say line, field and what to write.

    python -m tools.policy build layers/policy/policy.yaml OUT_DIRECTORY
    python -m tools.policy schema > layers/policy/policy.schema.json

YAML is read here, at build, so that no function pays for a YAML parser at cold start. `governor policy check` asks the
same compiler.
"""

from tools.policy._blanks import UNFILLED_TEXT, UNFILLED_USER, blanks
from tools.policy._compiler import LOADER, MOST_BYTES, checked, compile_policy, compile_text
from tools.policy._faults import Fault, PolicyFault, line_of
from tools.policy._spelling import nearest

__all__ = [
    "LOADER",
    "MOST_BYTES",
    "UNFILLED_TEXT",
    "UNFILLED_USER",
    "Fault",
    "PolicyFault",
    "blanks",
    "checked",
    "compile_policy",
    "compile_text",
    "line_of",
    "nearest",
]
