"""Data policies, regions and guardrails: a credential of one's own is exempt from none of them.

The rules are the vendor's guide "BYOK", its part on data policies, unless a test names another source. Which provider
retains or collects what is this catalogue's.
"""

import pytest

CLAUDE, GPT = "anthropic/claude-haiku-4.5", "openai/gpt-5.1"
ANTHROPIC, BEDROCK, VERTEX, OPENAI, AZURE = "Anthropic", "Amazon Bedrock", "Google", "OpenAI", "Azure"
BYOK, SHARED = True, False


@pytest.mark.parametrize(
    ("declared", "tried"),
    [(None, []), (False, []), (True, [(ANTHROPIC, BYOK)])],
    ids=["undeclared", "declared retaining", "declared ZDR"],
)
def test_zero_retention_holds_for_byok_unless_the_account_is_declared_to_have_it(credential, order, declared, tried):
    """The guide's example of a provider that retains prompts; what a declaration changes is from `BYOKKey`."""
    credential("anthropic", declared_zdr=declared)
    assert order(zdr=True, only=["anthropic"]) == tried


def test_an_account_declared_to_retain_is_out_where_the_shared_endpoint_is_in(credential, order):
    credential("amazon-bedrock", declared_zdr=False)
    assert order(zdr=True) == [(BEDROCK, SHARED), (VERTEX, SHARED)]


def test_a_provider_that_collects_data_is_out_with_and_without_byok(credential, order):
    credential("deepseek")
    tried = order("deepseek/deepseek-chat-v3.1", data_collection="deny")
    assert tried == [("DeepInfra", SHARED)]


@pytest.mark.parametrize(
    ("rules", "model", "tried"),
    [
        ({"enforce_zdr_anthropic": True}, CLAUDE, [(BEDROCK, SHARED), (VERTEX, SHARED)]),
        ({"enforce_zdr": True}, CLAUDE, [(BEDROCK, SHARED), (VERTEX, SHARED)]),
        ({"enforce_zdr": True, "enforce_zdr_openai": False}, GPT, [(OPENAI, SHARED), (AZURE, SHARED)]),
        ({"allowed_providers": ["amazon-bedrock"]}, CLAUDE, [(BEDROCK, SHARED)]),
        ({"ignored_providers": ["anthropic"]}, CLAUDE, [(BEDROCK, SHARED), (VERTEX, SHARED)]),
    ],
)
def test_a_guardrails_policies_bind_byok_too(simulator, key, credential, order, rules, model, tried):
    credential("anthropic")
    guardrail = simulator.organization.create_guardrail("strict", **rules)
    simulator.organization.assign(guardrail, [key[0].hash])
    assert order(model) == tried


@pytest.mark.parametrize(
    ("declared", "byok"), [(None, True), ("us", True), ("europe", False)], ids=["undeclared", "us", "europe"]
)
def test_a_regional_host_takes_credentials_of_its_region(simulator, api, key, declared, byok):
    """From the vendor's `BYOKKey.declared_region`; Azure is one of the providers that has both."""
    fields = {"provider": "azure", "key": "fake-raw-key", "declared_region": declared, "is_required": True}
    assert api.post("/byok", fields).status_code == 201
    body = {"model": GPT, "messages": [{"role": "user", "content": "hi"}], "provider": {"only": ["azure"]}}
    regional = api.post("/chat/completions", body, key=key[1], headers={"Host": "us.openrouter.ai"})
    assert (regional.status_code == 200) is byok
    assert api.post("/chat/completions", body, key=key[1]).json()["usage"]["is_byok"], "anywhere is any region"


def test_a_region_is_refused_where_its_provider_has_none(api):
    """From `BYOKKey.declared_region`: Anthropic has the US only."""
    asked = {"provider": "anthropic", "key": "fake-raw-key", "declared_region": "europe"}
    assert api.post("/byok", asked).status_code == 400
    assert api.post("/byok", {**asked, "declared_region": "us"}).status_code == 201


def test_a_guardrail_may_close_a_region(simulator, api, key):
    """From the vendor's `Guardrail.allowed_data_regions`: requests by any other host are rejected."""
    guardrail = simulator.organization.create_guardrail("european", allowed_data_regions=["europe"])
    simulator.organization.assign(guardrail, [key[0].hash])
    body = {"model": CLAUDE, "messages": [{"role": "user", "content": "hi"}]}
    assert api.post("/chat/completions", body, key=key[1]).status_code == 403
    assert api.post("/chat/completions", body, key=key[1], headers={"Host": "eu.openrouter.ai"}).status_code == 200


def test_under_zero_retention_a_required_key_that_declares_none_keeps_the_fallback_key_from_use(credential, order, api):
    """The guide's one limit of a fallback key with a declaration: the request fails with the keys that there are."""
    required = credential("anthropic", is_required=True)
    credential("anthropic", is_fallback=True, declared_zdr=True)
    assert order(zdr=True, only=["anthropic"]) == []
    assert order(only=["anthropic"]) == [(ANTHROPIC, BYOK), (ANTHROPIC, BYOK)]
    api.patch(f"/byok/{required}", {"is_required": False})
    assert order(zdr=True, only=["anthropic"]) == [(ANTHROPIC, BYOK)]
    api.patch(f"/byok/{required}", {"is_required": True, "declared_zdr": True})
    assert order(zdr=True, only=["anthropic"]) == [(ANTHROPIC, BYOK), (ANTHROPIC, BYOK)]
    api.patch(f"/byok/{required}", {"declared_zdr": None, "allowed_models": ["anthropic/claude-opus-4.5"]})
    assert order(zdr=True, only=["anthropic"]) == [(ANTHROPIC, BYOK)], "for the models that it applies to, no more"


def test_a_fallback_key_with_a_declaration_ranks_behind_other_providers_zero_retention_endpoints(credential, order):
    credential("anthropic", is_fallback=True, declared_zdr=True)
    assert order(zdr=True) == [(BEDROCK, SHARED), (VERTEX, SHARED), (ANTHROPIC, BYOK)]
    assert order(zdr=True, allow_fallbacks=False) == [(BEDROCK, SHARED)], "the one that led before the key was added"
    assert order(zdr=True, only=["anthropic"], allow_fallbacks=False) == []


def test_a_fallback_key_never_opens_a_regional_endpoint_and_a_prioritized_one_does(simulator, api, credential, order):
    simulator.organization.regional_only.add(("anthropic", CLAUDE))
    own = credential("anthropic", is_fallback=True)
    assert order(only=["anthropic"]) == []
    api.patch(f"/byok/{own}", {"is_fallback": False})
    assert order(only=["anthropic"]) == [(ANTHROPIC, BYOK)]
