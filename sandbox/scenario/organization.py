"""The demo's organization: four workspaces and 48 keys with the long tail of a real one.

One key spent $83.26 in the month so far, one $33.05, the other 46 together under $120. Habits come from
`sandbox.traffic`; the first 28 days are history that OpenRouter already holds when Governor is installed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

INSTALLED = datetime(2026, 1, 29, tzinfo=UTC)
"""A Thursday. Governor comes to an account that has 28 days of history, all of them in this month."""
HISTORY = timedelta(days=28)
WORKSPACES = ("platform-production", "platform-staging", "research")
"""Beside the default workspace, which every account has."""

SEARCH, TRIAGE, EMBEDDINGS, REPORTS = (
    "prod-search-agent",
    "prod-support-triage",
    "prod-nightly-embeddings",
    "prod-finance-reports",
)
SANDBOX = "research-agents-playground"
"""Declared nowhere: the policy's defaults hold, which alert only."""
HANDMADE = "stage-qa-regression"
"""Disabled by hand in OpenRouter, during the night."""


@dataclass(frozen=True)
class KeyOfOrganization:
    """`spent_usd`: in the history. `profile`: a habit of `sandbox.traffic`.

    `byok`: the organization's own credential served it in the history. `include_byok`: the limit counts that too.
    """

    name: str
    workspace: str | None
    profile: str
    spent_usd: float
    limit_usd: float | None = None
    limit_reset: str | None = None
    byok: bool = False
    include_byok: bool = False


@dataclass(frozen=True)
class Founding:
    """An account on the day Governor is installed. `policy` is YAML for an OpenRouter at the URL it is given.

    `secrets`: the workloads' secrets that exist already, by name, and the name of the key in each.
    """

    installed: datetime
    history: timedelta
    workspaces: tuple[str, ...]
    keys: tuple[KeyOfOrganization, ...]
    policy: Callable[[str], str]
    secrets: Mapping[str, str] = field(default_factory=dict)


_NAMED = (
    KeyOfOrganization(SEARCH, "platform-production", "office hours", 83.26, 200, "monthly"),
    KeyOfOrganization(TRIAGE, "platform-production", "steady", 33.05, 400, "monthly"),
    KeyOfOrganization(EMBEDDINGS, "platform-production", "nightly batch", 18.40, 100, "monthly"),
    KeyOfOrganization(REPORTS, "platform-production", "office hours", 4.30, 10, "monthly"),
    KeyOfOrganization(SANDBOX, "research", "agent bursts", 9.80),
    KeyOfOrganization(HANDMADE, "platform-staging", "office hours", 2.10),
)
_TEAMS = {
    "platform-production": ("prod", ("billing", "catalog", "chat", "docs", "fraud", "mail", "risk", "seo")),
    "platform-staging": (
        "stage",
        ("billing", "catalog", "chat", "docs", "fraud", "mail", "risk", "search", "seo", "triage"),
    ),
    "research": (
        "research",
        ("eval", "judge", "prompts", "rag", "rerank", "router", "speech", "synth", "tables", "vision"),
    ),
    None: (
        "dev",
        ("ana", "ben", "cho", "dee", "eli", "fay", "gus", "hal", "ida", "jon", "kim", "lou", "mia", "ned"),
    ),
}
_HABITS = ("office hours", "sporadic development", "agent bursts", "steady", "weekly job")
_TAIL_USD = 83.0
"""What the unnamed keys spent together; the k-th spent in proportion to 1/k."""


def keys() -> tuple[KeyOfOrganization, ...]:
    """All 48 keys, always the same."""
    unnamed = [(workspace, f"{prefix}-{team}") for workspace, (prefix, teams) in _TEAMS.items() for team in teams]
    weights = [1 / rank for rank in range(1, len(unnamed) + 1)]
    tail = tuple(
        KeyOfOrganization(
            f"{name}-agent", workspace, _HABITS[rank % len(_HABITS)], round(_TAIL_USD * weights[rank] / sum(weights), 2)
        )
        for rank, (workspace, name) in enumerate(unnamed)
    )
    return _NAMED + tail


def policy(base_url: str) -> str:
    """The organization's policy, as YAML, for an OpenRouter at `base_url`."""
    return f"""\
version: 1
account: {{base_url: "{base_url}"}}
alerts: {{channel: C0GOVERNOR}}
defaults:
  budget: {{alert_at: [0.5, 0.8, 1.0]}}
  runaway: {{mode: alert}}
  exposed: {{mode: alert}}
workloads:
  - name: {SEARCH}
    workspace: platform-production
    owner: {{slack: U0SEARCH}}
    tier: 1
    key: {{limit_usd: 200, limit_reset: monthly}}
    secret: openrouter/prod/search-agent
    runaway: {{mode: disable}}
    exposed: {{mode: disable}}
  - name: {TRIAGE}
    workspace: platform-production
    owner: {{slack: U0SUPPORT}}
    tier: 0
    key: {{limit_usd: 400, limit_reset: monthly}}
    runaway: {{mode: disable}}
  - name: {EMBEDDINGS}
    workspace: platform-production
    owner: {{slack: U0DATA}}
    key: {{limit_usd: 100, limit_reset: monthly}}
    runaway: {{mode: disable}}
  - name: {REPORTS}
    workspace: platform-production
    owner: {{slack: U0FINANCE}}
    key: {{limit_usd: 10, limit_reset: monthly}}
    secret: openrouter/prod/finance-reports
    copies: {{parameter: /openrouter/prod/finance-reports, regions: [eu-west-1]}}
    runaway: {{mode: disable}}
approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC], by_event: true}}
"""


def founding() -> Founding:
    """The organization of the night."""
    secrets = {"openrouter/prod/search-agent": SEARCH, "openrouter/prod/finance-reports": REPORTS}
    return Founding(INSTALLED, HISTORY, WORKSPACES, keys(), policy, secrets)
