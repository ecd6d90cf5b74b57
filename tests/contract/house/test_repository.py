"""What a stranger expects of a repository is there, and says the same as the project does."""

import json
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_the_workflow_runs_the_three_commands_that_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    ours = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("make ")]
    assert [f"make {step}" for step in job["strategy"]["matrix"]["step"]] == ours
    assert "make ${{ matrix.step }}" in [step.get("run") for step in job["steps"]]
    assert "make sbom" in [step.get("run") for step in job["steps"]]
    assert job["env"]["AUDIT_REQUIRED"] == "1"
    assert workflow["permissions"] == {"contents": "read"}


def test_licence_security_policy_updates_and_owners_are_there() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
    assert "Report a vulnerability" in (ROOT / "SECURITY.md").read_text()
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {one["package-ecosystem"] for one in updates} == {"uv", "pip", "github-actions"}
    owned = [
        line.split()[0]
        for line in (ROOT / ".github" / "CODEOWNERS.sample").read_text().splitlines()
        if line[:1] in "*/"
    ]
    assert all(path == "*" or (ROOT / path.strip("/")).exists() for path in owned if path)


def test_the_bill_of_materials_lists_what_the_layers_and_functions_bring(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    command = "uv export --quiet --frozen --all-packages --no-dev --format cyclonedx1.5 --output-file"
    assert command in (ROOT / "Makefile").read_text()
    subprocess.run([*command.split(), str(target)], cwd=ROOT, check=True, capture_output=True)
    listed = {(one["name"], one["version"]) for one in json.loads(target.read_text())["components"] if "version" in one}
    pinned = {
        tuple(line.split(" ")[0].rstrip("\\").split("=="))
        for path in ROOT.glob("*/*/requirements.txt")
        for line in path.read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    assert len(pinned) > 10
    assert pinned <= listed
