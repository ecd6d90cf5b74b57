"""The vendor's guide "BYOK", case by case: what is tried, in which order, and what is never tried.

Every endpoint fails where a whole order is to be seen; the generation then tells each attempt. Unless a test names
another source, the rule is from that guide; examples keep its providers, with the models of this catalogue.
"""

import pytest

CLAUDE, GPT, GPT_MINI = "anthropic/claude-haiku-4.5", "openai/gpt-5.1", "openai/gpt-5-mini"
ANTHROPIC, BEDROCK, VERTEX, OPENAI, AZURE = "Anthropic", "Amazon Bedrock", "Google", "OpenAI", "Azure"
BYOK, SHARED = True, False


ORDERINGS = {
    "a credential for each provider in the order": (
        ["amazon-bedrock", "google-vertex", "anthropic"],
        ["amazon-bedrock", "google-vertex", "anthropic"],
        [(BEDROCK, BYOK), (VERTEX, BYOK), (ANTHROPIC, BYOK), (BEDROCK, SHARED), (VERTEX, SHARED), (ANTHROPIC, SHARED)],
    ),
    "a credential for the second in the order only": (
        ["google-vertex"],
        ["amazon-bedrock", "google-vertex"],
        # The guide's list ends with the order's last; fallbacks being allowed, the rest follow ("Provider Routing").
        [(VERTEX, BYOK), (BEDROCK, SHARED), (VERTEX, SHARED), (ANTHROPIC, SHARED)],
    ),
    "a credential for a provider that is not in the order": (
        ["anthropic"],
        ["google-vertex"],
        [(ANTHROPIC, BYOK), (VERTEX, SHARED), (ANTHROPIC, SHARED), (BEDROCK, SHARED)],
    ),
    "none": (
        [],
        ["google-vertex", "amazon-bedrock"],
        [(VERTEX, SHARED), (BEDROCK, SHARED), (ANTHROPIC, SHARED)],
    ),
}


@pytest.mark.parametrize(("owned", "asked", "tried"), ORDERINGS.values(), ids=ORDERINGS)
def test_byok_endpoints_precede_shared_ones_whatever_order_is_asked_for(credential, order, owned, asked, tried):
    for provider in owned:
        credential(provider)
    assert order(order=asked, allow_fallbacks=True) == tried


def test_order_may_name_providers_as_responses_do(credential, order):
    """The vendor's SDK types `only`, `order` and `ignore` as display names or slugs."""
    assert order(order=["Google"], ignore=["Amazon Bedrock"]) == [(VERTEX, SHARED), (ANTHROPIC, SHARED)]


def test_two_prioritized_and_a_backup_surround_the_shared_endpoints(simulator, api, key, credential):
    """The guide's three OpenAI keys: first, second, OpenRouter, backup. Each is known by what it answers."""
    backup = credential("openai", is_fallback=True)
    first, second = credential("openai"), credential("openai")
    simulator.trouble(credential=first, trouble="revoked")
    simulator.trouble(credential=second, trouble="rate_limited")
    simulator.trouble(credential=backup, trouble="region_denied")
    only = {"only": ["openai"]}

    def statuses():
        body = api.chat(key[1], model=GPT, provider=only).json()
        return [each["status"] for each in body["openrouter_metadata"]["attempts"]]

    assert statuses() == [401, 429, 200]
    simulator.trouble(provider="openai", status=503)
    assert statuses() == [503] * 4
    simulator.trouble(provider="openai")
    # Shared capacity refused by another demand: what is left are the organization's own.
    api.patch(f"/byok/{first}", {"is_required": True})
    assert statuses() == [401, 429, 403]


def test_the_backup_waits_for_the_shared_endpoints_of_every_provider(credential, order):
    credential("openai", is_fallback=True)
    assert order(GPT) == [(OPENAI, SHARED), (AZURE, SHARED), (OPENAI, BYOK)]


def test_credentials_of_one_provider_are_tried_by_sort_order_within_their_section(simulator, api, key, credential):
    made = [credential("anthropic") for _ in range(3)]
    for sort_order, each in zip((2, 0, 1), made, strict=True):
        simulator.organization.credentials[each].sort_order = sort_order
    kinds = {made[0]: ("ambiguous", 400), made[1]: ("revoked", 401), made[2]: ("rate_limited", 429)}
    for each, (kind, _) in kinds.items():
        simulator.trouble(credential=each, trouble=kind)
    attempts = api.chat(key[1]).json()["openrouter_metadata"]["attempts"]
    assert [each["status"] for each in attempts] == [401, 429, 400, 200]


def test_every_credential_of_a_provider_precedes_those_of_the_next(credential, order):
    for provider in ("anthropic", "amazon-bedrock", "amazon-bedrock"):
        credential(provider)
    tried = order(order=["amazon-bedrock", "anthropic"])
    assert tried[:3] == [(BEDROCK, BYOK), (BEDROCK, BYOK), (ANTHROPIC, BYOK)]


@pytest.mark.parametrize(
    ("model", "tried"),
    [(GPT, [(OPENAI, BYOK), (OPENAI, BYOK)]), (GPT_MINI, [(OPENAI, BYOK), (OPENAI, SHARED)])],
    ids=["covered by both", "covered by the second"],
)
def test_a_narrow_required_credential_beside_a_wide_one(credential, order, model, tried):
    """The guide's keys A and B: A, for one model, forbids shared capacity for that model alone."""
    credential("openai", allowed_models=[GPT], is_required=True)
    credential("openai")
    assert order(model, only=["openai"]) == tried


LEVELS = {
    "use it": ({}, [(OPENAI, BYOK), (OPENAI, SHARED)], [(OPENAI, SHARED)]),
    "not for its models": ({"is_required": True}, [(OPENAI, BYOK)], [(OPENAI, SHARED)]),
    "not for any model": ({"is_byok_only": True}, [(OPENAI, BYOK)], []),
}


@pytest.mark.parametrize(("level", "inside", "outside"), LEVELS.values(), ids=LEVELS)
def test_the_three_levels_of_shared_capacity_inside_and_outside_a_credentials_models(
    credential, order, level, inside, outside
):
    credential("openai", allowed_models=[GPT], **level)
    assert order(GPT, only=["openai"]) == inside
    assert order(GPT_MINI, only=["openai"]) == outside


def test_a_provider_without_shared_capacity_is_skipped_and_the_others_still_serve(credential, order):
    credential("openai", allowed_models=[GPT], is_byok_only=True)
    assert order(GPT_MINI) == [(AZURE, SHARED)]


def test_shared_capacity_is_taken_from_keys_that_the_credential_is_not_for_too(simulator, credential, order):
    """The vendor names models only where it says whom `is_required` and `is_byok_only` bind."""
    other, _ = simulator.create_key("other")
    credential("openai", is_byok_only=True, allowed_api_key_hashes=[other.hash])
    assert order(GPT) == [(AZURE, SHARED)]


def test_a_credential_that_is_off_serves_nobody_and_takes_nothing(credential, order):
    credential("openai", is_byok_only=True, disabled=True)
    assert order(GPT) == [(OPENAI, SHARED), (AZURE, SHARED)]


def test_a_credential_serves_only_where_all_of_its_filters_match(simulator, credential, order):
    """Filters on model, key and member; null lets everything through."""
    ana, plaintext = simulator.create_key("ana", creator_user_id="user_fake_ana")
    filters = {
        "allowed_models": [CLAUDE],
        "allowed_api_key_hashes": [ana.hash],
        "allowed_user_ids": ["user_fake_ana"],
    }
    credential("anthropic", **filters)
    assert (ANTHROPIC, BYOK) in order(CLAUDE, plaintext)
    assert (ANTHROPIC, BYOK) not in order("anthropic/claude-opus-4.5", plaintext)
    assert (ANTHROPIC, BYOK) not in order(CLAUDE)


@pytest.mark.parametrize(
    "filters",
    [
        {"allowed_models": ["anthropic/claude-opus-4.5"]},
        {"allowed_user_ids": ["user_fake_somebody"]},
    ],
    ids=["another model", "another member"],
)
def test_one_filter_that_does_not_match_is_enough(credential, order, filters):
    credential("anthropic", **filters)
    assert (ANTHROPIC, BYOK) not in order()


def test_a_workspaces_credential_serves_its_workspace_and_a_global_one_every_workspace(simulator, order):
    """From the vendor's `BYOKKey`: a null workspace is not the default one."""
    simulator.declare(
        {
            "workspaces": [{"name": "Research", "slug": "research"}],
            "byok": [
                {"provider": "anthropic", "key": "fake-global", "global": True},
                {"provider": "anthropic", "key": "fake-default"},
            ],
        }
    )
    _, elsewhere = simulator.create_key("research-lab-agent", workspace="research")
    assert [each["workspace_id"] is None for each in simulator.state()["byok"]] == [True, False]
    assert order(only=["anthropic"]) == [(ANTHROPIC, BYOK), (ANTHROPIC, BYOK), (ANTHROPIC, SHARED)]
    assert order(caller=elsewhere, only=["anthropic"]) == [(ANTHROPIC, BYOK), (ANTHROPIC, SHARED)]


def test_of_a_workspaces_own_and_a_global_one_in_the_same_place_its_own_goes_first(simulator, api, key):
    """No source says which; what is built on the simulator must not find it changing."""
    credentials = [{"provider": "anthropic", "key": "fake-raw-key", "name": "everyone's", "global": True},
                   {"provider": "anthropic", "key": "fake-raw-key", "name": "its own"}]  # fmt: skip
    simulator.declare({"byok": credentials})
    simulator.trouble(credential="everyone's", trouble="revoked")
    simulator.trouble(credential="its own", trouble="rate_limited")
    attempts = api.chat(key[1]).json()["openrouter_metadata"]["attempts"]
    assert [each["status"] for each in attempts] == [429, 401, 200]


def test_another_workspaces_credential_takes_no_shared_capacity(simulator, credential, order):
    simulator.declare({"workspaces": [{"name": "Research", "slug": "research"}]})
    credential("openai", is_byok_only=True, workspace_id=simulator.organization.workspace("research").id)
    assert order(GPT) == [(OPENAI, SHARED), (AZURE, SHARED)]


def test_without_fallbacks_only_what_the_order_names_is_tried(credential, order):
    """The guide "Provider Routing": of two named, one that does not host the model; then the other, then an error."""
    assert order(order=["openai", "amazon-bedrock"], allow_fallbacks=False) == [(BEDROCK, SHARED)]


def test_without_fallbacks_a_fallback_key_is_not_used_even_where_it_is_all_there_is(credential, order):
    credential("anthropic", is_byok_only=True, allowed_models=["anthropic/claude-opus-4.5"])
    credential("anthropic", is_fallback=True)
    assert order(only=["anthropic"]) == [(ANTHROPIC, BYOK)]
    assert order(only=["anthropic"], allow_fallbacks=False) == []


def test_byok_only_goes_before_required_and_never_with_fallback(api, credential, order):
    both = credential("anthropic", is_required=True, is_byok_only=True, allowed_models=["anthropic/claude-opus-4.5"])
    assert order(only=["anthropic"]) == [], "shared capacity is gone for models outside the filter, too"
    assert api.patch(f"/byok/{both}", {"is_fallback": True}).status_code == 400
    spare = credential("anthropic", is_fallback=True)
    assert api.patch(f"/byok/{spare}", {"is_byok_only": True}).status_code == 400


def test_without_fallbacks_and_order_the_first_endpoint_decides(credential, order):
    """Whether a provider's second credential is a fallback no source says; here it is, as shared capacity is."""
    credential("anthropic"), credential("anthropic")
    assert order(allow_fallbacks=False) == [(ANTHROPIC, BYOK)]
    assert order(order=["anthropic", "google-vertex"], allow_fallbacks=False) == [(ANTHROPIC, BYOK), (VERTEX, SHARED)]
