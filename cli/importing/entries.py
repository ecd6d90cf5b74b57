"""What a proposal looks like as YAML: entries in block style, without indentation and dash."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cli.importing.pairs import PresetPair
from cli.importing.proposal import NewDecision, NewWorkload
from cli.yaml_edit import scalar
from tools.policy import UNFILLED_TEXT, UNFILLED_USER

HEADER = """\
# What Governor may do. Written by `governor import`; every field: docs/policy.md. Fill in what is marked, then run
# `governor policy check`. Nothing is disabled and nothing is rotated until this file says so.
version: 1
"""


def new_file(base_url: str | None) -> str:
    """A policy that watches every key, with nothing declared. `base_url`: None for OpenRouter's default."""
    account = f"account: {{base_url: {scalar(base_url)}}}\n" if base_url else ""
    return (
        f"{HEADER}{account}"
        "# alerts: {channel: C0GOVERNOR}          # the Slack channel's id; without it, alerts go to e-mail only\n"
        "# approvals: {channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC]}  # who may say yes\n"
        "defaults:                       # every key found in any workspace, declared or not\n"
        "  budget: {alert_at: [0.5, 0.8, 1.0]}\n"
        "  runaway: {mode: alert}        # alert tells and disables nothing\n"
        "  exposed: {mode: alert}\n"
    )


def workload(one: NewWorkload) -> str:
    """The entry of a workload. Rotation is left out: it needs a secret, which nobody can tell from the account."""
    lines = [
        f"name: {scalar(one.name)}",
        f"workspace: {scalar(one.workspace)}",
        _marked(f"owner: {{slack: {scalar(one.owner)}}}", "owner", one.owner),
    ]
    key = key_fields(one)
    if key:
        lines.append(f"key: {scalar(key)}" + (f"  # {one.note}" if one.note else ""))
    return "\n".join(lines)


def key_fields(one: NewWorkload) -> Mapping[str, Any]:
    """The key as it is; what is at its default is left out."""
    fields = {
        "adopts": one.adopts,
        "limit_usd": one.limit_usd,
        "limit_reset": one.limit_reset,
        "include_byok_in_limit": one.include_byok or None,
        "guardrail": one.guardrail,
        "expires_in": duration(one.expires_in),
    }
    return {name: value for name, value in fields.items() if value is not None}


def decision(one: NewDecision) -> str:
    """The entry of a provider key of our own, with the blanks of its record."""
    return "\n".join(
        [
            f"workspace: {scalar(one.workspace)}",
            f"provider: {scalar(one.provider)}",
            f"expect: {scalar({'prioritized': one.prioritized, 'fallback': one.fallback})}",
            _marked(f"reason: {scalar(UNFILLED_TEXT)}", "why the key is your own", UNFILLED_TEXT),
            _marked(f"owner: {scalar(UNFILLED_TEXT)}", "who answers for it", UNFILLED_TEXT),
            _marked(f"exit: {scalar(UNFILLED_TEXT)}", "when it may go", UNFILLED_TEXT),
        ]
    )


def preset(one: PresetPair) -> str:
    """The entry of a preset, with the secrets that a person has to store."""
    return "\n".join(
        [
            f"slug: {scalar(one.slug)}",
            f"from: {scalar(one.from_workspace)}",
            f"to: {scalar(one.to_workspace)}",
            f"from_secret: {scalar(one.from_secret)}  # secret: an inference key of {_said(one.from_workspace)}",
            f"to_secret: {scalar(one.to_secret)}  # secret: an inference key of {_said(one.to_workspace)}",
            _marked(f"approvers: {scalar(one.approvers)}", "approvers", "".join(one.approvers)),
        ]
    )


def duration(value: timedelta | None) -> str | None:
    """As a policy writes it: whole days, else whole hours."""
    if value is None:
        return None
    return f"{value.days}d" if value == timedelta(days=value.days) else f"{int(value.total_seconds() // 3600)}h"


def _marked(line: str, what: str, value: str) -> str:
    return f"{line}  # {what}: fill in" if UNFILLED_USER in value or value == UNFILLED_TEXT else line


def _said(name: str) -> str:
    """A name in a comment: whoever may name a workspace must not end the line, and begin one of the policy."""
    return "".join(one if one.isprintable() else " " for one in name)
