"""BYOK through the vendor's SDK: what it sends is understood, and what it is told of routing and payment parses."""

import typing

import pytest
from openrouter import errors
from openrouter.components.byokproviderslug import BYOKProviderSlug

from sandbox.openrouter.byok_providers import BYOK_PROVIDERS

MESSAGES = [{"role": "user", "content": "Are you there?"}]
MODEL = "mistralai/mistral-large-2411"
"""The account's credential is its provider's."""
FAILURES = {
    "revoked": errors.UnauthorizedResponseError,
    "rate_limited": errors.TooManyRequestsResponseError,
    "region_denied": errors.ForbiddenResponseError,
    "unavailable": errors.ServiceUnavailableResponseError,
    "ambiguous": errors.BadRequestResponseError,
}

# The SDK's pagination leans on a parser older than Python 3.13.
pytestmark = pytest.mark.filterwarnings(r"ignore:ast\.:DeprecationWarning")


@pytest.fixture
def ask(account):
    def send(**more):
        return account.caller.chat.send(model=MODEL, messages=MESSAGES, x_open_router_metadata="enabled", **more)

    return send


def test_every_field_of_a_credential_is_written_and_read_back(account):
    fields = {
        "provider": "azure",
        "key": "fake-raw-azure",
        "name": "Azure agreement",
        "workspace_id": account.workspace.id,
        "is_required": True,
        "is_byok_only": True,
        "declared_region": "europe",
        "declared_zdr": True,
        "allowed_models": ["openai/gpt-5.1"],
        "allowed_api_key_hashes": [account.key.hash],
        "allowed_user_ids": ["user_fake_ana"],
    }
    made = account.admin.byok.create(**fields).data
    read = account.admin.byok.get(id=made.id).data
    assert {name: getattr(read, name) for name in fields if name != "key"} == {
        name: value for name, value in fields.items() if name != "key"
    }
    changed = account.admin.byok.update(id=made.id, declared_zdr=None, is_byok_only=False, allowed_models=None).data
    assert (changed.declared_zdr, changed.is_byok_only, changed.allowed_models) == (None, False, None)
    assert changed.is_required


def test_a_fallback_cannot_be_the_only_one(account):
    with pytest.raises(errors.BadRequestResponseError):
        account.admin.byok.create(
            provider="azure", key="fake-raw-azure", workspace_id=account.workspace.id, is_byok_only=True,
            is_fallback=True,
        )  # fmt: skip


def test_a_fall_back_to_credits_is_read_from_the_answer_and_from_its_generation(account, ask):
    assert ask().usage.is_byok is True
    account.simulator.trouble(credential=account.credential.id, trouble="rate_limited")
    result = ask()
    assert (result.usage.is_byok, result.usage.cost > 0) == (False, True)
    told = result.openrouter_metadata
    assert (told.attempt, told.is_byok, [each.status for each in told.attempts]) == (2, False, [429, 200])
    assert [(each.provider, each.selected) for each in told.endpoints.available] == [("Mistral", True)]
    data = account.caller.generations.get_generation(id=result.id).data
    responses = [(each.provider_name, each.status, each.is_byok) for each in data.provider_responses]
    assert responses == [("Mistral", 429, True), ("Mistral", 200, False)]


@pytest.mark.parametrize(("trouble", "error"), FAILURES.items())
def test_a_credential_that_alone_may_serve_fails_as_the_sdks_own_error_with_routing_beside_it(
    account, ask, trouble, error
):
    account.admin.byok.update(id=account.credential.id, is_byok_only=True)
    account.simulator.trouble(credential=account.credential.id, trouble=trouble)
    with pytest.raises(error) as failure:
        # Left alone the SDK repeats a 5xx for an hour.
        ask(provider={"only": ["mistral"], "allow_fallbacks": False}, retries=None)
    status = failure.value.status_code
    assert failure.value.data.openrouter_metadata["attempts"][0]["status"] == status
    assert failure.value.data.error.metadata["provider_name"] == "Mistral"
    data = account.caller.generations.get_generation(id=failure.value.headers["x-generation-id"]).data
    assert [(each.status, each.is_byok) for each in data.provider_responses] == [(status, True)]
    assert data.total_cost == 0


def test_analytics_offers_the_split_of_byok_from_credits(account, ask):
    """The SDK reads which metrics there are, and drops the values of a row: those are in the unit tests."""
    formats = {each.name: each.display_format for each in account.admin.analytics.get_analytics_meta().data.metrics}
    money = {"byok_usage", "byok_fees", "credits_usage", "openrouter_usage"}
    assert {formats.get(name) for name in money} == {"currency"}
    assert formats["byok_request_count"] == "number"
    ask()
    answer = account.admin.analytics.query_analytics(
        metrics=[*money, "byok_request_count"],
        dimensions=["provider", "api_key_id"],
        filters=[{"field": "provider", "operator": "eq", "value": "Mistral"}],
    )
    assert answer.data.metadata.row_count == 1


def test_the_providers_whose_keys_are_taken_are_the_vendors():
    literals = [typing.get_args(each) for each in typing.get_args(BYOKProviderSlug)]
    assert {name for names in literals for name in names if isinstance(name, str)} == BYOK_PROVIDERS
