"""What each call sends, and what it makes of the answer."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr

from management_api import (
    AnalyticsFilter,
    AnalyticsQuery,
    ByokPatch,
    DestinationPatch,
    External,
    GuardrailPatch,
    KeyPatch,
    NewByok,
    NewDestination,
    NewGuardrail,
    NewKey,
    OpenRouter,
    PresetVersion,
    ProviderResponse,
    TimeRange,
    WorkspacePatch,
)
from tests.unit.management_api.far_side import CHAT, ROWS, SECRET, ClientOf, Recorder, key_json

NOW = "2026-08-24T10:30:00Z"
WORKSPACE = {"id": "w", "name": "Production", "slug": "production", "default_guardrail_id": "g", "created_at": NOW}
BUDGET = {"id": "b", "workspace_id": "w", "limit_usd": 500, "reset_interval": None, "created_at": NOW}
GUARDRAIL = {"id": "g", "name": "default", "include_byok_in_budgets": False, "created_at": NOW}
BYOK = {
    "id": "c", "provider": "anthropic", "disabled": False, "is_fallback": False, "sort_order": 0, "workspace_id": None,
    "allowed_models": None, "allowed_api_key_hashes": ["ab"], "allowed_user_ids": None, "created_at": NOW,
}  # fmt: skip
DESTINATION = {
    "id": "d", "type": "webhook", "workspace_id": "w", "enabled": True, "privacy_mode": True, "created_at": NOW,
    "config": {"url": "https://x"},
}  # fmt: skip
VERSION = {"id": "v", "preset_id": "p", "version": 3, "config": {"model": "a/b"}, "created_at": NOW}
PRESET = {"id": "p", "slug": "triage", "name": "Triage", "status": "active", "created_at": NOW}
GENERATION = {
    "id": "gen-1", "model": "a/b", "total_cost": 0.01, "usage": 0.01, "is_byok": False, "created_at": NOW,
    "provider_responses": [{"provider_name": "X", "status": None}],
}  # fmt: skip
ACTIVITY = {"date": "2026-08-23", "model": "a/b", "requests": 3, "usage": 0.5, "byok_usage_inference": 0}


PAGE = {"limit": "100", "offset": "0"}
CALLS: dict[str, tuple[Callable[[OpenRouter], Any], Any, str, str, dict[str, str], Any]] = {
    "key": (lambda c: c.keys.get("ab").name, {"data": key_json(7)}, "GET", "/keys/ab", {}, "prod-team-7"),
    "delete key": (lambda c: c.keys.delete("ab"), {"deleted": True}, "DELETE", "/keys/ab", {}, None),
    "workspaces": (lambda c: c.workspaces.list()[0].id, {"data": [WORKSPACE]}, "GET", "/workspaces", PAGE, "w"),
    "workspace": (lambda c: c.workspaces.get("w").slug, {"data": WORKSPACE}, "GET", "/workspaces/w", {}, "production"),
    "budgets": (
        lambda c: (c.workspaces.budgets("w").data[0].limit_usd, c.workspaces.budgets("w").include_byok_in_budgets),
        {"data": [BUDGET], "include_byok_in_budgets": True}, "GET", "/workspaces/w/budgets", {}, (500, True),
    ),
    "delete budget": (
        lambda c: c.workspaces.delete_budget("w", "daily"),
        {"deleted": True}, "DELETE", "/workspaces/w/budgets/daily", {}, None,
    ),
    "guardrails": (
        lambda c: c.guardrails.list("w")[0].id,
        {"data": [GUARDRAIL]}, "GET", "/guardrails", {**PAGE, "workspace_id": "w"}, "g",
    ),
    "guardrail": (lambda c: c.guardrails.get("g").name, {"data": GUARDRAIL}, "GET", "/guardrails/g", {}, "default"),
    "delete guardrail": (lambda c: c.guardrails.delete("g"), {"deleted": True}, "DELETE", "/guardrails/g", {}, None),
    "assignments": (
        lambda c: c.guardrails.assignments()[0].key_hash,
        {"data": [{"id": "a", "guardrail_id": "g", "key_hash": "ab", "created_at": NOW}]},
        "GET", "/guardrails/assignments/keys", PAGE, "ab",
    ),
    "assigned": (
        lambda c: c.guardrails.assigned("g")[0].key_hash,
        {"data": [{"id": "a", "guardrail_id": "g", "key_hash": "ab", "created_at": NOW}]},
        "GET", "/guardrails/g/assignments/keys", PAGE, "ab",
    ),
    "member assignments": (
        lambda c: c.guardrails.member_assignments()[0].user_id,
        {"data": [{"id": "a", "guardrail_id": "g", "user_id": "user_a", "created_at": NOW}]},
        "GET", "/guardrails/assignments/members", PAGE, "user_a",
    ),
    "members": (
        lambda c: c.organization.members()[0].id,
        {"data": [{"id": "user_a", "email": "a@example.com", "role": "org:member"}]},
        "GET", "/organization/members", PAGE, "user_a",
    ),
    "byok list": (
        lambda c: c.byok.list(provider="anthropic")[0].allowed_api_key_hashes,
        {"data": [BYOK]}, "GET", "/byok", {**PAGE, "provider": "anthropic"}, ["ab"],
    ),
    "byok": (lambda c: c.byok.get("c").provider, {"data": BYOK}, "GET", "/byok/c", {}, "anthropic"),
    "delete byok": (lambda c: c.byok.delete("c"), {"deleted": True}, "DELETE", "/byok/c", {}, None),
    "destinations": (
        lambda c: c.destinations.list()[0].config,
        {"data": [DESTINATION]}, "GET", "/observability/destinations", PAGE, {"url": "https://x"},
    ),
    "destination": (
        lambda c: c.destinations.get("d").privacy_mode,
        {"data": DESTINATION}, "GET", "/observability/destinations/d", {}, True,
    ),
    "delete destination": (
        lambda c: c.destinations.delete("d"), {"deleted": True}, "DELETE", "/observability/destinations/d", {}, None,
    ),
    "presets": (lambda c: c.presets.list()[0].slug, {"data": [PRESET]}, "GET", "/presets", PAGE, "triage"),
    "preset": (
        lambda c: c.presets.get("triage").designated_version,
        {"data": {**PRESET, "designated_version": VERSION}}, "GET", "/presets/triage", {},
        PresetVersion.model_validate(VERSION),
    ),
    "versions": (
        lambda c: c.presets.versions("triage")[0].config,
        {"data": [VERSION]}, "GET", "/presets/triage/versions", PAGE, {"model": "a/b"},
    ),
    "version": (
        lambda c: c.presets.version("triage", 3).id, {"data": VERSION}, "GET", "/presets/triage/versions/3", {}, "v",
    ),
    "analytics meta": (
        lambda c: c.analytics.meta().metrics[0].display_format,
        {"data": {"metrics": [{"name": "total_usage", "display_format": "currency"}], "dimensions": []}},
        "GET", "/analytics/meta", {}, "currency",
    ),
    "credits": (
        lambda c: c.credits().total_usage,
        {"data": {"total_credits": 100, "total_usage": 25.5}}, "GET", "/credits", {}, 25.5,
    ),
    "activity": (
        lambda c: c.activity(date=date(2026, 8, 23), api_key_hash="ab")[0].requests,
        {"data": [ACTIVITY]}, "GET", "/activity", {"date": "2026-08-23", "api_key_hash": "ab"}, 3,
    ),
    "models": (
        lambda c: str(c.models()[0].pricing.prompt),
        {"data": [{"id": "a/b", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}]},
        "GET", "/models", {"limit": "1000", "offset": "0"}, "0.000001",
    ),
    "generation": (
        lambda c: c.generation("gen-1").provider_responses,
        {"data": GENERATION}, "GET", "/generation", {"id": "gen-1"}, [ProviderResponse(provider_name="X")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "body", "method", "path", "query", "result"), CALLS.values(), ids=CALLS)
def test_each_call_asks_its_path_and_reads_its_answer(
    client_of: ClientOf, call: Any, body: Any, method: str, path: str, query: dict[str, str], result: Any
) -> None:
    far_side = Recorder(body)
    assert call(client_of(far_side)) == result
    assert far_side.request.method == method
    assert far_side.request.url.path == f"/api/v1{path}"
    assert dict(far_side.request.url.params) == query
    assert far_side.request.headers["Authorization"] == f"Bearer {SECRET}"


START, END = datetime(2026, 8, 24, tzinfo=UTC), datetime(2026, 8, 25, 2, tzinfo=timezone(timedelta(hours=2)))
WRITES: dict[str, tuple[Callable[[OpenRouter], Any], Any, str, str, Any]] = {
    "create key": (
        lambda c: c.keys.create(NewKey(name="x", limit=5, limit_reset=None, expires_at=END)),
        {"data": key_json(1), "key": "sk-or-v1-fake-new"}, "POST", "/keys",
        {"name": "x", "limit": 5, "limit_reset": None, "expires_at": "2026-08-25T00:00:00Z"},
    ),
    "create a member's key": (
        lambda c: c.keys.create(NewKey(name="x", creator_user_id="user_a", external=External(user="tenant"))),
        {"data": key_json(1), "key": "sk-or-v1-fake-new"}, "POST", "/keys",
        {"name": "x", "creator_user_id": "user_a", "external": {"user": "tenant"}},
    ),
    "assign members": (
        lambda c: c.guardrails.assign_members("g", ["user_a"]),
        {"assigned_count": 1}, "POST", "/guardrails/g/assignments/members", {"member_user_ids": ["user_a"]},
    ),
    "unassign members": (
        lambda c: c.guardrails.unassign_members("g", ["user_a"]),
        {"unassigned_count": 1}, "POST", "/guardrails/g/assignments/members/remove", {"member_user_ids": ["user_a"]},
    ),
    "update key": (
        lambda c: c.keys.update("ab", KeyPatch(disabled=True, limit=None)),
        {"data": key_json(1)}, "PATCH", "/keys/ab", {"disabled": True, "limit": None},
    ),
    "update workspace": (
        lambda c: c.workspaces.update("w", WorkspacePatch(description=None)),
        {"data": WORKSPACE}, "PATCH", "/workspaces/w", {"description": None},
    ),
    "set budget": (
        lambda c: c.workspaces.set_budget("w", "lifetime", 500, include_byok=True),
        {"data": BUDGET}, "PUT", "/workspaces/w/budgets/lifetime", {"limit_usd": 500, "include_byok_in_budgets": True},
    ),
    "create guardrail": (
        lambda c: c.guardrails.create(NewGuardrail(name="g", limit_usd=5)),
        {"data": GUARDRAIL}, "POST", "/guardrails", {"name": "g", "limit_usd": 5},
    ),
    "update guardrail": (
        lambda c: c.guardrails.update("g", GuardrailPatch(limit_usd=None)),
        {"data": GUARDRAIL}, "PATCH", "/guardrails/g", {"limit_usd": None},
    ),
    "assign": (
        lambda c: c.guardrails.assign("g", ("ab", "cd")),
        {"assigned_count": 2}, "POST", "/guardrails/g/assignments/keys", {"key_hashes": ["ab", "cd"]},
    ),
    "unassign": (
        lambda c: c.guardrails.unassign("g", ["ab"]),
        {"unassigned_count": 1}, "POST", "/guardrails/g/assignments/keys/remove", {"key_hashes": ["ab"]},
    ),
    "create byok": (
        lambda c: c.byok.create(NewByok(provider="anthropic", key=SecretStr("fake"))),
        {"data": BYOK}, "POST", "/byok", {"provider": "anthropic", "key": "fake"},
    ),
    "update byok": (
        lambda c: c.byok.update("c", ByokPatch(allowed_api_key_hashes=None)),
        {"data": BYOK}, "PATCH", "/byok/c", {"allowed_api_key_hashes": None},
    ),
    "create destination": (
        lambda c: c.destinations.create(
            NewDestination(type="webhook", name="n", config={"headers": {"X-Token": SecretStr("fake")}})
        ),
        {"data": DESTINATION}, "POST", "/observability/destinations",
        {"type": "webhook", "name": "n", "config": {"headers": {"X-Token": "fake"}}},
    ),
    "update destination": (
        lambda c: c.destinations.update("d", DestinationPatch(enabled=False)),
        {"data": DESTINATION}, "PATCH", "/observability/destinations/d", {"enabled": False},
    ),
    "save preset": (
        lambda c: c.presets.save("triage", {"model": "a/b"}),
        {"data": PRESET}, "POST", "/presets/triage/chat/completions", {"model": "a/b"},
    ),
    "chat": (
        lambda c: c.chat({"model": "a/b", "max_tokens": 16}),
        CHAT, "POST", "/chat/completions", {"model": "a/b", "max_tokens": 16, "stream": False},
    ),
    "analytics": (
        lambda c: c.analytics.query(
            AnalyticsQuery(
                metrics=["total_usage"],
                filters=[AnalyticsFilter(field="api_key_id", operator="eq", value="ab")],
                time_range=TimeRange(start=START, end=END),
            )
        ),
        ROWS, "POST", "/analytics/query",
        {
            "metrics": ["total_usage"],
            "filters": [{"field": "api_key_id", "operator": "eq", "value": "ab"}],
            "time_range": {"start": "2026-08-24T00:00:00Z", "end": "2026-08-25T00:00:00Z"},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "body", "method", "path", "sent"), WRITES.values(), ids=WRITES)
def test_a_body_holds_what_was_set_and_nothing_else(
    client_of: ClientOf, call: Any, body: Any, method: str, path: str, sent: Any
) -> None:
    far_side = Recorder(body)
    call(client_of(far_side))
    assert (far_side.request.method, far_side.request.url.path) == (method, f"/api/v1{path}")
    assert far_side.sent == sent
    assert far_side.request.headers["Content-Type"] == "application/json"
