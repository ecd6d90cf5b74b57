"""`governor doctor`: whether a deployed stack works, and what to do where it does not. Reads only."""

from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from cli import checks_aws, checks_far
from cli.checkup import Finding, Patient, Stack, examine
from cli.command import command
from cli.deployed import POLICY, PolicyFile, outputs_of, policy_of
from cli.output import ExitCode, plain
from cli.session import Session

CHECKS = {**checks_far.CHECKS, **checks_aws.CHECKS}
_MARK = {"ok": "ok      ", "problem": "PROBLEM ", "unknown": "UNKNOWN "}
_STYLE = {"ok": "green", "problem": "bold red", "unknown": "bold yellow"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "doctor", aws=True)(doctor)


def doctor(session: Session, policy: PolicyFile = POLICY) -> ExitCode | None:
    """Whether a deployed stack works: secrets, Slack, mail, schedules, alarms, queues, functions, clock, policy.

    Every finding has its fix. A check that could not run is UNKNOWN, and no good news. It reads with your own AWS
    rights, secrets included where you may; it changes nothing. Exit code 1: there is a problem, or a check did not run.

    Example: governor doctor --stack governor
    """
    declared = policy_of(policy)
    found, parameters, outputs = outputs_of(session)
    with session.out.progress(f"{len(CHECKS)} checks"):
        pages = session.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=found)
        resources: dict[str, dict[str, str]] = {}
        for page in pages:
            for one in page["StackResourceSummaries"]:
                resources.setdefault(one["ResourceType"], {})[one["LogicalResourceId"]] = one["PhysicalResourceId"]
        clients = {service: session.aws(service) for service in checks_aws.CLIENTS}
        patient = Patient(Stack(found, parameters, outputs, resources), declared, session, clients)
        findings = examine(patient, CHECKS)
    document = [{"check": one.check, "state": one.state, "what": one.what, "fix": one.fix} for one in findings]
    session.out.result({"stack": found, "findings": document}, lambda console: _render(console, findings))
    return None if all(one.state == "ok" for one in findings) else ExitCode.FINDINGS


def _render(console: Console, findings: list[Finding]) -> None:
    for one in findings:
        line: Any = Text(_MARK[one.state], style=_STYLE[one.state])
        console.print(line.append(plain(f"{one.check}: {one.what}"), style=""))
        if one.fix:
            console.print(Text(plain(f"         fix: {one.fix}")))
    bad = sum(one.state != "ok" for one in findings)
    console.print(Text(f"{len(findings) - bad} of {len(findings)} findings are good.", style="bold"))
