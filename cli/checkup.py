"""What every check of `governor doctor` is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from botocore.exceptions import ClientError

from cli.beside import beside
from cli.session import Session
from governor.policy import Policy

State = Literal["ok", "problem", "unknown"]
SECONDS = 10.0
"""For all checks together; they run beside each other."""


@dataclass(frozen=True)
class Finding:
    """`unknown`: the check could not run, which is no good news. `fix`: what to do, of all but `ok`."""

    check: str
    state: State
    what: str
    fix: str = ""


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its name, parameters and outputs, and its resources' physical ids by kind and logical id."""

    name: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, Mapping[str, str]]

    def of_kind(self, kind: str) -> Mapping[str, str]:
        return self.resources.get(kind, {})

    @property
    def has_slack(self) -> bool:
        return bool(self.parameters.get("SlackSecretName"))


@dataclass(frozen=True)
class Patient:
    """What a check may look at. Each check runs in a thread: clients are made before, by `aws`."""

    stack: Stack
    policy: Policy
    session: Session
    clients: Mapping[str, Any]

    @property
    def now(self) -> datetime:
        return self.session.now

    @cached_property
    def alarms(self) -> list[str]:
        return list(self.stack.of_kind("AWS::CloudWatch::Alarm").values())


Check = Callable[[Patient], list[Finding]]


def examine(patient: Patient, checks: Mapping[str, Check]) -> list[Finding]:
    """Every check's findings, in order; a check that failed or took too long is `unknown`."""
    answers = beside({name: _run(check, patient) for name, check in checks.items()}, SECONDS)
    found: list[Finding] = []
    for name, answer in answers.items():
        found += [_not_run(name, answer)] if isinstance(answer, Exception) else answer
    return found


def _run(check: Check, patient: Patient) -> Callable[[], list[Finding]]:
    return lambda: check(patient)


def _not_run(name: str, error: Exception) -> Finding:
    fix = "Run it again. If it stays so, look at what the error names."
    if isinstance(error, ClientError) and "AccessDenied" in error.response.get("Error", {}).get("Code", ""):
        fix = "Ask somebody who may: the error names the permission. docs/cli.md lists what doctor reads."
    return Finding(name, "unknown", f"The check could not run: {error or type(error).__name__}", fix)


def verdict(check: str, problems: Sequence[tuple[str, str]], fine: str) -> list[Finding]:
    """A finding for each problem and its fix; `fine` where there is none."""
    return [Finding(check, "problem", what, fix) for what, fix in problems] or [Finding(check, "ok", fine)]
