"""The organization's policy: what Governor may do, in limits a human set. Read-only at run time.

Written as `layers/policy/policy.yaml`, checked and compiled to JSON at build (`tools/policy`, which names
the line at fault), checked again here at cold start.
"""

from governor.policy._account import Account, Alerts, Credits, Freeze, ManagementKey, Rotations
from governor.policy._approvals import Approvals
from governor.policy._byok import Byok, Drill, Expect, Probe, Window
from governor.policy._expected import ExpectedSpend
from governor.policy._parts import Duration, Share, SlackChannel, SlackUser, parse_duration
from governor.policy._people import Person
from governor.policy._policy import ROTATION_TAG, Policy, lineage_name
from governor.policy._presets import Checks, Golden, GoldenCase, Preset, Smoke
from governor.policy._review import Accepted, Declared, ModelGroup, Review, Tiers
from governor.policy._workloads import (
    NOBODY,
    Allowance,
    Budget,
    Copies,
    Exposed,
    Key,
    Limits,
    Owner,
    Rotation,
    Runaway,
    Workload,
)

__all__ = [
    "NOBODY",
    "ROTATION_TAG",
    "Accepted",
    "Account",
    "Alerts",
    "Allowance",
    "Approvals",
    "Budget",
    "Byok",
    "Checks",
    "Copies",
    "Credits",
    "Declared",
    "Drill",
    "Duration",
    "Expect",
    "ExpectedSpend",
    "Exposed",
    "Freeze",
    "Golden",
    "GoldenCase",
    "Key",
    "Limits",
    "ManagementKey",
    "ModelGroup",
    "Owner",
    "Person",
    "Policy",
    "Preset",
    "Probe",
    "Review",
    "Rotation",
    "Rotations",
    "Runaway",
    "Share",
    "SlackChannel",
    "SlackUser",
    "Smoke",
    "Tiers",
    "Window",
    "Workload",
    "lineage_name",
    "parse_duration",
]
