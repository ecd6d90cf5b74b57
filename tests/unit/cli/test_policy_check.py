"""`governor policy check`: every typical mistake is told with its line, its field and what to write."""

from pathlib import Path

import pytest

from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import Terminal, Unreachable

BASE = """\
version: 1
workloads:
  - name: prod-search-agent
    workspace: platform-production
    owner: {slack: U0SEARCH}
"""
PRESET = """\
presets:
  - slug: triage
    from: platform-staging
    to: platform-production
    from_secret: presets/staging
    to_secret: presets/production
"""
DRILLED = """\
version: 1
byok:
  - {workspace: p, provider: a1, probe: {model: m, secret: s}, reason: r, owner: o, exit: e,
"""
BYOK = """\
byok:
  - {workspace: p, provider: anthropic, reason: r, owner: o, exit: e}
"""


def _more(text: str) -> str:
    return BASE + text


MISTAKES: dict[str, tuple[str | bytes, int, str, str]] = {
    # what: (the policy, the line, the field, what to write)
    "a field's name with a letter too many": (_more("    tiers: 1\n"), 6, "workloads.0.tiers", "Did you mean tier?"),
    "a section in the singular": ("version: 1\nworkload: []\n", 2, "workload", "Did you mean workloads?"),
    "a field cut short": (_more("    key: {limit_us: 5}\n"), 6, "workloads.0.key.limit_us", "Did you mean limit_usd?"),
    "a field with blanks": (_more("    key: {limit usd: 5}\n"), 6, "workloads.0.key.limit usd", "mean limit_usd?"),
    "a field in another section": (_more("    approvers: [U0A]\n"), 6, "workloads.0.approvers", "belongs to a"),
    "a field that is nowhere": (_more("    zzqqx: 1\n"), 6, "workloads.0.zzqqx", "Here are name, workspace, owner"),
    "percent as text": (_more('    budget: {alert_at: ["80%"]}\n'), 6, "workloads.0.budget.alert_at.0", "0.8 is 80 %"),
    "percent without quotes": (_more("    budget: {disable_at: 95%}\n"), 6, "workloads.0.budget.disable_at", "0.95 is"),
    "percent as a number": (_more("    budget: {disable_at: 80}\n"), 6, "workloads.0.budget.disable_at", "0.8 is 80 %"),
    "one share and no list": (_more("    budget: {alert_at: 0.8}\n"), 6, "workloads.0.budget.alert_at", "a list"),
    "a dollar sign": (_more("    key: {limit_usd: $200}\n"), 6, "workloads.0.key.limit_usd", "the number alone: 200"),
    "a comma in a number": (_more("    key: {limit_usd: 1,500 USD}\n"), 6, "workloads.0.key.500 USD", "without commas"),
    "a currency": (_more("    key: {limit_usd: 1500 USD}\n"), 6, "workloads.0.key.limit_usd", "number alone: 1500"),
    "thousands": (_more('    key: {limit_usd: "1,500"}\n'), 6, "workloads.0.key.limit_usd", "the number alone: 1500"),
    "a limit of nothing": (_more("    key: {limit_usd: 0}\n"), 6, "workloads.0.key.limit_usd", "above 0"),
    "a limit that is not a number": (_more("    key: {limit_usd: .nan}\n"), 6, "workloads.0.key.limit_usd", "above 0"),
    "a tab": ("version: 1\nworkloads:\n\t- name: x\n", 3, "name", "Indent with spaces"),
    "an empty file": ("", 1, "policy", "Begin with `version: 1`"),
    "nothing but comments": ("# later\n\n", 1, "policy", "Begin with `version: 1`"),
    "a list": ("- version: 1\n", 1, "policy", "Begin with `version: 1`"),
    "a text": ("hello\n", 1, "policy", "Begin with `version: 1`"),
    "no version": ("workloads: []\n", 1, "version", "Write `version: 1`"),
    "another version": ("version: 2\n", 1, "version", "Write `version: 1`"),
    "the version as text": ('version: "1"\n', 1, "version", "Write `version: 1`"),
    "no approver of a preset": ("version: 1\n" + PRESET, 3, "presets.0.approvers", "[U0LEAD, U0SEC]"),
    "an empty list of approvers": (
        "version: 1\napprovals: {channel: C0G, approvers: []}\n", 2, "approvals.approvers", "[U0LEAD, U0SEC]"),
    "approvers left out": ("version: 1\napprovals: {channel: C0G}\n", 2, "approvals.approvers", "[U0LEAD, U0SEC]"),
    "approvers as a text": (
        "version: 1\napprovals: {channel: C0G, approvers: U0A}\n", 2, "approvals.approvers", "[U0LEAD, U0SEC]"),
    "one approver where two are needed": (
        "version: 1\n" + PRESET + "    approvers: [U0A]\n", 3, "presets.0", "Name another approver"),
    "an approver by name": (
        "version: 1\napprovals: {channel: C0G, approvers: [ana]}\n", 2, "approvals.approvers.0", "[U0LEAD, U0SEC]"),
    "an @ without quotes": ("version: 1\napprovals:\n  approvers: [@ana]\n", 3, "approvers", "starts with @"),
    "a channel by name": ('version: 1\nalerts: {channel: "#alerts"}\n', 2, "alerts.channel", "channel's id"),
    "a channel that is a comment": ("version: 1\nalerts:\n  channel: #alerts\n", 3, "alerts.channel", "channel's id"),
    "an owner as a text": (
        BASE.replace("{slack: U0SEARCH}", "U0SEARCH"), 5, "workloads.0.owner", "owner: {slack: U0SEARCH}"),
    "an owner by e-mail": (
        BASE.replace("U0SEARCH", "ana@example.org"), 5, "workloads.0.owner.slack", "Slack user's id"),
    "no owner": (BASE.replace("    owner: {slack: U0SEARCH}\n", ""), 3, "workloads.0.owner", "owner: {slack:"),
    "a name twice": (_more(BASE.partition("workloads:\n")[2]), 6, "workloads", "Rename or remove the workload"),
    "a name twice but for spelling": (
        _more("  - {name: Prod Search_Agent, workspace: p, owner: {slack: U0A}}\n"), 6, "workloads.1.name",
        "it is prod-search-agent, which is declared already"),
    "a name in capitals": (
        BASE.replace("prod-search-agent", "Prod_Search"), 3, "workloads.0.name", "Write prod-search"),
    "an adopted key of another's lineage": (
        _more("  - {name: other, workspace: p, owner: {slack: U0A}, key: {adopts: prod-search-agent#r1}}\n"), 6,
        "workloads.1.key.adopts", "Keep one of the two"),
    "two presets but for spelling": (
        "version: 1\n" + PRESET + "    approvers: [U0A, U0B]\n"
        + PRESET.partition("presets:\n")[2].replace("tri", "Tri")
        + "    approvers: [U0A, U0B]\n", 9, "presets.1.slug", "Keep one of the two"),
    "two adopted keys but for spelling": (
        "version: 1\nworkloads:\n"
        "  - {name: aa, workspace: p, owner: {slack: U0A}, key: {adopts: Search Agent}}\n"
        "  - {name: bb, workspace: p, owner: {slack: U0A}, key: {adopts: search  agent}}\n", 4, "key.adopts",
        "Keep one of the two"),
    "a secret twice": (
        "version: 1\nworkloads:\n  - {name: aa, workspace: p, owner: {slack: U0A}, secret: s}\n"
        "  - {name: bb, workspace: p, owner: {slack: U0A}, secret: s}\n", 4, "workloads",
        "Rename or remove the secret"),
    "a cron line as a window": (
        DRILLED + '     drill: {every: 30d, window: "0 9 * * 1-5"}}\n', 4, "byok.0.drill.window", "not a cron line"),
    "a cron line as a duration": (
        _more('    secret: s\n    rotation: {every: "0 0 1 * *"}\n'), 7, "workloads.0.rotation.every", "such as 60d"),
    "a window that ends first": (
        DRILLED + '     drill: {window: {from: "15:00", to: "09:00"}}}\n', 4, "byok.0.drill.window",
        "must be later than from"),
    "an hour that is not": (
        DRILLED + '     drill: {window: {from: "25:00"}}}\n', 4, "byok.0.drill.window.from", '"09:00"'),
    "a duration in words": (
        _more("    secret: s\n    rotation: {every: 60 days}\n"), 7, "workloads.0.rotation.every", "Write 60d"),
    "a duration of days and a half": (
        _more("    secret: s\n    rotation: {every: 1.5d}\n"), 7, "workloads.0.rotation.every", "Write 36h"),
    "a duration of ISO 8601": (
        _more("    secret: s\n    rotation: {every: P30D}\n"), 7, "workloads.0.rotation.every", "Write 30d"),
    "a duration without a unit": (
        _more("    secret: s\n    rotation: {every: 60}\n"), 7, "workloads.0.rotation.every", "60d for days"),
    "a rotation without a secret": (_more("    rotation: {every: 60d}\n"), 3, "workloads.0", "needs `secret`"),
    "a key that expires first": (
        _more("    secret: s\n    key: {expires_in: 30d}\n    rotation: {every: 60d}\n"), 3, "workloads.0",
        "must be longer than rotation.every"),
    "rotations that pile up": (
        _more("    secret: s\n    rotation: {every: 2d}\n"), 7, "workloads.0.rotation", "must be longer than overlap"),
    "a mode that is almost one": (
        _more("    runaway: {mode: disabled}\n"), 6, "workloads.0.runaway.mode", "Write disable"),
    "a mode that is none": (_more("    runaway: {mode: kill}\n"), 6, "workloads.0.runaway.mode", "alert or disable"),
    "off without quotes": (
        _more("    runaway: {mode: off}\n"), 6, "workloads.0.runaway.mode", 'mode: "off", in quotes'),
    "a period cut short": (_more("    key: {limit_reset: month}\n"), 6, "workloads.0.key.limit_reset", "Write monthly"),
    "a tier that is none": (_more("    tier: high\n"), 6, "workloads.0.tier", "Write 0, 1, 2 or 3"),
    "a tier too high": (_more("    tier: 4\n"), 6, "workloads.0.tier", "Write 0, 1, 2 or 3"),
    "yes and no": (
        "version: 1\napprovals: {channel: C0G, approvers: [U0A], by_event: maybe}\n", 2, "approvals.by_event", "docs/"),
    "an address with a slash": (
        "version: 1\naccount: {base_url: https://openrouter.ai/api/v1/}\n", 2, "account.base_url", "no / at the end"),
    "an address in the open": (
        "version: 1\naccount: {base_url: http://openrouter.ai/api/v1}\n", 2, "account.base_url", "https://"),
    "workloads as a mapping": (
        "version: 1\nworkloads:\n  prod-search: {tier: 1}\n", 2, "workloads", "behind a dash"),
    "a field twice": (_more("    tier: 1\n    tier: 2\n"), 7, "tier", "on line 6 already"),
    "an alias": ("version: &one 1\nworkloads: *one\n", 2, "*one", "Write the value out"),
    "a merge key": ("version: 1\nalerts:\n  <<: {channel: C0G}\n", 3, "<<", "Write the fields out"),
    "a tag": ("version: !!python/name:os.system 1\n", 1, "version", "Tags (!) are not taken"),
    "two documents": ("version: 1\n---\nversion: 1\n", 2, "policy", "one document"),
    "a colon in a text": (
        "version: 1\nbyok:\n  - workspace: p\n    reason: a: b\n", 4, "reason", "into quotes"),
    "no blank after a colon": ("version:1\nalerts: {channel: C0G}\n", 2, "alerts", "a space after each colon"),
    "a bracket left open": ("version: 1\nbyok: [1, 2\nalerts: {channel: C0G}\n", 3, "alerts", "Close the bracket"),
    "quotes left open": ('version: 1\nalerts: {channel: "C0G}\n', 3, "policy", "Close the quotes"),
    "an odd indentation": ("version: 1\nworkloads:\n  - name: ab\n   workspace: p\n", 4, "workspace", "Indent"),
    "a blank that is none": (
        "version: 1\nalerts:\n\u00a0 channel: C0G\n", 3, "\u00a0 channel", "a blank that YAML does not take for one"),
    "an ARN": (
        _more("    secret: arn:aws:secretsmanager:eu-west-1:1:secret:x\n"), 6, "workloads.0.secret", "not its ARN"),
    "a region that is none": (
        _more("    secret: s\n    copies: {regions: [Ireland]}\n"), 7, "workloads.0.copies.regions.0", "[eu-west-1]"),
    "a day that is none": (
        "version: 1\n" + BYOK.replace("exit: e", "exit: e, review_on: 2027-02-30"), 3, "policy", "a day that exists"),
    "a provider by its name": (
        "version: 1\n" + BYOK.replace("anthropic", "Google Vertex"), 3, "byok.0.provider", "google-vertex"),
    "no reason": ("version: 1\n" + BYOK.replace("reason: r, ", ""), 3, "byok.0.reason", "why the provider key"),
    "bench without a probe": (
        "version: 1\n" + BYOK.replace("exit: e", "exit: e, action: bench"), 3, "byok.0", "bench needs `probe.secret`"),
    "a person twice": (
        "version: 1\npeople: {U0A: user_x, U0B: user_x}\n", 2, "people.U0B", "each OpenRouter user is one Slack user"),
    "a case that asserts nothing": (
        "version: 1\n" + PRESET + "    approvers: [U0A, U0B]\n"
        "    checks: {golden: {usd: 1, cases: [{name: c, prompt: p}]}}\n", 9,
        "presets.0.checks.golden.cases.0", "asserts nothing"),
    "a credential": (
        _more("    secret: sk-or-v1-" + "0123456789abcdef" * 2 + "\n"), 6, "policy", "Store it in Secrets Manager"),
    "not UTF-8": (b"version: 1\n# caf\xe9\n", 2, "policy", "Save the file as UTF-8"),
    "a character that cannot be shown": ("version: 1\nalerts: {channel: \x07}\n", 2, "policy", "Remove it"),
    "nested too deep": ("version: " + "[" * 2000 + "]" * 2000, 1, "policy", "docs/policy.md"),
    "megabytes": (b"version: 1\n" + b"# x\n" * 1_100_000, 1, "policy", "Declare the workloads that matter"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_its_line_its_field_and_what_to_write(terminal: Terminal, tmp_path: Path, mistake: str) -> None:
    text, line, field, fix = MISTAKES[mistake]
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = terminal.run("policy", "check", policy, "--json")
    assert ran.code == 1
    first = ran.json["mistakes"][0]
    assert (first["line"], field in first["field"]) == (line, True), first
    assert fix in f"{first['what']}. {first['fix']}", first
    assert f"{policy}:{line}: " in terminal.run("policy", "check", policy).stdout


def test_there_are_forty_mistakes_at_the_least_and_each_says_what_to_write() -> None:
    assert len([one for one in MISTAKES.values() if one[3]]) >= 40


def test_a_policy_that_holds_is_said_to(terminal: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(BASE)
    ran = terminal.run("policy", "check", policy)
    assert (ran.code, ran.stdout.strip()) == (0, f"{policy}: holds.")
    assert terminal.run("policy", "check").code == 0, "the project's own, from its folder"
    assert terminal.run("policy", "check", tmp_path / "none.yaml").code == 1


def test_a_megabyte_of_nonsense_is_answered_in_a_few_lines(terminal: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nworkloads:\n" + "  - {nmae: x, wrokspace: y}\n" * 40_000)
    ran = terminal.run("policy", "check", policy)
    assert ran.code == 1
    assert len(ran.stdout.splitlines()) < 40
    assert "Did you mean name?" in ran.stdout


def test_a_prompt_is_never_quoted(terminal: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\n" + PRESET + "    approvers: [U0A, U0B]\n"
        "    checks: {golden: {usd: 1, cases: [{name: c, prompt: [our own words], contains: our own words}]}}\n"
    )
    ran = terminal.run("policy", "check", policy)
    assert ran.code == 1
    assert "our own words" not in ran.stdout


def test_blanks_are_told_and_with_strict_are_mistakes(terminal: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(BASE.replace("U0SEARCH", "UFILLINTHEOWNER"))
    ran = terminal.run("policy", "check", policy)
    assert ran.code == 0
    assert "policy.yaml:5: workloads.prod-search-agent.owner.slack: is a blank" in ran.stdout
    assert "holds, 1 blank to fill in." in ran.stdout
    assert terminal.run("policy", "check", policy, "--strict").code == 1


ACCOUNT = """\
version: 1
people: {U0ANA: user_anna}
workloads:
  - name: prod-search-agent
    workspace: platfrom-prod
    owner: {slack: U0SEARCH}
  - name: prod-billing
    workspace: platform-prod
    owner: {slack: U0SEARCH}
    key: {guardrail: productoin, adopts: Biling, creator_user_id: user_bob}
byok:
  - {workspace: platform-prod, provider: antropic, reason: r, owner: o, exit: e}
  - {workspace: platform-prod, provider: anthropic, credential: primry, reason: r, owner: o, exit: e}
presets:
  - slug: triag
    from: platform-prod
    to: nowhere
    from_secret: presets/a
    to_secret: presets/b
    approvers: [U0LEAD, U0SEC]
"""


@pytest.fixture
def account(simulator: Simulator) -> Simulator:
    organization = simulator.organization
    place = organization.create_workspace("Platform Production", "platform-prod")
    organization.create_guardrail("production", "platform-prod")
    organization.members["user_ana"] = "org:member"
    simulator.create_key("Billing", workspace="platform-prod")
    organization.add_preset_version(None, "triage", "You are.", {}, place.id)
    simulator.declare(
        {"byok": [{"provider": "anthropic", "key": "fake", "workspace": "platform-prod", "name": "primary"}]}
    )
    return simulator


def test_with_the_account_at_hand_names_are_held_against_it(
    terminal: Terminal, account: Simulator, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(ACCOUNT)
    assert terminal.run("policy", "check", policy).code == 0
    ran = terminal.run("policy", "check", policy, "--account", "--json")
    assert ran.code == 1
    assert {(one["line"], one["field"], one["fix"]) for one in ran.json["mistakes"]} == {
        (2, "people.U0ANA", "Did you mean user_ana?"),
        (5, "workloads.0.workspace", "Did you mean platform-prod?"),
        (10, "workloads.1.key.guardrail", "Did you mean production?"),
        (10, "workloads.1.key.adopts", "Did you mean Billing?"),
        (10, "workloads.1.key.creator_user_id", "Did you mean user_ana?"),
        (12, "byok.0.provider", "Did you mean anthropic?"),
        (13, "byok.1.credential", "Did you mean primary?"),
        (15, "presets.0.slug", "Did you mean triage?"),
        (17, "presets.0.to", "The account has default, platform-prod"),
    }


def test_what_could_not_be_read_is_no_mistake_of_the_policy(
    terminal: Terminal, account: Simulator, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(ACCOUNT)
    for path in ("/guardrails", "/byok", "/presets", "/keys", "/organization/members"):
        account.fault(path, "fail_before", status=400, times=9)
    ran = terminal.run("policy", "check", policy, "--account", "--json")
    assert ran.code == 1
    assert {one["field"] for one in ran.json["mistakes"]} == {"workloads.0.workspace", "presets.0.to"}
    assert len(ran.json["gaps"]) == 9


def test_a_workload_may_adopt_a_key_of_its_own_name_in_another_spelling(terminal: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(BASE + "    key: {adopts: Prod-Search-Agent}\n")
    assert terminal.run("policy", "check", policy).code == 0


def test_two_workspaces_of_one_name_are_told_apart_by_id(
    terminal: Terminal, account: Simulator, tmp_path: Path
) -> None:
    other = account.organization.create_workspace("platform-prod", "second")
    policy = tmp_path / "policy.yaml"
    policy.write_text(BASE.replace("platform-production", "platform-prod"))
    [mistake] = terminal.run("policy", "check", policy, "--account", "--json").json["mistakes"]
    assert mistake["what"] == "2 workspaces are called platform-prod"
    assert other.id in mistake["fix"]


def test_without_account_nobody_is_asked(terminal: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(BASE)
    terminal.environment = {}
    assert terminal.run("policy", "check", policy, transport=Unreachable()).code == 0
    assert terminal.run("policy", "check", policy, "--account").code == 2
