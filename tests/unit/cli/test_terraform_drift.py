"""`governor terraform drift`: where the account differs from what Terraform states."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import Terminal


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    organization = simulator.organization
    organization.create_workspace("Prod", "prod")
    simulator.declare(
        {
            "workspaces": [{"name": "Lab", "slug": "lab", "budgets": {"monthly": 100, "daily": 10}}],
            "keys": [{"name": "ci", "workspace": "lab", "limit": 50, "limit_reset": "monthly"}],
            "guardrails": [
                {"name": "g", "workspace": "lab", "limit_usd": 20, "reset_interval": "daily", "keys": ["ci"],
                 "allowed_models": ["b/b", "a/a"]}
            ],
        }
    )  # fmt: skip
    return simulator


def _state(simulator: Simulator, **changed: dict[str, Any]) -> dict[str, Any]:
    """A state that agrees with the account, but for `changed`, by type."""
    organization = simulator.organization
    lab = organization.workspace("lab")
    [key], [guardrail] = list(organization.keys), list(organization.guardrails)
    stated: dict[str, dict[str, Any]] = {
        "openrouter_workspace": {"id": lab.id, "slug": "lab", "name": "Lab", "description": None},
        "openrouter_workspace_budget": {"id": "lab", "interval": "monthly", "limit_usd": 100, "created_at": "x"},
        "openrouter_guardrail": {"id": guardrail, "limit_usd": 20, "allowed_models": ["a/a", "b/b"], "name": "g"},
        "openrouter_guardrail_key_assignment": {"guardrail_id": guardrail, "key_hash": key.hash, "id": "both"},
        "openrouter_api_key": {"hash": key.hash, "name": "ci", "limit": 50, "limit_reset": "monthly", "usage": 9},
    }
    resources = [
        {"mode": "managed", "type": kind, "name": "one", "instances": [{"attributes": values | changed.get(kind, {})}]}
        for kind, values in stated.items()
    ]
    return {"version": 4, "resources": resources}


def _drift(terminal: Terminal, folder: Path, state: dict[str, Any]) -> tuple[int, list[tuple[Any, ...]]]:
    file = folder / "state.json"
    file.write_text(json.dumps(state))
    ran = terminal.run("terraform", "drift", file, "--json")
    return ran.code, [tuple(one.values()) for one in ran.json["differences"]]


def test_a_state_that_agrees_has_no_differences(terminal: Terminal, simulator: Simulator, tmp_path: Path) -> None:
    assert _drift(terminal, tmp_path, _state(simulator)) == (0, [])


def test_each_difference_is_told_with_both_sides(terminal: Terminal, simulator: Simulator, tmp_path: Path) -> None:
    state = _state(
        simulator,
        openrouter_workspace={"name": "Laboratory"},
        openrouter_workspace_budget={"limit_usd": 80, "include_byok_in_budgets": True},
        openrouter_guardrail={"allowed_models": ["a/a"], "reset_interval": "weekly"},
        openrouter_guardrail_key_assignment={"guardrail_id": "another"},
        openrouter_api_key={"disabled": True, "limit": 60},
    )
    [guardrail] = simulator.organization.guardrails
    code, found = _drift(terminal, tmp_path, state)
    assert code == 1
    told = {(address.removesuffix(".one").removeprefix("openrouter_"), field): (said, there)
            for address, field, said, there in found}  # fmt: skip
    assert told == {
        ("workspace", "name"): ("Laboratory", "Lab"),
        ("workspace_budget", "limit_usd"): (80, 100.0),
        ("workspace_budget", "include_byok_in_budgets"): (True, False),
        ("guardrail", "allowed_models"): (["a/a"], ["b/b", "a/a"]),
        ("guardrail", "reset_interval"): ("weekly", "daily"),
        ("guardrail_key_assignment", "guardrail_id"): ("another", guardrail),
        ("api_key", "disabled"): (True, False),
        ("api_key", "limit"): (60, 50.0),
    }


def test_what_is_gone_is_told(terminal: Terminal, simulator: Simulator, tmp_path: Path) -> None:
    state = _state(
        simulator,
        openrouter_workspace={"id": "gone"},
        openrouter_workspace_budget={"interval": "weekly"},
        openrouter_guardrail={"id": "gone"},
        openrouter_api_key={"hash": "f" * 64},
    )
    code, found = _drift(terminal, tmp_path, state)
    assert code == 1
    assert {(field, there) for _, field, _, there in found} == {("", None)}
    assert len(found) == 4
    assert "(gone)" in terminal.run("terraform", "drift", tmp_path / "state.json").stdout


def test_what_could_not_be_read_is_not_gone(terminal: Terminal, simulator: Simulator, tmp_path: Path) -> None:
    state = _state(simulator, openrouter_guardrail={"id": "gone"}, openrouter_workspace_budget={"interval": "weekly"})
    for path in ("/guardrails", "/workspaces/{id}/budgets", "/keys", "/guardrails/assignments/keys"):
        simulator.fault(path, "fail_before", status=400, times=9)
    code, found = _drift(terminal, tmp_path, state)
    assert (code, found) == (1, [])
    assert "not compared" in terminal.run("terraform", "drift", tmp_path / "state.json").stdout
