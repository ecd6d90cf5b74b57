"""The account of `make play`: small enough for one page, with one of everything that Governor looks after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.openrouter.bodies import CredentialCreation
from sandbox.openrouter.resources import add_credential
from sandbox.openrouter.scripts import Script
from sandbox.scenario.organization import EMBEDDINGS, REPORTS, SANDBOX, SEARCH, TRIAGE, Founding, KeyOfOrganization
from sandbox.scenario.publishing import PRESETS, PRODUCTION, PROMPT, REFUND, STAGING, save
from sandbox.scenario.world import MODELS, World

INSTALLED = datetime(2026, 1, 29, 2, 40, tzinfo=UTC)
"""A Thursday night, twenty minutes before three."""
HISTORY = timedelta(days=28)
ANSWERS, ORDERS, PROBE, STAGE = "prod-answers", "prod-orders", "probe-orders", "stage-triage-agent"
CHAINS = {ANSWERS: "platform-answers", ORDERS: "platform-orders"}
"""The workspaces that bring provider keys of their own, by the workload whose requests those keys serve."""
PROVIDER, MODEL = "anthropic", MODELS[0]
SECRETS = {name: f"openrouter/{name.replace('-', '/', 1)}" for name in (SEARCH, REPORTS, ANSWERS, ORDERS, PROBE)}
DECLARED = (SEARCH, TRIAGE, EMBEDDINGS, REPORTS, ANSWERS, ORDERS)


@dataclass(frozen=True)
class Person:
    """Somebody in Slack. `role`: what Governor lets them do, in a few words."""

    id: str
    name: str
    role: str
    guest: bool = False


PEOPLE = (
    Person("U0LEAD", "Lena Ortiz", "platform lead, approver"),
    Person("U0SEC", "Samir Haddad", "security, approver"),
    Person("U0SEARCH", "Priya Nair", "owns the search agent"),
    Person("U0DEV", "Dan Weber", "developer, edits presets"),
    Person("U0INTERN", "Ines Costa", "new in the team"),
    Person("U0GUEST", "Guy Martin", "guest from a contractor", guest=True),
)

_KEYS = (
    KeyOfOrganization(SEARCH, PRODUCTION, "office hours", 83.26, 200, "monthly"),
    KeyOfOrganization(TRIAGE, PRODUCTION, "steady", 133.05, 400, "monthly"),
    KeyOfOrganization(EMBEDDINGS, PRODUCTION, "nightly batch", 18.40, 100, "monthly"),
    KeyOfOrganization(REPORTS, PRODUCTION, "office hours", 4.30, 10, "monthly"),
    KeyOfOrganization(ANSWERS, CHAINS[ANSWERS], "steady", 620.0, byok=True),
    KeyOfOrganization(ORDERS, CHAINS[ORDERS], "steady", 480.0, byok=True),
    KeyOfOrganization(PROBE, CHAINS[ORDERS], "steady", 0.01, byok=True),
    KeyOfOrganization(SANDBOX, "research", "agent bursts", 9.80),
    KeyOfOrganization("research-eval-agent", "research", "steady", 12.60),
    KeyOfOrganization(STAGE, STAGING, "office hours", 2.10),
    KeyOfOrganization("dev-ana-agent", None, "sporadic development", 3.40, 10, "monthly"),
    KeyOfOrganization("dev-ben-agent", None, "office hours", 1.70),
)


def _policy(base_url: str) -> str:
    why = "reason: committed spend with the provider, exit: the commitment ends"
    rotation = "{every: 60d, overlap: 1h, quiet: 30m, drain_deadline: 3h, quarantine: 4h}"
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
    workspace: {PRODUCTION}
    owner: {{slack: U0SEARCH}}
    key: {{limit_usd: 200, limit_reset: monthly}}
    secret: {SECRETS[SEARCH]}
    rotation: {rotation}
    runaway: {{mode: disable}}
    exposed: {{mode: disable}}
  - name: {TRIAGE}
    workspace: {PRODUCTION}
    owner: {{slack: U0LEAD}}
    tier: 0
    key: {{limit_usd: 400, limit_reset: monthly}}
    runaway: {{mode: disable}}
  - name: {EMBEDDINGS}
    workspace: {PRODUCTION}
    owner: {{slack: U0SEARCH}}
    key: {{limit_usd: 100, limit_reset: monthly}}
    runaway: {{mode: disable}}
  - name: {REPORTS}
    workspace: {PRODUCTION}
    owner: {{slack: U0DEV}}
    key: {{limit_usd: 10, limit_reset: monthly}}
    secret: {SECRETS[REPORTS]}
    rotation: {rotation}
    runaway: {{mode: disable}}
    exposed: {{mode: disable}}
  - name: {ANSWERS}
    workspace: {CHAINS[ANSWERS]}
    owner: {{slack: U0DEV}}
    secret: {SECRETS[ANSWERS]}
  - name: {ORDERS}
    workspace: {CHAINS[ORDERS]}
    owner: {{slack: U0LEAD}}
    secret: {SECRETS[ORDERS]}
byok:
  - {{workspace: {CHAINS[ANSWERS]}, provider: {PROVIDER}, models: [{MODEL}], owner: answers-team, {why}}}
  - workspace: {CHAINS[ORDERS]}
    provider: {PROVIDER}
    expect: {{prioritized: 2}}
    action: bench
    probe: {{model: {MODEL}, secret: {SECRETS[ORDERS]}, keys: {{primary: {SECRETS[PROBE]}}}, per_day: 100}}
    drill: {{within_seconds: 3}}
    owner: orders-team
    reason: committed spend with the provider
    exit: the commitment ends
{PRESETS}approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD, U0SEC]}}
"""


def playground() -> Founding:
    """The account on the night that Governor is installed."""
    secrets = {secret: name for name, secret in SECRETS.items()}
    secrets |= {"presets/production": TRIAGE, "presets/staging": STAGE}
    places = (PRODUCTION, STAGING, "research", *CHAINS.values())
    return Founding(INSTALLED, HISTORY, places, _KEYS, _policy, secrets)


def settle_in(world: World) -> Mapping[str, str]:
    """Adds what an account has beside its keys: provider keys, a preset with its scripted replies, a guest.

    Answers the id of each credential by its workload and name, as `workload/name`.
    """
    organization = world.simulator.organization
    found: dict[str, str] = {}
    only_orders = [world.hash(ORDERS)]
    for workload, name, lets_in in (
        (ANSWERS, "primary", None),
        (ORDERS, "primary", None),
        (ORDERS, "second", only_orders),
    ):
        creation = CredentialCreation(
            provider=PROVIDER,
            key=f"fake-{workload}-{name}",
            name=name,
            workspace_id=CHAINS[workload],
            allowed_api_key_hashes=lets_in,
        )
        found[f"{workload}/{name}"] = add_credential(organization, creation).id
    organization.scripts = [
        Script("queue: billing", prompt=REFUND, system="sort support requests"),
        Script("I cannot help with that.", prompt=REFUND),
    ]
    for place in (STAGING, PRODUCTION):
        save(world, place, PROMPT, temperature=0.2)
    for person in PEOPLE:
        if person.guest:
            world.slack.person(person.id, guest="single")
    return found
