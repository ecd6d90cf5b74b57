"""What the vendor refuses or keeps, and a simulator that is kinder or harsher would hide."""

import pytest


def guardrail(api, **fields):
    return api.post("/guardrails", {"name": "rules", **fields})


def test_a_change_of_a_key_that_changes_nothing_known_is_a_400(simulator, api):
    key, _ = simulator.create_key("search")
    for body in ({}, {"expires_at": "2027-01-01T00:00:00Z"}):
        answer = api.patch(f"/keys/{key.hash}", body)
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, "No update fields provided")


@pytest.mark.parametrize(
    "refused",
    [
        {"limit_usd": 5.0},
        {"limit_usd": 5.0, "reset_interval": None},
        {"allowed_data_regions": []},
        {"allowed_models": []},
        {"ignored_providers": []},
    ],
)
def test_a_guardrail_that_could_not_mean_anything_is_a_400(api, refused):
    assert guardrail(api, **refused).status_code == 400


def test_a_limits_interval_cannot_be_taken_from_it(api):
    made = guardrail(api, limit_usd=5.0, reset_interval="daily").json()["data"]
    assert api.patch(f"/guardrails/{made['id']}", {"reset_interval": None}).status_code == 400
    assert api.patch(f"/guardrails/{made['id']}", {"reset_interval": None, "limit_usd": None}).status_code == 200


@pytest.mark.parametrize("pattern", ["(?=secret)x", "(?!a)b", "(?<=a)b", r"(a)\\1", "(unclosed"])
def test_a_pattern_that_cannot_be_run_in_linear_time_is_refused_by_its_own_code(api, pattern):
    filters = [{"pattern": pattern, "action": "block"}]
    answer = guardrail(api, content_filters=filters)
    assert (answer.status_code, answer.json()["error"]["metadata"]["error_type"]) == (400, "invalid_regex_pattern")
    made = guardrail(api).json()["data"]
    assert api.patch(f"/guardrails/{made['id']}", {"content_filters": filters}).status_code == 400


def test_flags_of_training_and_publication_are_kept(api):
    flags = {
        "enable_free_model_publication": False, "enable_free_model_training": False, "enable_paid_model_training": True,
    }  # fmt: skip
    made = guardrail(api, **flags).json()["data"]
    assert flags.items() <= api.get(f"/guardrails/{made['id']}").json()["data"].items()


def test_a_budget_that_is_not_there_is_deleted_already(simulator, api):
    workspace = simulator.organization.default_workspace.id
    answer = api.delete(f"/workspaces/{workspace}/budgets/daily")
    assert (answer.status_code, answer.json()) == (200, {"deleted": True})


@pytest.mark.parametrize("provider", ["openrouter", "Anthropic", "nobody", ""])
def test_a_credential_of_a_provider_that_takes_no_keys_is_a_400(api, provider):
    assert api.post("/byok", {"provider": provider, "key": "fake-raw"}).status_code == 400


def test_the_default_workspace_is_deleted_when_that_is_confirmed_and_nothing_defaults_to_it_then(api):
    default = api.get("/workspaces").json()["data"][0]["id"]
    assert api.delete(f"/workspaces/{default}").status_code == 400
    assert api.delete(f"/workspaces/{default}?confirm_default_workspace_deletion=true").status_code == 200
    assert api.post("/keys", {"name": "homeless"}).status_code == 400


def test_a_months_first_byok_requests_cost_no_fee(simulator, api):
    organization = simulator.organization
    organization.byok_fee, organization.byok_free_requests = 0.05, 10
    key, _ = simulator.create_key("search")
    simulator.spend(key.hash, 15.0, requests=15, byok=True)
    assert (key.meter.usage, key.meter.byok) == (pytest.approx(0.25), 15.0)
    simulator.clock.set(simulator.clock.now() + 31 * 86_400)
    simulator.spend(key.hash, 10.0, requests=10, byok=True)
    assert key.meter.usage == pytest.approx(0.25)


NOWHERE = "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/keys?workspace_id={}", None),
        ("GET", "/guardrails?workspace_id={}", None),
        ("GET", "/byok?workspace_id={}", None),
        ("GET", "/observability/destinations?workspace_id={}", None),
        ("GET", "/presets?workspace_id={}", None),
        ("POST", "/keys", {"name": "search"}),
        ("POST", "/guardrails", {"name": "tight"}),
        ("POST", "/byok", {"provider": "anthropic", "key": "fake-raw"}),
        ("POST", "/observability/destinations", {"type": "webhook", "name": "traces", "config": {"url": "http://x"}}),
    ],
)
@pytest.mark.parametrize("named", [NOWHERE, "default"])
def test_a_workspace_that_a_query_or_a_body_names_and_that_is_none_is_a_400(api, method, path, body, named):
    """The vendor's document: `workspace_id` is a UUID, and these calls list 400 and no 404."""
    sent = None if body is None else {**body, "workspace_id": named}
    answer = api.call(method, path.format(named), json=sent)
    assert (answer.status_code, answer.json()["error"]["metadata"]["error_type"]) == (400, "invalid_request")


def test_a_workspace_that_a_path_names_and_that_is_none_is_a_404(api):
    for path in (f"/workspaces/{NOWHERE}", f"/workspaces/{NOWHERE}/budgets"):
        assert api.get(path).status_code == 404


def test_a_key_is_moved_to_no_workspace_that_is_none(simulator, api):
    key, _ = simulator.create_key("search")
    assert api.patch(f"/keys/{key.hash}", {"workspace_id": NOWHERE}).status_code == 400
    assert key.workspace_id == simulator.organization.default_workspace.id


@pytest.mark.parametrize(
    "refused",
    [
        {"content_filters": [{"pattern": "secret"}]},
        {"content_filters": [{"pattern": "secret", "action": "delete"}]},
        {"content_filters": [{"pattern": "", "action": "block"}]},
        {"content_filters": [{"pattern": "secret", "action": "block", "label": "x" * 101}]},
        {"content_filter_builtins": [{"slug": "email"}]},
        {"content_filter_builtins": [{"slug": "passport", "action": "block"}]},
        {"content_filter_builtins": [{"slug": "email", "action": "block", "scan_scope": "none"}]},
    ],
)
def test_a_content_filter_is_refused_where_the_vendors_document_refuses_it(api, refused):
    assert guardrail(api, **refused).status_code == 400
    made = guardrail(api).json()["data"]
    assert api.patch(f"/guardrails/{made['id']}", refused).status_code == 400


def test_content_filters_are_kept_as_they_were_sent(api):
    filters = {
        "content_filters": [{"pattern": "secret", "action": "redact", "label": "[SECRET]"}],
        "content_filter_builtins": [{"slug": "email", "action": "flag"}],
    }
    assert filters.items() <= guardrail(api, **filters).json()["data"].items()
