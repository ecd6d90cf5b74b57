"""An account with nothing to find, by the review's own rules: three workspaces, six workloads, ten weeks of traffic."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.openrouter.bodies import CredentialCreation, DestinationCreation
from sandbox.openrouter.organization import OWNER, Organization
from sandbox.openrouter.resources import add_credential, add_destination
from sandbox.openrouter.simulator import Simulator

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday morning: when the review comes."""
WEEKS = 10
HAIKU, SONNET, MINI = "anthropic/claude-haiku-4.5", "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini"
TIERS = (HAIKU, SONNET, MINI)
PRODUCTION, STAGING = "platform-production", "platform-staging"
MEMBERS = ("user_fake_ana", "user_fake_ben")


@dataclass(frozen=True)
class Habit:
    """A workload's traffic. `usd`: a weekday's; `growth`: of the last week over the one before."""

    name: str
    workspace: str
    usd: float
    model: str
    growth: float = 1.0
    byok: bool = False


HABITS = (
    Habit("prod-platform-search", PRODUCTION, 42.0, HAIKU, growth=1.6),
    Habit("prod-platform-triage", PRODUCTION, 25.0, SONNET, byok=True),
    Habit("prod-finance-reports", PRODUCTION, 9.5, MINI, growth=0.5),
    Habit("stage-platform-search", STAGING, 4.0, HAIKU),
    Habit("stage-platform-triage", STAGING, 3.0, MINI),
    Habit("dev-tools-assistant", "default", 6.0, SONNET),
)
BUILTINS = [{"slug": "regex-prompt-injection", "action": "block"}, {"slug": "email", "action": "redact"}]


def policy(base_url: str, more: str = "") -> str:
    """The organization's policy, as YAML. `more`: lines under `review`."""
    workloads = "".join(
        f"  - {{name: {one.name}, workspace: {one.workspace}, owner: {{slack: U0OWNER{n}}}}}\n"
        for n, one in enumerate(HABITS)
    )
    return f"""\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: C0GOVERNOR}}
workloads:
{workloads}byok:
  - {{workspace: {PRODUCTION}, provider: anthropic, reason: committed spend, owner: platform, exit: the contract ends}}
presets:
  - slug: support-triage
    from: {STAGING}
    to: {PRODUCTION}
    from_secret: presets/staging
    to_secret: presets/production
    approvers: [U0LEAD, U0SEC]
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC]}}
review:
  zdr: {{{PRODUCTION}: [anthropic]}}
  tiers: {{certified: [{HAIKU}, {SONNET}], fallback: [{MINI}]}}
  declared: {{auto_top_up: true, management_key_scope: organization}}
  governor_usd_per_month: 6.0
{more}"""


def found(simulator: Simulator) -> dict[str, str]:
    """Makes the account as it is at `NOW`, with its past; each key's hash by name. The clock must stand at `NOW`."""
    organization = simulator.organization
    organization.members |= dict.fromkeys(MEMBERS, "org:member")
    organization.management_expires_at = (NOW + timedelta(days=90)).timestamp()
    for slug in (PRODUCTION, STAGING):
        organization.create_workspace(slug.replace("-", " ").title(), slug)
    for workspace in organization.workspaces.values():
        workspace.settings |= {"is_data_discount_logging_enabled": False, "is_observability_broadcast_enabled": True}
        workspace.put_budget("monthly", 50_000.0, organization.ids.uuid("budget"), organization.now)
        _guard(organization, workspace.default_guardrail_id)
    hashes = {one.name: make_key(organization, one.name, one.workspace) for one in HABITS}
    limits = organization.create_guardrail("search limits", PRODUCTION, limit_usd=9000.0, reset_interval="monthly")
    organization.assign(limits, [hashes["prod-platform-search"]])
    place = organization.workspace(PRODUCTION).id
    add_credential(organization, CredentialCreation(provider="anthropic", key="fake-provider-key", workspace_id=place))
    sink: dict[str, Any] = {"type": "webhook", "name": "costs", "config": {"url": "https://costs.example.com"}}
    add_destination(organization, DestinationCreation(**sink, privacy_mode=True, workspace_id=place))
    organization.add_preset_version(None, "support-triage", "Be brief.", {"model": SONNET}, place)
    _past(simulator, hashes)
    return hashes


def make_key(organization: Organization, name: str, workspace: str, **fields: Any) -> str:
    """A key that no rule finds, but for what `fields` say; its hash."""
    settings = {
        "limit": 8000.0,
        "limit_reset": "monthly",
        "include_byok_in_limit": True,
        "expires_at": (NOW + timedelta(days=60)).timestamp(),
        "creator_user_id": OWNER,
        **fields,
    }
    key, _ = organization.create_key(name, workspace=workspace, **settings)
    key.created_at = (NOW - timedelta(weeks=WEEKS)).timestamp()
    key.last_used_at = (NOW - timedelta(hours=1)).timestamp()
    return key.hash


def _guard(organization: Organization, guardrail_id: str) -> None:
    rules = organization.guardrail(guardrail_id, materialise=True).rules
    rules |= {
        "allowed_models": list(TIERS),
        "enable_paid_model_training": False,
        "enable_free_model_training": False,
        "enable_free_model_publication": False,
        "enforce_zdr_anthropic": True,
        "content_filter_builtins": [dict(one) for one in BUILTINS],
    }


def _past(simulator: Simulator, hashes: dict[str, str]) -> None:
    """Half as much at weekends; the last seven days differ by each workload's growth."""
    start = NOW.replace(hour=12) - timedelta(weeks=WEEKS)
    for day in range(WEEKS * 7):
        at = start + timedelta(days=day)
        for number, one in enumerate(HABITS):
            usd = one.usd * (0.5 if at.weekday() >= 5 else 1.0) * (1 + 0.04 * ((day * 7 + number * 3) % 5 - 2))
            usd *= one.growth if day >= WEEKS * 7 - 7 else 1.0
            simulator.spend(
                hashes[one.name], usd, at=at.timestamp(), model=one.model, app=one.name, byok=one.byok,
                requests=max(1, round(usd * 40)),
            )  # fmt: skip
