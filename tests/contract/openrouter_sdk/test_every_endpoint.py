"""The vendor's SDK drives every endpoint of the simulator: each answer parses, and says what is true."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox.openrouter.routes import ROUTES

# The SDK marks its own deprecated fields, and its pagination leans on a parser older than Python 3.13.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:ast\.:DeprecationWarning"),
]

type Case = Callable[..., None]

CASES: dict[tuple[str, str], Case] = {}
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is order 7?"}]


def case(method: str, path: str) -> Callable[[Case], Case]:
    def declare(function: Case) -> Case:
        CASES[method, path] = function
        return function

    return declare


@pytest.mark.parametrize(("method", "path"), CASES, ids=[f"{method} {path}" for method, path in CASES])
def test_the_sdk_reads_what_the_simulator_answers(method, path, account):
    CASES[method, path](account)
    template = re.sub(r"\{\w+\}", "[^/]+", path)
    called = [
        each for each in account.simulator.requests if each.method == method and re.fullmatch(template, each.path)
    ]
    assert {each.status < 300 for each in called} == {True}, "the case never called its endpoint"


NEWER_THAN_THE_SDK = {("DELETE", "/presets/{slug}"), ("POST", "/presets/{slug}/restore")}
"""The SDK that can be installed does not have these yet; see `tests/contract/management_api/test_presets.py`."""


def test_every_route_of_the_simulator_has_a_case():
    assert {(route.method, route.path) for route in ROUTES} - NEWER_THAN_THE_SDK == set(CASES)


@case("GET", "/keys")
def _(account):
    listed = account.admin.api_keys.list(workspace_id=account.workspace.id, include_disabled=True, offset=0)
    assert [(key.hash, key.usage, key.usage_daily) for key in listed.data] == [(account.key.hash, 5.0, 3.5)]
    assert account.admin.api_keys.list().data == []


@case("POST", "/keys")
def _(account):
    expires_at = datetime(2027, 1, 1, tzinfo=UTC)
    made = account.admin.api_keys.create(
        name="stage-eval", limit=10, limit_reset="weekly", expires_at=expires_at, workspace_id=account.workspace.id
    )
    assert made.key.startswith("sk-or-v1-fake-")
    assert (made.data.limit_remaining, made.data.limit_reset) == (10, "weekly")
    assert made.data.expires_at == expires_at
    assert made.data.workspace_id == account.workspace.id


@case("GET", "/keys/{hash}")
def _(account):
    key = account.admin.api_keys.get(hash=account.key.hash).data
    assert (key.name, key.limit, key.limit_remaining) == ("prod-search-agent", 50.0, 45.0)


@case("PATCH", "/keys/{hash}")
def _(account):
    key = account.admin.api_keys.update(hash=account.key.hash, disabled=True, limit=None).data
    assert (key.disabled, key.limit, key.limit_reset) == (True, None, "monthly")
    assert account.key.disabled


@case("DELETE", "/keys/{hash}")
def _(account):
    assert account.admin.api_keys.delete(hash=account.key.hash).DELETED is True
    assert account.simulator.organization.keys.get(account.key.hash) is None


@case("GET", "/key")
def _(account):
    data = account.caller.api_keys.get_current_key_metadata().data
    assert [(each.scope, each.remaining_usd) for each in data.budgets] == [
        ("api_key", 16.5), ("workspace", 75.0), ("key_limit", 45.0),
    ]  # fmt: skip
    assert data.effective_budget.scope == "api_key"
    assert data.effective_budget.guardrail_id == account.guardrail.id
    assert data.effective_budget.resets_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert account.admin.api_keys.get_current_key_metadata().data.is_management_key is True


@case("GET", "/workspaces")
def _(account):
    listed = account.admin.workspaces.list(limit=1).result
    assert (listed.total_count, [each.slug for each in listed.data]) == (2, ["default"])


@case("POST", "/workspaces")
def _(account):
    made = account.admin.workspaces.create(name="Research", slug="research", description="agents").data
    assert account.simulator.organization.workspace("research").id == made.id


@case("GET", "/workspaces/{id}")
def _(account):
    assert account.admin.workspaces.get(id="platform").data.id == account.workspace.id


@case("PATCH", "/workspaces/{id}")
def _(account):
    changed = account.admin.workspaces.update(id=account.workspace.id, is_observability_broadcast_enabled=False).data
    assert (changed.is_observability_broadcast_enabled, changed.name) == (False, "Platform")


@case("DELETE", "/workspaces/{id}")
def _(account):
    account.key.disabled = True
    assert account.admin.workspaces.delete(id="platform").DELETED is True
    assert account.workspace.id not in account.simulator.organization.workspaces


@case("GET", "/workspaces/{id}/budgets")
def _(account):
    listed = account.admin.workspaces.list_budgets(workspace_ref=account.workspace.id)
    assert [(each.reset_interval, each.limit_usd) for each in listed.data] == [("monthly", 80.0)]
    assert listed.include_byok_in_budgets is False


@case("GET", "/workspaces/{id}/budgets/{interval}")
def _(account):
    budget = account.admin.workspaces.get_budget(workspace_ref=account.workspace.id, interval="monthly").data
    assert (budget.limit_usd, budget.workspace_id) == (80.0, account.workspace.id)


@case("PUT", "/workspaces/{id}/budgets/{interval}")
def _(account):
    answer = account.admin.workspaces.set_budget(
        workspace_ref=account.workspace.id, interval="lifetime", limit_usd=500, include_byok_in_budgets=True
    )
    assert (answer.data.limit_usd, answer.data.reset_interval, answer.include_byok_in_budgets) == (500, None, True)


@case("DELETE", "/workspaces/{id}/budgets/{interval}")
def _(account):
    account.admin.workspaces.delete_budget(workspace_ref=account.workspace.id, interval="monthly")
    assert account.workspace.budgets == {}


@case("GET", "/credits")
def _(account):
    data = account.admin.credits.get_credits().data
    assert (data.total_credits, data.total_usage) == (100.0, 5.0)


@case("GET", "/organization/members")
def _(account):
    listed = account.admin.organization.list_members().result
    assert [(each.id, each.role) for each in listed.data][1] == ("user_fake_ana", "org:member")


@case("GET", "/guardrails")
def _(account):
    listed = account.admin.guardrails.list(workspace_id=account.workspace.id).result
    assert [each.id for each in listed.data] == [account.guardrail.id]


@case("POST", "/guardrails")
def _(account):
    made = account.admin.guardrails.create(
        name="tight", limit_usd=1, reset_interval="weekly", workspace_id=account.workspace.id
    ).data
    assert (made.limit_usd, made.reset_interval, made.include_byok_in_budgets) == (1, "weekly", False)


@case("GET", "/guardrails/{id}")
def _(account):
    assert account.admin.guardrails.get(id=account.guardrail.id).data.limit_usd == 20.0


@case("PATCH", "/guardrails/{id}")
def _(account):
    changed = account.admin.guardrails.update(
        id=account.guardrail.id, limit_usd=30, ignored_models=["x-ai/grok-4-fast"]
    )
    assert (changed.data.limit_usd, changed.data.reset_interval) == (30, "daily")


@case("DELETE", "/guardrails/{id}")
def _(account):
    assert account.admin.guardrails.delete(id=account.guardrail.id).DELETED is True
    assert account.simulator.organization.key_assignments == {}


@case("GET", "/guardrails/assignments/keys")
def _(account):
    listed = account.admin.guardrails.list_key_assignments().result
    assert [(each.key_hash, each.guardrail_id) for each in listed.data] == [(account.key.hash, account.guardrail.id)]


@case("GET", "/guardrails/assignments/members")
def _(account):
    assert [each.user_id for each in account.admin.guardrails.list_member_assignments().result.data] == [
        "user_fake_ana"
    ]


@case("GET", "/guardrails/{id}/assignments/keys")
def _(account):
    listed = account.admin.guardrails.list_guardrail_key_assignments(id=account.guardrail.id).result
    assert [each.key_name for each in listed.data] == ["prod-search-agent"]


@case("POST", "/guardrails/{id}/assignments/keys")
def _(account):
    other = account.simulator.organization.create_guardrail("other", workspace="platform")
    assert account.admin.guardrails.bulk_assign_keys(id=other.id, key_hashes=[account.key.hash]).assigned_count == 1
    assert account.simulator.organization.guardrail_of_key(account.key.hash) is other


@case("POST", "/guardrails/{id}/assignments/keys/remove")
def _(account):
    answer = account.admin.guardrails.bulk_unassign_keys(id=account.guardrail.id, key_hashes=[account.key.hash])
    assert answer.unassigned_count == 1


@case("GET", "/guardrails/{id}/assignments/members")
def _(account):
    listed = account.admin.guardrails.list_guardrail_member_assignments(id=account.guardrail.id).result
    assert [each.user_id for each in listed.data] == ["user_fake_ana"]


@case("POST", "/guardrails/{id}/assignments/members")
def _(account):
    answer = account.admin.guardrails.bulk_assign_members(id=account.guardrail.id, member_user_ids=["user_fake_owner"])
    assert answer.assigned_count == 1


@case("POST", "/guardrails/{id}/assignments/members/remove")
def _(account):
    answer = account.admin.guardrails.bulk_unassign_members(id=account.guardrail.id, member_user_ids=["user_fake_ana"])
    assert answer.unassigned_count == 1


@case("GET", "/byok")
def _(account):
    listed = account.admin.byok.list(workspace_id=account.workspace.id, provider="mistral").result
    assert [(each.id, each.label) for each in listed.data] == [(account.credential.id, "fak...tral")]


@case("POST", "/byok")
def _(account):
    made = account.admin.byok.create(
        provider="anthropic",
        key="fake-raw-anthropic",
        workspace_id=account.workspace.id,
        allowed_api_key_hashes=[account.key.hash],
        is_fallback=True,
    ).data
    assert (made.is_fallback, made.allowed_api_key_hashes, made.sort_order) == (True, [account.key.hash], 0)


@case("GET", "/byok/{id}")
def _(account):
    assert account.admin.byok.get(id=account.credential.id).data.name == "agreement"


@case("PATCH", "/byok/{id}")
def _(account):
    changed = account.admin.byok.update(id=account.credential.id, key="fake-raw-rotated", disabled=True).data
    assert (changed.label, changed.disabled, changed.name) == ("fak...ated", True, "agreement")


@case("DELETE", "/byok/{id}")
def _(account):
    assert account.admin.byok.delete(id=account.credential.id).DELETED is True


@case("GET", "/observability/destinations")
def _(account):
    listed = account.admin.observability.list(workspace_id=account.workspace.id).result
    assert [each.config.url for each in listed.data] == ["http://localhost:9/tap"]


@case("POST", "/observability/destinations")
def _(account):
    made = account.admin.observability.create(
        name="second",
        type_="webhook",
        config={"url": "http://localhost:9/second", "headers": {"X-Tap": "fake"}},
        privacy_mode=True,
        api_key_hashes=[account.key.hash],
        workspace_id=account.workspace.id,
    ).data
    assert (made.privacy_mode, made.sampling_rate, made.api_key_hashes) == (True, 1.0, [account.key.hash])


@case("GET", "/observability/destinations/{id}")
def _(account):
    assert account.admin.observability.get(id=account.destination.id).data.enabled is False


@case("PATCH", "/observability/destinations/{id}")
def _(account):
    changed = account.admin.observability.update(id=account.destination.id, enabled=True, privacy_mode=True).data
    assert (changed.enabled, changed.privacy_mode, changed.name) == (True, True, "tap")


@case("DELETE", "/observability/destinations/{id}")
def _(account):
    assert account.admin.observability.delete(id=account.destination.id).DELETED is True


@case("GET", "/analytics/meta")
def _(account):
    data = account.admin.analytics.get_analytics_meta().data
    assert {"total_usage", "request_count"} <= {metric.name for metric in data.metrics}
    assert {"api_key_id", "model"} <= {dimension.name for dimension in data.dimensions}


@case("POST", "/analytics/query")
def _(account):
    answer = account.admin.analytics.query_analytics(
        metrics=["total_usage", "request_count"],
        dimensions=["api_key_id", "model"],
        granularity="day",
        filters=[{"field": "api_key_id", "operator": "eq", "value": account.key.hash}],
        time_range={"start": datetime(2026, 11, 18, tzinfo=UTC), "end": datetime(2026, 11, 19, tzinfo=UTC)},
    )
    rows = [row.model_dump() for row in answer.data.data]
    assert len(rows) == answer.data.metadata.row_count == 1
    assert answer.data.metadata.truncated is False


@case("GET", "/activity")
def _(account):
    (item,) = account.admin.analytics.get_user_activity(request={"api_key_hash": account.key.hash}).data
    assert (item.date_, item.requests, item.usage) == ("2026-11-16", 3, 1.5)


@case("GET", "/presets")
def _(account):
    account.caller.presets.create_presets_chat_completions(slug="triage", messages=MESSAGES, model="openai/gpt-5.1")
    assert [each.slug for each in account.caller.presets.list().result.data] == ["triage"]


@case("POST", "/presets/{slug}/chat/completions")
def _(account):
    made = account.caller.presets.create_presets_chat_completions(
        slug="triage", messages=MESSAGES, model="openai/gpt-5.1", temperature=0.2, user="dropped"
    ).data
    version = made.designated_version
    assert (version.version, version.system_prompt) == (1, "Be brief.")
    assert version.config == {"model": "openai/gpt-5.1", "temperature": 0.2}


@case("GET", "/presets/{slug}")
def _(account):
    for temperature in (0.1, 0.9):
        account.caller.presets.create_presets_chat_completions(
            slug="triage", messages=MESSAGES, temperature=temperature
        )
    preset = account.caller.presets.get(slug="triage").data
    assert preset.designated_version.config == {"temperature": 0.9}
    assert preset.designated_version_id == preset.designated_version.id


@case("GET", "/presets/{slug}/versions")
def _(account):
    for temperature in (0.1, 0.9):
        account.caller.presets.create_presets_chat_completions(
            slug="triage", messages=MESSAGES, temperature=temperature
        )
    assert [each.version for each in account.caller.presets.list_versions(slug="triage").result.data] == [1, 2]


@case("GET", "/presets/{slug}/versions/{version}")
def _(account):
    account.caller.presets.create_presets_chat_completions(slug="triage", messages=MESSAGES, temperature=0.1)
    version = account.caller.presets.get_version(slug="triage", version="1").data
    assert version.creator_id.startswith("user_")
    assert version.config == {"temperature": 0.1}


@case("POST", "/chat/completions")
def _(account):
    result = account.caller.chat.send(
        model="anthropic/claude-haiku-4.5",
        messages=MESSAGES,
        max_tokens=16,
        provider={"only": ["amazon-bedrock"]},
        x_open_router_metadata="enabled",
    )
    assert (result.choices[0].finish_reason, result.usage.completion_tokens) == ("length", 16)
    assert result.usage.cost == pytest.approx((result.usage.prompt_tokens + 5 * 16) / 1e6)
    assert result.usage.is_byok is False
    assert [attempt.provider for attempt in result.openrouter_metadata.attempts] == ["Amazon Bedrock"]


@case("GET", "/generation")
def _(account):
    result = account.caller.chat.send(model="mistralai/mistral-large-2411", messages=MESSAGES)
    data = account.caller.generations.get_generation(id=result.id).data
    assert (data.is_byok, data.provider_name, data.total_cost) == (True, "Mistral", 0.0)
    assert [(each.status, each.is_byok) for each in data.provider_responses] == [(200, True)]
    assert data.upstream_inference_cost == pytest.approx(account.key.meter.byok)


@case("GET", "/models")
def _(account):
    listed = account.admin.models.list().result
    haiku = next(model for model in listed.data if model.id == "anthropic/claude-haiku-4.5")
    assert float(haiku.pricing.completion) == pytest.approx(5e-6)


@case("GET", "/models/count")
def _(account):
    assert account.admin.models.count().data.count == account.admin.models.list().result.total_count


@case("GET", "/models/user")
def _(account):
    account.guardrail.rules["allowed_models"] = ["openai/gpt-5.1"]
    listed = account.caller.models.list_for_user(security={"bearer": account.plaintext}).result
    assert [model.id for model in listed.data] == ["openai/gpt-5.1"]


@case("GET", "/models/{author}/{slug}/endpoints")
def _(account):
    data = account.admin.endpoints.list(author="anthropic", slug="claude-haiku-4.5").data
    assert [each.provider_name for each in data.endpoints] == ["Anthropic", "Amazon Bedrock", "Google"]


@case("GET", "/providers")
def _(account):
    assert "anthropic" in {provider.slug for provider in account.admin.providers.list().data}


@case("POST", "/oauth/token")
def _(account):
    policy = account.simulator.federate(account.key.hash, issuer="https://idp", subject="agent", audience="openrouter")
    claims = {
        "iss": policy.issuer,
        "sub": policy.subject,
        "aud": policy.audience,
        "exp": account.simulator.clock.now() + 60,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "RS256"}, claims)]
    answer = account.admin.o_auth.create_oauth_token(
        federation_policy_id=policy.id,
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=".".join([*parts, "unsigned"]),
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
    )
    assert (answer.token_type, answer.expires_in, answer.scope) == ("Bearer", 60, "inference")
