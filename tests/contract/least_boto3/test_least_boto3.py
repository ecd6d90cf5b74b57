"""The adapters to AWS pass their own suites under the oldest boto3 that a Lambda runtime may bring."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from governor.aws import LEAST_BOTOCORE, require
from tests.environments import BUILD, python_of

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SUITES = ["reading_store", "ledger", "secrets_manager", "governor/test_adapters.py", "governor/test_approvals.py"]


def test_the_adapters_pass_their_suites_with_it() -> None:
    python = python_of("least-boto3", HERE / "requirements.txt")
    folders = [ROOT / "layers" / name / "src" for name in ("governor", "management_api")]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/contract/{suite}" for suite in SUITES)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(BUILD),
            "PYTHONPATH": os.pathsep.join(map(str, [*folders, ROOT, *(ROOT / "functions").iterdir()])),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_what_is_tested_is_what_is_demanded() -> None:
    locked = re.findall(r"^(?:boto3|botocore)==([\d.]+)", (HERE / "requirements.txt").read_text(), re.MULTILINE)
    assert locked == [".".join(map(str, LEAST_BOTOCORE))] * 2


@pytest.mark.parametrize("version", ["1.35.68", "1.34.145", "0.99.99"])
def test_an_older_one_is_refused_with_what_to_do(version: str) -> None:
    with pytest.raises(ImportError, match="Runtime management configuration"):
        require(version)


@pytest.mark.parametrize("version", ["1.35.69", "1.44.8", "2.0.0"])
def test_a_newer_one_is_taken(version: str) -> None:
    require(version)
