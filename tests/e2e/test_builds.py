"""What is built is the same, byte for byte, wherever the sources lie.

`sam deploy` names what it uploads by its content, so that nothing is deployed anew that did not change.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.build import ARCH, ROOT
from sandbox.scenario.world import World

PARTS = {
    "layers/governor": "GovernorLayer",
    "layers/management_api": "ManagementApiLayer",
    "functions/preset_promotion": "PresetPromotionFunction",
    "functions/kill_switch": "KillSwitchFunction",
}
"""Both layers with libraries, the function with one, and one of those without."""


def _built(part: str, logical_id: str, folder: Path) -> dict[str, bytes]:
    shutil.copytree(ROOT / part, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    target = folder / "artifacts"
    target.mkdir()
    environment = {**os.environ, "ARCH": ARCH, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["make", "-C", str(folder / "source"), f"build-{logical_id}", f"ARTIFACTS_DIR={target}"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


@pytest.mark.parametrize("part", PARTS)
def test_two_builds_from_two_folders_are_the_same_bytes(part: str, tmp_path: Path) -> None:
    one, other = (_built(part, PARTS[part], tmp_path / place) for place in ("here", "in/another/place"))
    assert set(one) == set(other)
    assert [name for name in one if one[name] != other[name]] == []
    assert any(name.endswith(".pyc") for name in one)
    paths = (str(tmp_path).encode(), str(ROOT).encode())
    assert [name for name in one if any(path in one[name] for path in paths)] == []


def test_every_function_compiles_as_these_do() -> None:
    for makefile in [*ROOT.glob("functions/*/Makefile"), *ROOT.glob("layers/*/Makefile")]:
        for line in re.findall(r"^.*compileall.*$", makefile.read_text(), flags=re.MULTILINE):
            assert re.search(r'-s "\$\(ARTIFACTS_DIR\)" -p /(var/task|opt) ', line), makefile


def test_lambda_can_read_the_time_and_the_level_of_every_line(world: World) -> None:
    """Lambda's JSON log format takes a line's level only where its timestamp is RFC 3339 (AWS, advanced logging)."""
    world.put_event("Rotation Requested", {"subject": "prod-finance-reports", "evidence": {"requested_by": "U0LEAD"}})
    world.run(world.now.replace(minute=12))
    stamps: dict[str, list[str]] = {}
    for name in world.engine.resources:
        if name.endswith("Function"):
            for line in world.engine.logs(name).splitlines():
                if found := re.search(r'"timestamp": ?"([^"]*)"', line):
                    stamps.setdefault(name, []).append(found[1])
    assert {"SpendMeterFunction", "NotifierFunction", "KeyRotationFunction"} <= set(stamps)
    rfc3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    assert [(name, one) for name, found in stamps.items() for one in found if not re.fullmatch(rfc3339, one)] == []
