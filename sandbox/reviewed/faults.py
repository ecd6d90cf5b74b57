"""Faults, planted in the clean organization, each with the rule and the subject by which it must be found."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sandbox.openrouter.bodies import CredentialCreation, DestinationCreation
from sandbox.openrouter.organization import Organization
from sandbox.openrouter.resources import add_credential, add_destination
from sandbox.openrouter.simulator import Simulator
from sandbox.reviewed.clean import BUILTINS, HAIKU, MINI, NOW, PRODUCTION, SONNET, STAGING, make_key

type Fault = Callable[[Simulator], None]
_FAULTS: dict[tuple[str, str], Fault] = {}
DEAR, ODD, GONE = "anthropic/claude-opus-4.5", "x-ai/grok-4-fast", "mistralai/mistral-large-2411"


def _fault(rule: str, subject: str) -> Callable[[Fault], Fault]:
    def register(function: Fault) -> Fault:
        _FAULTS[rule, subject] = function
        return function

    return register


def _planted_key(rule: str, name: str, **fields: Any) -> None:
    """A key whose faults are what `fields` say; `dev-tools-*` names belong to no workload, which is a fault as well."""

    def fault(simulator: Simulator) -> None:
        organization = simulator.organization
        ages = {one: fields[one] for one in ("created_at", "last_used_at") if one in fields}
        hash = make_key(organization, name, STAGING, **{k: v for k, v in fields.items() if k not in ages})
        for field, value in ages.items():
            setattr(organization.key(hash), field, value)

    _FAULTS[rule, f"{STAGING}/{name.partition('#')[0]}"] = fault


_planted_key("key_without_cap", "stage-growth-nocap", limit=None, limit_reset=None)
_planted_key("key_without_expiry", "stage-growth-forever", expires_at=None)
_planted_key("key_without_owner", "stage-growth-nobody", creator_user_id=None)
_planted_key("key_without_workload", "stage-growth-stray")
_planted_key("key_idle_30_days", "stage-growth-idle", last_used_at=(NOW - timedelta(days=45)).timestamp())
_planted_key("key_idle_90_days", "stage-growth-asleep", last_used_at=(NOW - timedelta(days=120)).timestamp())
_planted_key("key_name_off_convention", "Bob's test key")
_planted_key("key_of_departed_member", "stage-growth-left", creator_user_id="user_fake_gone")


def _settings(organization: Organization, slug: str) -> dict[str, Any]:
    return organization.workspace(slug).settings


def _rules(organization: Organization, slug: str) -> dict[str, Any]:
    return organization.guardrails[organization.workspace(slug).default_guardrail_id].rules


@_fault("key_shared", "platform-staging/stage-platform-search")
def _shared(simulator: Simulator) -> None:
    key = next(one for one in simulator.organization.keys if one.name == "stage-platform-search")
    simulator.spend(key.hash, 0.5, at=(NOW - timedelta(days=2)).timestamp(), app="somebody else", model=HAIKU)


@_fault("key_name_twice", "platform-staging/stage-growth-twin")
def _twins(simulator: Simulator) -> None:
    for _ in range(2):
        make_key(simulator.organization, "stage-growth-twin", STAGING)


@_fault("key_cap_without_byok", "platform-production/prod-platform-triage")
def _uncounted(simulator: Simulator) -> None:
    next(one for one in simulator.organization.keys if one.name == "prod-platform-triage").include_byok_in_limit = False


@_fault("workload_without_key", "platform-production/prod-finance-reports")
def _keyless(simulator: Simulator) -> None:
    next(one for one in simulator.organization.keys if one.name == "prod-finance-reports").disabled = True


@_fault("guardrail_unassigned", "platform-staging/forgotten")
def _unassigned(simulator: Simulator) -> None:
    simulator.organization.create_guardrail("forgotten", STAGING)


@_fault("workspace_without_guardrail", "marketing")
def _unguarded(simulator: Simulator) -> None:
    organization = simulator.organization
    workspace = organization.create_workspace("Marketing", "marketing", is_data_discount_logging_enabled=False)
    workspace.put_budget("monthly", 100.0, organization.ids.uuid("budget"), organization.now)


@_fault("injection_detection_off", "default")
def _no_injection(simulator: Simulator) -> None:
    _rules(simulator.organization, "default")["content_filter_builtins"] = [dict(BUILTINS[1])]


@_fault("sensitive_data_detection_off", STAGING)
def _no_sensitive(simulator: Simulator) -> None:
    _rules(simulator.organization, STAGING)["content_filter_builtins"] = [dict(BUILTINS[0])]


@_fault("zero_retention_missing", PRODUCTION)
def _no_zdr(simulator: Simulator) -> None:
    _rules(simulator.organization, PRODUCTION)["enforce_zdr_anthropic"] = False


@_fault("models_too_wide", STAGING)
def _wide(simulator: Simulator) -> None:
    _rules(simulator.organization, STAGING)["allowed_models"] = None


@_fault("models_too_wide", "default")
def _wide_by_one(simulator: Simulator) -> None:
    _rules(simulator.organization, "default")["allowed_models"] = [HAIKU, SONNET, MINI, DEAR, ODD]


@_fault("provider_unused", "platform-production/mistral")
def _unused(simulator: Simulator) -> None:
    _rules(simulator.organization, PRODUCTION)["allowed_providers"] = ["anthropic", "openai", "mistral"]


@_fault("training_allowed", PRODUCTION)
def _training(simulator: Simulator) -> None:
    _rules(simulator.organization, PRODUCTION)["enable_paid_model_training"] = True


@_fault("free_training_allowed", STAGING)
def _free_training(simulator: Simulator) -> None:
    _rules(simulator.organization, STAGING)["enable_free_model_publication"] = True


@_fault("workspace_without_budget", STAGING)
def _no_budget(simulator: Simulator) -> None:
    simulator.organization.workspace(STAGING).budgets.clear()


@_fault("budgets_contradict", "platform-production/prod-platform-search")
def _contradiction(simulator: Simulator) -> None:
    guardrail = next(one for one in simulator.organization.guardrails.values() if one.rules["name"] == "search limits")
    guardrail.rules["limit_usd"] = 100.0


@_fault("byok_without_decision", "platform-production/openai")
def _undecided(simulator: Simulator) -> None:
    place = simulator.organization.workspace(PRODUCTION).id
    creation = CredentialCreation(provider="openai", key="fake-other-key", name="trial", workspace_id=place)
    add_credential(simulator.organization, creation)


@_fault("destination_gets_prompts", "platform-staging/tracing")
def _open_destination(simulator: Simulator) -> None:
    place = simulator.organization.workspace(STAGING).id
    sink: dict[str, Any] = {"type": "webhook", "name": "tracing", "config": {"url": "https://traces.example.com"}}
    add_destination(simulator.organization, DestinationCreation(**sink, privacy_mode=False, workspace_id=place))


@_fault("prompts_logged", PRODUCTION)
def _logged(simulator: Simulator) -> None:
    _settings(simulator.organization, PRODUCTION).update(
        is_observability_io_logging_enabled=True, io_logging_sampling_rate=0.25
    )


@_fault("discount_logging_on", "default")
def _discount(simulator: Simulator) -> None:
    _settings(simulator.organization, "default")["is_data_discount_logging_enabled"] = True


@_fault("preset_undeclared", "platform-production/quick-answers")
def _loose_preset(simulator: Simulator) -> None:
    place = simulator.organization.workspace(PRODUCTION).id
    simulator.organization.add_preset_version(None, "quick-answers", None, {"model": GONE}, place)


@_fault("credits_low", "account")
def _poor(simulator: Simulator) -> None:
    simulator.organization.credits = simulator.organization.meter.usage + 400.0


@_fault("management_key_without_expiry", "account")
def _for_ever(simulator: Simulator) -> None:
    simulator.organization.management_expires_at = None


@_fault("model_gone", GONE)
def _gone(simulator: Simulator) -> None:
    simulator.organization.listed_models[GONE] = None


@_fault("model_expires_soon", HAIKU)
def _soon(simulator: Simulator) -> None:
    simulator.organization.listed_models[HAIKU] = {"expiration_date": "2026-12-10"}


@_fault("model_expires_later", SONNET)
def _later(simulator: Simulator) -> None:
    simulator.organization.listed_models[SONNET] = {"expiration_date": "2027-06-30"}


PLANTED = tuple(_FAULTS)
"""Each fault as (rule, subject); planting one may cause other findings as well, such as a stray key's."""


def plant(simulator: Simulator, *which: tuple[str, str]) -> None:
    """Plants these faults, or all of them."""
    for one in which or PLANTED:
        _FAULTS[one](simulator)
