"""An event for each message that the notifier can show: the samples, and what they do not have."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from governor.approvals.approval import KINDS, Approval, Request, Vote
from governor.approvals.evidence import Forgery, approval_event
from governor.events import DetailType, Event
from governor.events.bulk_evidence import BulkRotation
from governor.events.evidence import CredentialRotated, Drain, Drift, Expiring, KeyRef, Retired, Rotated
from governor.policy import Policy

ROOT = Path(__file__).resolve().parents[3]
T0 = datetime(2026, 11, 21, 8, tzinfo=UTC)
WORKLOAD, WORKSPACE, PRESET = "prod-search-agent", "platform-production", "support-triage"
KEY, NEW = KeyRef(hash="a" * 64, name=f"{WORKLOAD}#1"), KeyRef(hash="b" * 64, name=f"{WORKLOAD}#2")
POLICY = Policy.model_validate(
    {
        "version": 1,
        "approvals": {"channel": "C0GOVERNOR", "approvers": ["U0LEAD", "U0SEC"]},
        "workloads": [
            {
                "name": WORKLOAD,
                "workspace": WORKSPACE,
                "owner": {"slack": "U0SEARCH"},
                "secret": "openrouter/prod/search-agent",
            },
            {"name": "prod-checkout", "workspace": WORKSPACE, "owner": {"slack": "U0SHOP"}, "tier": 0},
        ],
    }
)


def request_of(kind: Any) -> Request:
    preset = kind in ("promotion", "override", "rollback", "adopt", "revert")
    change: dict[str, Any] = {"cause": "runaway"}
    if kind in ("promotion", "override"):
        change = {
            "from": {"workspace": "platform-staging", "version": 12},
            "to": {"workspace": WORKSPACE, "version": 8},
        }
    if kind == "key_rollback":
        change = {"back": KEY.hash, "back_name": KEY.name, "goes": NEW.hash, "goes_name": NEW.name}
    name = PRESET if preset else WORKLOAD
    return Request(
        f"request-{kind}", kind, name, "U0DEV", T0, T0 + timedelta(hours=24), change, ("U0LEAD",), 1, name, ("What.",)
    )


def examples() -> Iterator[Event]:
    """An event for each message that can bear a button, and the samples of all others."""
    for path in sorted((ROOT / "events" / "notifier").glob("*.json")):
        yield Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))
    for kind in KINDS:
        request = request_of(kind)
        no = (Vote("click", "U0LEAD", "reject", T0, "Not tonight."),)
        yield approval_event(DetailType.APPROVAL_REQUESTED, Approval(request), T0, "asked")
        yield approval_event(DetailType.APPROVAL_REJECTED, Approval(request, votes=no, decided_at=T0), T0, "asked")
        yield approval_event(DetailType.APPROVAL_EXPIRED, Approval(request), T0, "asked")
    rotated = Rotated(name=WORKLOAD, secret="openrouter/prod/search-agent", why="due", step="setSecret", rule="full")
    overlapping = rotated.model_copy(update={"old": KEY, "new": NEW, "overlap_until": T0})
    drain = Drain(name=WORKLOAD, key=KEY, since=T0, deadline=T0, rule="last_key")
    drift = Drift(name=WORKLOAD, field="hash", policy="a key", live="gone", key=KEY)
    for type, evidence in (
        (DetailType.ROTATION_FAILED, rotated),
        (DetailType.KEY_ROTATED, rotated),
        (DetailType.KEY_ROTATED, overlapping),
        (DetailType.DRAIN_BLOCKED, drain.model_copy(update={"current": NEW})),
        (DetailType.DRAIN_BLOCKED, drain),
        (DetailType.DRAIN_BLOCKED, drain.model_copy(update={"rule": ""})),
        (DetailType.KEY_DRIFTED, drift),
    ):
        yield Event(type, f"event-{type}", WORKLOAD, T0, "why", evidence.model_dump(mode="json"))
    bulk = BulkRotation(
        order="request-1", name=f"workspace {WORKSPACE}", because="leaked", state="running", total=7, waiting=4,
        running=2, failed=1, requested_by="U0DEV",
    )  # fmt: skip
    for state in ("running", "paused", "halted"):
        counted = bulk.model_copy(update={"state": state}).model_dump(mode="json")
        yield Event(DetailType.BULK_ROTATION_PROGRESSED, f"event-{state}", WORKSPACE, T0, "why", counted)
    undeclared = "c" * 64
    for event in list(samples("runaway_suspected", "key_disabled", "disable_withheld")):
        yield replace(event, subject=undeclared, evidence={**event.evidence, "name": "a key by hand"})


def samples(*names: str) -> Iterator[Event]:
    for name in names:
        path = ROOT / "events" / "notifier" / f"{name}.json"
        yield Event.received(json.loads(json.loads(path.read_text())["Records"][0]["body"]))


def _blind() -> Iterator[Event]:
    """Monitor Blind of every other kind."""
    [event] = samples("monitor_blind")
    for kind, error in (
        ("partial_list", "EmptyList: GET /guardrails named none"),
        ("partial_list", "guardrails[3].limit_usd is not an amount: 'lots'"),
        ("broadcast_silent", "traffic in three checks, nothing pushed"),
        ("broadcast_drifted", "privacy_mode is false"),
        ("broadcast_content", "a delivery held a prompt"),
    ):
        name = "list of guardrails" if kind == "partial_list" else "platform-production"
        yield replace(event, evidence={**event.evidence, "kind": kind, "name": name, "error": error})


def others() -> Iterator[Event]:
    """Messages without a button and without a sample."""
    yield from _blind()
    rotated = Rotated(name=WORKLOAD, secret="openrouter/prod/search-agent", why="due", old=KEY, new=NEW)
    back = rotated.model_copy(update={"requested_by": "U0LEAD", "old": NEW, "new": KEY})
    retired = Retired(name=KEY.name, key=KEY, created_at=T0 - timedelta(days=70), disabled_at=T0 - timedelta(days=7))
    credential = CredentialRotated(
        name=f"{WORKSPACE}/anthropic", workspace=WORKSPACE, provider="anthropic", secret="providers/anthropic",
        owner="U0OPS", credential_id="cred-1", proof="served",
    )  # fmt: skip
    expiring = Expiring(
        name="governor", why="expiry", secret="governor/openrouter-management-key", since=T0 - timedelta(days=300),
        expires_at=T0 + timedelta(days=14),
    )  # fmt: skip
    forged = Forgery(
        detail_type="Approval Requested", event="0" * 32, about="request-1", rule="other_digest",
        found="the stored request has another digest",
    )  # fmt: skip
    for kind, evidence in (
        (DetailType.ROTATION_STARTED, rotated),
        (DetailType.ROTATION_ROLLED_BACK, back),
        (DetailType.ROLLBACK_REFUSED, back.model_copy(update={"rule": "rotation_in_hand"})),
        (DetailType.KEY_RETIRED, retired),
        (DetailType.ORPHAN_REMOVED, retired),
        (DetailType.KEY_EXPIRING, expiring),
        (DetailType.CREDENTIAL_ROTATED, credential),
        (DetailType.CREDENTIAL_ROTATION_FAILED, credential.model_copy(update={"proof": "", "rule": "refused"})),
        (DetailType.FORGERY_SUSPECTED, forged),
    ):
        yield Event(kind, f"event-{kind}", WORKLOAD, T0, "The reason stands here.", evidence.model_dump(mode="json"))
    request = request_of("restore")
    granted = Approval(request, "granted", (Vote("click", "U0LEAD", "approve", T0),), decided_at=T0)
    yield approval_event(DetailType.APPROVAL_GRANTED, granted, T0, "asked")
    yield approval_event(DetailType.APPROVAL_COUNTED, replace(granted, decided_at=None), T0, "asked")
    yield approval_event(DetailType.APPROVAL_VOIDED, Approval(request), T0, "asked")
