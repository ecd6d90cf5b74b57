"""`governor plan --terraform`: what is Terraform's, where the account differs from it, and what two would own."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import Ran, Terminal

PLAINTEXT = "sk-or-v1-fake-plaintext-in-a-state"
POLICY = """
version: 1
workloads:
  - {name: prod-search, workspace: lab, owner: {slack: U0SEARCH}}
"""
ROTATED = """
version: 1
workloads:
  - name: prod-search
    workspace: lab
    owner: {slack: U0SEARCH}
    secret: openrouter/prod/search
    rotation: {every: 60d, overlap: 24h, quarantine: 7d}
"""


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    simulator.declare(
        {
            "workspaces": [{"name": "Lab", "slug": "lab", "budgets": {"monthly": 100}}],
            "keys": [{"name": "prod-search", "workspace": "lab"}, {"name": "prod-ci", "workspace": "lab"}],
            "guardrails": [{"name": "g", "workspace": "lab", "limit_usd": 20, "reset_interval": "daily"}],
        }
    )
    return simulator


class Folder:
    """A policy and a state that agrees with the account, but for what a test says of a kind."""

    def __init__(self, terminal: Terminal, path: Path) -> None:
        self.terminal, self.policy, self.state = terminal, path / "policy.yaml", path / "state.json"
        self.policy.write_text(POLICY)
        organization = terminal.simulator.organization
        self.place = organization.workspace("lab").id
        self.hash = {key.name: key.hash for key in organization.keys}
        [self.guardrail] = organization.guardrails
        self.stated: dict[str, dict[str, Any]] = {
            "workspace.lab": {"id": self.place, "slug": "lab", "name": "Lab"},
            "workspace_budget.lab": {"id": "lab", "interval": "monthly", "limit_usd": 100},
            "guardrail.g": {"id": self.guardrail, "name": "g", "limit_usd": 20, "reset_interval": "daily"},
            "api_key.ci": {"hash": self.hash["prod-ci"], "name": "prod-ci", "key": PLAINTEXT},
        }

    def plan(self, *more: str, **changed: dict[str, Any]) -> Ran:
        resources = [
            {
                "mode": "managed", "type": f"openrouter_{address.partition('.')[0]}", "name": address.partition(".")[2],
                "instances": [{"attributes": values | changed.get(address.partition(".")[0], {})}],
            }
            for address, values in self.stated.items()
        ]  # fmt: skip
        self.state.write_text(json.dumps({"version": 4, "resources": resources}))
        return self.again(*more)

    def again(self, *more: str) -> Ran:
        return self.terminal.run("plan", self.policy, "--now", "--terraform", self.state, *more)


@pytest.fixture
def folder(terminal: Terminal, tmp_path: Path) -> Folder:
    return Folder(terminal, tmp_path)


def _one_line(ran: Ran) -> str:
    return " ".join(ran.stdout.split())


def test_a_state_that_agrees_is_said_to_and_is_left_to_terraform(folder: Folder) -> None:
    ran = folder.plan()
    assert ran.code == 0, ran.stdout
    assert "TERRAFORM: 4 resources, 0 differences between its state and the account" in _one_line(ran)
    assert "Left to Terraform: 1 workspace, 1 budget, 1 guardrail, 1 key." in _one_line(ran)
    assert "Two owners" not in ran.stdout


@pytest.mark.parametrize(
    ("kind", "field", "said", "there", "row"),
    [
        ("workspace", "name", "Laboratory", "Lab", "openrouter_workspace.lab name Laboratory Lab"),
        ("workspace_budget", "limit_usd", 80, 100.0, "openrouter_workspace_budget.lab limit_usd 80 100.0"),
        ("guardrail", "limit_usd", 25, 20.0, "openrouter_guardrail.g limit_usd 25 20.0"),
        ("guardrail", "reset_interval", "weekly", "daily", "openrouter_guardrail.g reset_interval weekly daily"),
        ("api_key", "name", "prod-cj", "prod-ci", "openrouter_api_key.ci name prod-cj prod-ci"),
    ],
)
def test_a_difference_is_a_row_with_both_sides_and_a_reason_to_end_with_one(
    folder: Folder, kind: str, field: str, said: object, there: object, row: str
) -> None:
    ran = folder.plan(**{kind: {field: said}})
    assert ran.code == 1
    assert "4 resources, 1 difference between" in _one_line(ran)
    assert row in _one_line(ran)
    (difference,) = folder.plan("--json", **{kind: {field: said}}).json["terraform"]["differences"]
    assert difference == {"address": row.split()[0], "field": field, "terraform": said, "account": there}


def test_what_is_gone_from_the_account_is_a_row(folder: Folder) -> None:
    ran = folder.plan(guardrail={"id": "gone"})
    assert ran.code == 1
    assert "openrouter_guardrail.g (gone) gone" in _one_line(ran)


def test_what_could_not_be_read_is_not_called_gone(folder: Folder) -> None:
    folder.terminal.simulator.fault("/guardrails", "fail_before", status=400, times=9)
    ran = folder.plan(guardrail={"id": "gone"})
    assert ran.code == 1
    assert "Not compared: guardrails of workspace lab" in _one_line(ran)
    assert "(gone)" not in ran.stdout


def test_a_key_that_a_workload_only_watches_may_stay_terraforms(folder: Folder) -> None:
    folder.stated["api_key.search"] = {"hash": folder.hash["prod-search"], "name": "prod-search"}
    ran = folder.plan()
    assert ran.code == 0, ran.stdout
    assert (
        "Terraform manages prod-search (openrouter_api_key.search); prod-search watches it and never replaces it."
    ) in _one_line(ran)
    assert "Left to Terraform: 1 workspace, 1 budget, 1 guardrail, 1 key." in _one_line(ran)


def test_a_key_that_a_workload_would_rotate_has_two_owners_and_waits_for_a_person(folder: Folder) -> None:
    folder.policy.write_text(ROTATED)
    assert folder.plan().code == 0
    folder.stated["api_key.search"] = {"hash": folder.hash["prod-search"], "name": "prod-search"}
    ran = folder.plan()
    assert ran.code == 1
    assert "Two owners: Terraform manages prod-search (openrouter_api_key.search), and prod-search would" in _one_line(
        ran
    )
    assert "Forget it in Terraform (a `removed` block), or leave `rotation` out" in _one_line(ran)


def test_as_json_it_has_the_rest_of_the_plan_too(folder: Folder) -> None:
    folder.policy.write_text(ROTATED)
    folder.stated["api_key.search"] = {"hash": folder.hash["prod-search"], "name": "prod-search"}
    document = folder.plan("--json").json
    assert document.keys() == {"policy", "now", "gaps", "past", "terraform"}
    assert document["terraform"] == {
        "resources": 5,
        "differences": [],
        "gaps": [],
        "left": [
            "openrouter_workspace.lab", "openrouter_workspace_budget.lab", "openrouter_guardrail.g",
            "openrouter_api_key.ci",
        ],
        "claimed": [
            {
                "address": "openrouter_api_key.search", "key": "prod-search", "workload": "prod-search",
                "is_rotated": True,
            }
        ],
    }  # fmt: skip


def test_nothing_secret_of_a_state_is_printed(folder: Folder) -> None:
    for ran in (folder.plan(api_key={"name": "other"}), folder.plan("--json", api_key={"name": "other"})):
        assert PLAINTEXT not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n  "version": 4,\n  "resources": [\n    {"mode": "managed",}\n  ]\n}\n', "state.json:4: column 23"),
        ('{"version": 4,\n "resources": [\n', "state.json:3: column 1: is not JSON: expecting value; the file ends"),
        ('resource "openrouter_api_key" "ci" {\n}\n', "state.json:1: column 1: is not JSON"),
        ("", "the file ends too early"),
        ('{"version": 4, "resources": [{"mode": "data"}, {"mode": "managed"}]}', "state.json: resources.1 is not a"),
        (
            '{"format_version": "1.0", "values": {"root_module": {"resources": [{"mode": "managed"}]}}}',
            "root_module.resources.0 is not a resource as Terraform writes it",
        ),
        ('{"name": "another document"}', "is neither a Terraform state nor a plan"),
        ("PK\x03\x04", "is a saved plan as Terraform keeps it, which is not JSON"),
    ],
    ids=["comma", "cut off", "HCL", "empty", "state's resource", "shown resource", "other JSON", "saved plan"],
)
def test_a_broken_file_names_the_place_and_the_fix_before_anybody_is_asked(
    folder: Folder, text: str, says: str
) -> None:
    folder.state.write_text(text)
    ran = folder.again()
    assert (ran.code, ran.stdout) == (2, "")
    said = ran.stderr.replace("\n", " ")
    assert says in said
    assert "fix: Give a state file, or what `terraform show -json` prints" in said
    assert not folder.terminal.simulator.requests


def test_a_broken_file_is_not_quoted(folder: Folder) -> None:
    folder.state.write_text(f'{{"version": 4, "resources": [{{"key": "{PLAINTEXT}" "{PLAINTEXT}"}}]}}')
    ran = folder.again()
    assert ran.code == 2
    assert "state.json:1: column" in ran.stderr
    assert PLAINTEXT not in ran.stderr


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_a_shell_of_windows_writes_is_read(folder: Folder, encoding: str) -> None:
    folder.plan()
    folder.state.write_text(folder.state.read_text(), encoding)
    assert "TERRAFORM: 4 resources, 0 differences" in folder.again().stdout
