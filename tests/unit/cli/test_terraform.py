"""What Terraform manages is left to Terraform, whichever provider and whichever form of file."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.terraform import managed
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import Terminal
from tools.policy import compile_policy

PLAINTEXT = "sk-or-v1-fake-plaintext-in-a-state"
OFFICIAL = 'provider["registry.terraform.io/openrouterteam/openrouter"]'
OTHER = 'provider["registry.terraform.io/cloudopsworks/openrouter"]'


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    simulator.organization.create_workspace("Prod", "prod")
    for name in ("prod-a-ours", "prod-a-official", "prod-a-other"):
        simulator.create_key(name, workspace="prod")
    simulator.declare({"byok": [{"provider": "anthropic", "key": "fake", "workspace": "prod"}]})
    return simulator


def _hash(simulator: Simulator, name: str) -> str:
    return next(key.hash for key in simulator.organization.keys if key.name == name)


def _resources(simulator: Simulator) -> list[dict[str, Any]]:
    """As a state file has them: the official provider says `hash`, the other `id`."""
    [credential] = simulator.organization.credentials
    return [
        _resource("openrouter_api_key", OFFICIAL, hash=_hash(simulator, "prod-a-official"), key=PLAINTEXT, limit=5),
        _resource("openrouter_api_key", OTHER, id=_hash(simulator, "prod-a-other"), key=PLAINTEXT),
        _resource("openrouter_byok_key", OFFICIAL, id=credential, key=PLAINTEXT),
        {**_resource("openrouter_api_key", OFFICIAL, hash=_hash(simulator, "prod-a-ours")), "mode": "data"},
        _resource("aws_secretsmanager_secret_version", OTHER, id="x", secret_string=PLAINTEXT),
    ]


def _resource(kind: str, provider: str, **attributes: Any) -> dict[str, Any]:
    instances = [{"schema_version": 0, "index_key": "a/b", "attributes": attributes}]
    return {"mode": "managed", "type": kind, "name": "this", "provider": provider, "instances": instances}


def _state(simulator: Simulator) -> dict[str, Any]:
    return {"version": 4, "terraform_version": "1.9.0", "serial": 3, "resources": _resources(simulator)}


def _shown(simulator: Simulator) -> dict[str, Any]:
    """As `terraform show -json` has a state, with a module."""
    found = [
        {"address": f"module.k.{one['type']}.this[{number}]", "mode": one["mode"], "type": one["type"], "name": "this",
         "values": one["instances"][0]["attributes"]}
        for number, one in enumerate(_resources(simulator))
    ]  # fmt: skip
    root = {"resources": found[:1], "child_modules": [{"address": "module.k", "resources": found[1:]}]}
    return {"format_version": "1.0", "values": {"root_module": root}}


def _plan(simulator: Simulator) -> dict[str, Any]:
    """As `terraform show -json` has a plan: what is known of what exists is in the prior state."""
    prior = _shown(simulator)
    planned = json.loads(json.dumps(prior["values"]))
    for one in [*planned["root_module"]["resources"], *planned["root_module"]["child_modules"][0]["resources"]]:
        one["values"] = {"name": "as written", "hash": None}
    new = {"address": "openrouter_api_key.new", "mode": "managed", "type": "openrouter_api_key", "values": {}}
    planned["root_module"]["resources"].append(new)
    return {"format_version": "1.2", "planned_values": planned, "prior_state": prior}


@pytest.mark.parametrize("form", [_state, _shown, _plan])
def test_what_terraform_manages_is_left_out(
    terminal: Terminal, simulator: Simulator, tmp_path: Path, form: Any
) -> None:
    state, policy = tmp_path / "state.json", tmp_path / "policy.yaml"
    state.write_text(json.dumps(form(simulator)))
    ran = terminal.run("import", policy, "--terraform", state, "--json")
    assert ran.code == 0
    made = compile_policy(policy)
    assert [one.name for one in made.workloads] == ["prod-a-ours"]
    assert made.byok == ()
    told = {one["subject"] for one in ran.json["remarks"] if one["why"] == "Terraform manages it"}
    assert told == {"prod-a-official", "prod-a-other", "anthropic"}
    assert PLAINTEXT not in ran.stdout + ran.stderr + policy.read_text()


def test_nothing_secret_of_a_state_is_kept(simulator: Simulator, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps(_state(simulator)))
    found = managed(state)
    assert len(found) == 3
    assert PLAINTEXT not in repr(found)
    assert found[0].address == 'openrouter_api_key.this["a/b"]'
    assert found[0].values["limit"] == 5


def test_a_key_that_a_plan_forgets_is_terraforms_no_longer(simulator: Simulator, tmp_path: Path) -> None:
    plan = _plan(simulator)
    plan["planned_values"]["root_module"]["resources"] = []
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert _hash(simulator, "prod-a-official") not in {one.id for one in managed(tmp_path / "plan.json")}


def test_an_empty_state_manages_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text('{"format_version": "1.0"}')
    assert managed(tmp_path / "empty.json") == []


@pytest.mark.parametrize(
    "text",
    ["", "resource {}", "[]", "{}", '"text"', "3", '{"version": 4, "resources": [1]}', '{"version":4,"resources":3}'],
)  # fmt: skip
def test_another_file_is_refused(terminal: Terminal, tmp_path: Path, text: str) -> None:
    state = tmp_path / "main.tf"
    state.write_text(text)
    ran = terminal.run("import", tmp_path / "policy.yaml", "--terraform", state)
    assert ran.code == 2
    assert "terraform show -json" in ran.stderr.replace("\n", " ")
    assert not (tmp_path / "policy.yaml").exists()
