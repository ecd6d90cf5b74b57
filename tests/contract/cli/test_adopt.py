"""docs/adopt.md up to step 9, run line by line as a new user would, in a copy of the repository.

Nothing is deployed yet. From step 10 on: tests/e2e/test_adopt_to_armed.py.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.openrouter import Simulator
from tools.policy import compile_policy

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "adopt.md").read_text().partition("\n## 10.")[0]
MANAGEMENT = "sk-or-v1-fake-management"
DAY = 86_400.0


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository, set up, in which the policy may be written."""
    for one in ROOT.iterdir():
        if one.name not in (".git", "build", "layers", ".venv"):
            (tmp_path / one.name).symlink_to(one)
    # Newer than what it was made from: the tests' own environment need not be made twice.
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(ROOT / ".venv" / "bin")
    (tmp_path / ".venv" / ".locked").touch()
    (tmp_path / "layers").mkdir()
    for one in (ROOT / "layers").iterdir():
        if one.name != "policy":
            (tmp_path / "layers" / one.name).symlink_to(one)
    shutil.copytree(ROOT / "layers" / "policy", tmp_path / "layers" / "policy")
    return tmp_path


@pytest.fixture
def simulator() -> Simulator:
    """Forty-eight keys made by hand, in four workspaces."""
    made = Simulator(MANAGEMENT)
    organization = made.organization
    for place in ("platform-prod", "platform-staging", "research"):
        organization.create_workspace(place.title(), place)
    names = ["Search Agent (old)", "test", "Ana's key", *(f"prod-team-job-{number}" for number in range(45))]
    for number, name in enumerate(names):
        place = ("platform-prod", "platform-staging", "research", "default")[number % 4]
        key, _ = made.create_key(name, workspace=place, limit=20.0 if number % 3 else None, limit_reset="monthly")
        key.created_at -= 90 * DAY
        made.spend(key.hash, 1.0 + number / 10, at=made.clock.now() - DAY)
    made.declare({"byok": [{"provider": "anthropic", "key": "fake", "workspace": "platform-prod"}]})
    made.restrict_management(read_only=True)
    return made


def test_every_line_of_the_page_runs_and_the_account_is_not_changed(clone: Path, simulator: Simulator) -> None:
    lines = "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))
    # A plan ends with 1 where something waits for a person, as the page says: here a key off the convention.
    lines = re.sub(r"^(governor plan .*)$", r"\1 || [ $? -eq 1 ]", lines, flags=re.MULTILINE)
    before = simulator.state()
    simulator.requests.clear()
    with simulator.serve() as url:
        ran = subprocess.run(
            ["bash", "-e", "-c", lines],
            cwd=clone,
            input=f"{MANAGEMENT}\n",
            env={**os.environ, "GOVERNOR_HOST": url, "VIRTUAL_ENV": "", "XDG_CACHE_HOME": str(clone / "cache")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(lines.splitlines()) == 15
    wrote = [one for one in simulator.requests if one.method != "GET" and one.path != "/analytics/query"]
    assert wrote == []
    after = simulator.state()
    assert {**after, "now": 0} == {**before, "now": 0}
    policy = compile_policy(clone / "layers" / "policy" / "policy.yaml")
    assert policy.approvals
    assert len(policy.workloads) == 47, "all but `Ana's key`, whose name nobody mapped"
    assert all(one.key.limit_usd for one in policy.workloads), "a cap each: its own, or one that was proposed"
    assert policy.workload("prod-search-agent")
    assert not any(one.rotation or one.runaway for one in policy.workloads)
    assert (clone / "plan.html").read_text().startswith("<!doctype html>")
    assert "WHAT IF runaway=disable" in ran.stdout
    assert MANAGEMENT not in ran.stdout + ran.stderr
    assert "mistake" not in ran.stdout
