"""Where the account differs from what Terraform says of it. Pure.

Only attributes that Terraform states are compared: what it leaves out, it does not manage. A key that Governor disabled
differs too, and is meant to; `ignore_changes = [disabled]` keeps Terraform from enabling it (docs/terraform.md).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.account import Account, Part
from cli.terraform import Managed
from governor.account.workspaces import meant
from management_api import Workspace

NEEDED: tuple[Part, ...] = ("keys", "guardrails", "assignments", "budgets", "byok")
"""The parts of the account that are compared."""
_COMPARED = {
    "openrouter_workspace": (
        "name", "slug", "description", "default_text_model", "default_image_model", "default_provider_sort",
        "io_logging_sampling_rate", "is_data_discount_logging_enabled", "is_observability_broadcast_enabled",
        "is_observability_io_logging_enabled",
    ),
    "openrouter_guardrail": (
        "name", "description", "workspace_id", "limit_usd", "reset_interval", "include_byok_in_budgets",
        "allowed_models", "allowed_providers", "ignored_models", "ignored_providers", "enforce_zdr_anthropic",
        "enforce_zdr_google", "enforce_zdr_openai", "enforce_zdr_xai", "enforce_zdr_other",
        "enable_free_model_publication", "enable_free_model_training", "enable_paid_model_training",
    ),
    "openrouter_api_key": (
        "name", "workspace_id", "limit", "limit_reset", "include_byok_in_limit", "disabled", "creator_user_id",
    ),
    "openrouter_byok_key": ("name", "disabled", "is_fallback", "allowed_models", "allowed_user_ids", "workspace_id"),
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One attribute of one resource. `field`: empty where the resource is not in the account at all."""

    address: str
    field: str
    terraform: Any
    account: Any


def drift(resources: Iterable[Managed], account: Account) -> list[Difference]:
    """Every difference, by address. What could not be read of the account is not compared: see `Account.gaps`."""
    found: list[Difference] = []
    for one in resources:
        if one.id:  # one without is yet to be made
            found += _differences(one, account)
    return sorted(found, key=lambda one: (one.address, one.field))


def _differences(one: Managed, account: Account) -> Iterator[Difference]:
    if one.kind == "openrouter_workspace_budget":
        yield from _budget(one, account)
    elif one.kind == "openrouter_guardrail_key_assignment":
        if account.has_read("assignments"):
            yield from _held(one, "guardrail_id", account.guardrail_of_key.get(one.id))
    else:
        there, was_read = _counterpart(one, account)
        if there is not None:
            for field in _COMPARED[one.kind]:
                yield from _held(one, field, getattr(there, field))
        elif was_read:
            yield Difference(one.address, "", one.id, None)


def _counterpart(one: Managed, account: Account) -> tuple[Any, bool]:
    """The thing in the account, and whether its absence means that it is gone."""
    if one.kind == "openrouter_workspace":
        return next((each for each in account.workspaces if one.id in (each.id, each.slug)), None), True
    if one.kind == "openrouter_guardrail":
        return account.guardrail_by_id.get(one.id), account.has_read("guardrails")
    if one.kind == "openrouter_byok_key":
        return next((each for each in account.byok if each.id == one.id), None), account.has_read("byok")
    return next((each for each in account.keys if each.hash == one.id), None), account.has_read("keys")


def _held(one: Managed, field: str, there: Any) -> Iterator[Difference]:
    said = one.values.get(field)
    if said is not None and not _same(said, there):
        yield Difference(one.address, field, said, there)


def _same(said: Any, there: Any) -> bool:
    if isinstance(said, list) and isinstance(there, list):
        return sorted(map(str, said)) == sorted(map(str, there))
    return bool(said == there)


def _budget(one: Managed, account: Account) -> Iterator[Difference]:
    workspace = _workspace(one, account)
    if workspace is None:
        yield Difference(one.address, "", one.id, None)
        return
    budgets = account.budgets.get(workspace.id)
    if budgets is None:  # a gap
        return
    interval = one.values.get("interval")
    there = next((each for each in budgets.data if (each.reset_interval or "lifetime") == interval), None)
    if there is None:
        yield Difference(one.address, "", f"{interval} budget of {one.id}", None)
        return
    yield from _held(one, "limit_usd", there.limit_usd)
    yield from _held(one, "include_byok_in_budgets", budgets.include_byok_in_budgets)


def _workspace(one: Managed, account: Account) -> Workspace | None:
    found = meant(one.id, account.workspaces)
    return found[0] if len(found) == 1 else None
