"""`governor import`: from an account made by hand to a policy that passes the check."""

from pathlib import Path
from typing import Any

import pytest

from cli.importing import entries
from cli.importing.pairs import PresetPair
from cli.importing.proposal import NewWorkload
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import NOW, Terminal
from tools.policy import compile_policy, compile_text

DAY = 86_400.0
WRITTEN = """\
# Ours. Do not reformat.
version: 1
people: {U0ANA: user_ana}   # who is who
workloads:
    - name:    prod-billing     # odd spacing, on purpose
      workspace: 'platform-prod'
      owner: {slack: "U0BILLING"}
      key: { limit_usd: 1_000, limit_reset: monthly }
      # a note about billing
    # a note about what follows

# trailing remark
approvals:
  channel: C0GOVERNOR
  approvers: [U0LEAD,U0SEC]
"""


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    organization = simulator.organization
    organization.create_workspace("Platform Production", "platform-prod")
    organization.create_workspace("Platform Staging", "platform-staging")
    organization.members["user_ana"] = "org:member"
    simulator.create_key(
        "prod-platform-search", workspace="platform-prod", limit=200.0, limit_reset="monthly",
        include_byok_in_limit=True, expires_at=NOW + 90 * DAY,
    )  # fmt: skip
    simulator.create_key("prod-platform-report#r7", workspace="platform-prod", creator_user_id="user_ana")
    simulator.create_key("prod-platform-old", workspace="platform-prod", disabled=True)
    simulator.create_key("Search Agent (old)", workspace="platform-staging", limit=12.5, limit_reset="daily")
    return simulator


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def _assign(simulator: Simulator, name: str, key: str, workspace: str) -> None:
    organization = simulator.organization
    guardrail = organization.create_guardrail(name, workspace, limit_usd=500.0, reset_interval="monthly")
    organization.assign(guardrail, [one.hash for one in organization.keys if one.name == key])


def _byok(simulator: Simulator, **fields: Any) -> None:
    simulator.declare({"byok": [{"provider": "anthropic", "key": "fake-provider-key", **fields}]})


def test_an_account_without_a_policy_gets_one_that_passes_the_check(
    terminal: Terminal, simulator: Simulator, policy: Path
) -> None:
    _assign(simulator, "production", "prod-platform-search", "platform-prod")
    ran = terminal.run("import", policy, "--json")
    assert ran.code == 0
    made = compile_policy(policy)
    assert made.account.base_url == "https://openrouter.ai/api/v1"
    report, search = made.workloads
    assert (report.name, report.workspace, report.key.adopts) == ("prod-platform-report", "platform-prod", None)
    assert search.key.model_dump(exclude_defaults=True, mode="json") == {
        "limit_usd": 200.0, "limit_reset": "monthly", "include_byok_in_limit": True, "guardrail": "production",
        "expires_in": f"{90 * 24 * 60}m",
    }  # fmt: skip
    assert made.defaults.runaway.mode == "alert"
    assert not any(one.rotation or one.runaway for one in made.workloads), "nothing is armed"


def test_owners_are_marked_and_listed(terminal: Terminal, policy: Path) -> None:
    ran = terminal.run("import", policy, "--json")
    marked = [n for n, line in enumerate(policy.read_text().splitlines(), 1) if line.endswith("# owner: fill in")]
    assert [one["line"] for one in ran.json["fill_in"]] == marked
    assert len(marked) == 2
    assert "To fill in: 2" in terminal.run("import", policy).stdout


def test_an_owner_is_taken_from_the_option_and_from_people(terminal: Terminal, policy: Path) -> None:
    policy.write_text(WRITTEN)
    terminal.run("import", policy, "--owner", "U0LEAD")
    owners = {one.name: one.owner.slack for one in compile_policy(policy).workloads}
    assert owners == {"prod-billing": "U0BILLING", "prod-platform-search": "U0LEAD", "prod-platform-report": "U0ANA"}
    ran = terminal.run("import", policy, "--owner", "@lead")
    assert ran.code == 2
    assert "not a Slack user id" in ran.stderr


def test_a_key_off_the_convention_is_listed_with_a_mapping_that_works(terminal: Terminal, policy: Path) -> None:
    [listed] = terminal.run("import", policy, "--json").json["off_convention"]
    assert listed == {
        "name": "Search Agent (old)", "workspace": "platform-staging", "map": "Search Agent (old)=search-agent-old",
    }  # fmt: skip
    ran = terminal.run("import", policy, "--map", listed["map"], "--json")
    assert ran.json["off_convention"] == []
    made = compile_policy(policy).workload("search-agent-old")
    assert made
    assert (made.key.adopts, made.key.limit_usd, made.key.limit_reset) == ("Search Agent (old)", 12.5, "daily")
    assert terminal.run("import", policy, "--json").json["off_convention"] == [], "the policy knows it now"


def test_a_file_of_mappings_is_read(terminal: Terminal, policy: Path, tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text("# ours\n\nSearch Agent (old) = staging-search\n")
    assert terminal.run("import", policy, "--map-file", names).code == 0
    assert compile_policy(policy).workload("staging-search")


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (["Serch Agent (old)=x1"], "Did you mean Search Agent (old)?"),
        (["Search Agent (old)=Not A Name"], "not OLDNAME=workload"),
        (["Search Agent (old)"], "--map 'Search Agent (old)=search-agent-old'"),
        (["Search Agent (old)=aa", "Search Agent (old)=bb"], "twice"),
        (["Search Agent (old)=aa", "prod-platform-search=aa"], "to one workload"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(terminal: Terminal, policy: Path, mapping: list[str], says: str) -> None:
    ran = terminal.run("import", policy, *(part for one in mapping for part in ("--map", one)))
    assert ran.code == 2
    assert says in ran.stderr.replace("\n", " ")
    assert not policy.exists()


def test_what_a_person_wrote_stays_to_the_letter(terminal: Terminal, policy: Path) -> None:
    policy.write_text(WRITTEN)
    assert terminal.run("import", policy, "--map", "Search Agent (old)=staging-search").code == 0
    text = policy.read_text()
    added = [line for line in text.splitlines() if line not in WRITTEN.splitlines()]
    position = 0
    for line in WRITTEN.splitlines(keepends=True):
        position = text.index(line, position) + len(line)
    assert [one.strip() for one in added if "name:" in one] == [
        "- name: prod-platform-report", "- name: prod-platform-search", "- name: staging-search",
    ]  # fmt: skip
    assert text.index("a note about billing") < text.index("prod-platform-report") < text.index("trailing remark")
    assert compile_policy(policy).workloads[0].name == "prod-billing"


def test_running_twice_changes_nothing(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    _byok(simulator, workspace="platform-prod")
    policy.write_text(WRITTEN)
    terminal.run("import", policy)
    text, written_at = policy.read_text(), policy.stat().st_mtime_ns
    ran = terminal.run("import", policy, "--json")
    assert (ran.json["written"], ran.json["added"]) == (False, {"workloads": [], "byok": [], "presets": []})
    assert (policy.read_text(), policy.stat().st_mtime_ns) == (text, written_at)
    assert "nothing to add" in terminal.run("import", policy).stdout


def test_a_dry_run_writes_nothing(terminal: Terminal, policy: Path) -> None:
    ran = terminal.run("import", policy, "--dry-run", "--json")
    assert ran.json["written"] is False
    assert len(ran.json["added"]["workloads"]) == 2
    assert not policy.exists()


def test_what_a_person_declared_otherwise_is_told_and_left(terminal: Terminal, policy: Path) -> None:
    text = WRITTEN.replace("prod-billing ", "prod-platform-search").replace("# odd spacing, on purpose", "")
    policy.write_text(text)
    ran = terminal.run("import", policy, "--json")
    told = [one["why"] for one in ran.json["remarks"] if one["subject"] == "prod-platform-search"]
    assert told == ["declared with a limit of 1000.0 USD, and its key has 200.0"]
    assert "limit_usd: 1_000" in policy.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 1\nworkloads: [{name: ab, workspace: w, owner: {slack: U0AB}}]\n", "stands in brackets"),
        ("version: 1\nworkloads: []\n", "is empty"),
        ("{version: 1}\n", "stands in braces"),
    ],
)
def test_a_file_that_cannot_be_added_to_is_left_as_it_is(
    terminal: Terminal, policy: Path, text: str, says: str
) -> None:
    policy.write_text(text)
    ran = terminal.run("import", policy)
    assert ran.code == 2
    assert says in ran.stderr.replace("\n", " ")
    assert policy.read_text() == text


@pytest.mark.parametrize("ending", ["", "\n", "\n\n# the end", "\r\n"])
def test_a_file_may_end_as_it_likes(terminal: Terminal, policy: Path, ending: str) -> None:
    policy.write_text(f"version: 1\nalerts: {{channel: C0GOVERNOR}}{ending}", newline="")
    before = policy.read_bytes()
    assert terminal.run("import", policy).code == 0
    assert policy.read_bytes().startswith(before)
    assert len(compile_policy(policy).workloads) == 2


def test_a_file_that_is_no_text_is_refused(terminal: Terminal, policy: Path) -> None:
    policy.write_bytes(b"version: 1\n# \xff\xfe\n")
    ran = terminal.run("import", policy)
    assert ran.code == 2
    assert "policy.yaml:2: policy: is not UTF-8 text. Save the file as UTF-8" in ran.stderr.replace("\n", " ")


def test_a_policy_that_does_not_hold_is_not_added_to(terminal: Terminal, policy: Path) -> None:
    policy.write_text("version: 1\nworkload: []\n")
    ran = terminal.run("import", policy)
    assert ran.code == 2
    assert "Did you mean workloads?" in ran.stderr.replace("\n", " ")


def test_keys_that_cannot_be_told_apart_are_told(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    simulator.create_key("prod-platform-search", workspace="platform-staging")
    simulator.create_key("prod-platform-report", workspace="platform-prod", limit=5.0)
    remarks = {one["subject"]: one["why"] for one in terminal.run("import", policy, "--json").json["remarks"]}
    assert remarks["prod-platform-search"] == "keys of this name are in several workspaces: rename some"
    assert "different limits" in remarks["prod-platform-report"]
    assert remarks["prod-platform-old"] == "its keys are disabled or expired"
    assert [one.name for one in compile_policy(policy).workloads] == ["prod-platform-report"]


def test_a_guardrail_of_another_workspace_is_told(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    _assign(simulator, "elsewhere", "prod-platform-search", "platform-staging")
    remarks = terminal.run("import", policy, "--json").json["remarks"]
    assert any("filed in another workspace" in one["why"] for one in remarks)
    made = compile_policy(policy).workload("prod-platform-search")
    assert made
    assert made.key.guardrail is None


def test_a_limit_that_no_policy_can_hold_is_told(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    simulator.create_key("prod-platform-zero", workspace="platform-prod", limit=0.0)
    remarks = terminal.run("import", policy, "--json").json["remarks"]
    assert any("cannot be written" in one["why"] for one in remarks)
    assert compile_policy(policy).workload("prod-platform-zero")


def test_provider_keys_become_decisions_with_blanks(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    _byok(simulator, workspace="platform-prod", name="first")
    _byok(simulator, workspace="platform-prod", name="second", is_fallback=True)
    _byok(simulator, workspace="platform-prod", name="third", provider="openai", disabled=True)
    _byok(simulator, provider="mistral", **{"global": True})
    ran = terminal.run("import", policy, "--json")
    made = {one.name: one for one in compile_policy(policy).byok}
    assert set(made) == {"platform-prod/anthropic", "platform-prod/mistral", "platform-staging/mistral"}
    own = made["platform-prod/anthropic"]
    assert (own.expect.prioritized, own.expect.fallback, own.reason) == (1, 1, "to be filled in")
    assert own.action == "alert"
    assert any(one["subject"] == "openai" and one["why"] == "it is disabled" for one in ran.json["remarks"])
    assert len([one for one in ran.json["fill_in"] if one["field"].startswith("byok")]) == 9


def test_presets_of_a_staging_and_a_production_workspace_become_a_pair(
    terminal: Terminal, simulator: Simulator, policy: Path
) -> None:
    organization = simulator.organization
    places = {one.settings["slug"]: one.id for one in organization.workspaces.values()}
    for slug, workspaces in {
        "triage": ["platform-prod", "platform-staging"],
        "alone": ["platform-prod"],
        "odd": ["default", "platform-prod"],
    }.items():
        for workspace in workspaces:
            organization.add_preset_version(None, slug, "You are.", {}, places[workspace])
    policy.write_text(WRITTEN)
    remarks = terminal.run("import", policy, "--json").json["remarks"]
    [made] = compile_policy(policy).presets
    assert (made.slug, made.from_workspace, made.to_workspace) == ("triage", "platform-staging", "platform-prod")
    assert (made.from_secret, made.to_secret) == ("presets/platform-staging", "presets/platform-prod")
    assert made.approvers == ("U0LEAD", "U0SEC")
    assert any(one["subject"] == "odd" and "declare it by hand" in one["why"] for one in remarks)
    policy.unlink()
    terminal.run("import", policy)
    assert len(compile_policy(policy).presets[0].approvers) == 2, "blanks, so that the policy holds"


def test_what_could_not_be_read_is_told_and_the_code_says_so(
    terminal: Terminal, simulator: Simulator, policy: Path
) -> None:
    simulator.fault("/byok", "fail_before", status=400, times=9)
    ran = terminal.run("import", policy)
    assert ran.code == 1
    assert "Could not be read: 3" in ran.stdout
    assert len(compile_policy(policy).workloads) == 2


def test_the_host_is_written_where_it_is_not_the_usual_one(terminal: Terminal, policy: Path) -> None:
    assert terminal.run("import", policy, "--host", "eu").code == 0
    assert compile_policy(policy).account.base_url == "https://eu.openrouter.ai/api/v1"
    terminal.transport.hosts.clear()
    assert terminal.run("import", policy).code == 0
    assert terminal.transport.hosts == {"eu.openrouter.ai"}, "the policy says where the account is"


def test_names_that_yaml_would_misread_are_quoted(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    simulator.organization.create_workspace("on", "no")
    for old in ("yes", "a: b #c", 'q"uo\\te', "tab\tnew\nline", "émoji 😀", "1.0", "- x", "\u2028\u0085"):
        simulator.create_key(old, workspace="no")
    listed = terminal.run("import", policy, "--dry-run", "--json").json["off_convention"]
    names = policy.with_name("names")
    odd = [one["name"] for one in listed if "\n" not in one["name"] and "\u2028" not in one["name"]]
    names.write_text("".join(f"{old}=odd-{number}\n" for number, old in enumerate(odd)))
    arguments = ("--map", "tab\tnew\nline=odd-tab", "--map", "\u2028x=odd-none")
    assert terminal.run("import", policy, "--map-file", names, *arguments[:2]).code == 0
    adopted = {one.key.adopts for one in compile_policy(policy).workloads if one.workspace == "no"}
    assert {'q"uo\\te', "a: b #c", "émoji 😀", "1.0", "- x", "tab\tnew\nline"} <= adopted
    assert compile_policy(policy).workload("yes"), "on the convention, and quoted"


def test_no_name_can_write_a_line_of_the_policy() -> None:
    evil = "prod\nbyok: []\u2028presets: []\r# "
    pair = PresetPair("s", evil, f"{evil}!", "presets/a", "presets/b", ("U0A", "U0B"))
    key = NewWorkload("aa", evil, (), owner="U0A", adopts=f"{evil} #", guardrail=f"{evil}'\"")
    text = f"version: 1\nworkloads:\n{_indented(entries.workload(key))}presets:\n{_indented(entries.preset(pair))}"
    made, _ = compile_text("policy.yaml", text)
    assert (made.byok, len(made.presets), len(made.workloads)) == ((), 1, 1)
    assert made.presets[0].from_workspace == evil
    assert (made.workloads[0].workspace, made.workloads[0].key.adopts) == (evil, f"{evil} #")


def _indented(entry: str) -> str:
    return "".join(f"{'    ' if number else '  - '}{line}\n" for number, line in enumerate(entry.split("\n")))


def test_a_mapped_key_beside_newer_ones_of_the_workload_is_adopted(
    terminal: Terminal, simulator: Simulator, policy: Path
) -> None:
    simulator.create_key("Prod-Platform-Search", workspace="platform-prod")
    next(key for key in simulator.organization.keys if key.name == "Prod-Platform-Search").created_at = NOW - DAY
    ran = terminal.run("import", policy, "--map", "Prod-Platform-Search=prod-platform-search", "--json")
    assert ran.code == 0
    made = compile_policy(policy).workload("prod-platform-search")
    assert made
    assert made.key.adopts == "Prod-Platform-Search"
    again = terminal.run("import", policy, "--json").json["off_convention"]
    assert "Prod-Platform-Search" not in {one["name"] for one in again}


def test_what_an_import_does_not_need_is_no_gap_of_it(terminal: Terminal, simulator: Simulator, policy: Path) -> None:
    simulator.fault("/organization/members", "fail_before", status=403, times=9)
    simulator.fault("/workspaces/{id}/budgets", "fail_before", status=403, times=9)
    assert terminal.run("import", policy).code == 0
