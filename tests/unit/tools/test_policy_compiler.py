from pathlib import Path

import pytest

from tests.credentials import PASTED, core
from tools.policy import PolicyFault, compile_policy
from tools.policy.__main__ import main

ROOT = Path(__file__).resolve().parents[3]

GOOD = """\
version: 1
workloads:
  - name: prod-search-agent
    workspace: platform-production
    owner: {slack: U0SEARCH}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "    tiers: 1\n", r":6: workloads.0.tiers: unknown field"),
        (GOOD + "    rotation: {every: 60y}\n", r":6: workloads.0.rotation.every: not a duration: '60y'"),
        (GOOD + "    tier: 1\n    tier: 2\n", r":7: tier: field given twice"),
        (GOOD.replace("owner: {slack: U0SEARCH}", "tier: 1"), r":3: workloads.0.owner: Field required"),
        (GOOD + GOOD.partition("workloads:\n")[2], r":6: workloads: workload declared twice: prod-search-agent"),
        ("version: [1\n", r":2: policy: not YAML"),
        ("version: &one 1\nworkloads: *one\n", r":2: \*one: aliases are not taken"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", r":2: \*a: aliases are not taken"),
        ("? {a: b}\n: 1\n", r":1: policy: a field's name must be a text"),
        ("version: " + "[" * 2_000 + "]" * 2_000, r":1: policy: nested too deep"),
        ("", r":1: policy: "),
    ],
)
def test_a_fault_names_file_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PolicyFault, match=rf"policy\.yaml{said}"):
        compile_policy(_write(tmp_path, text))


def test_the_compiled_policy_is_what_a_function_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from governor.policy import Policy

    assert main(["build", str(_write(tmp_path, GOOD)), str(tmp_path / "python")]) == 0
    monkeypatch.syspath_prepend(str(tmp_path / "python"))
    assert [workload.name for workload in Policy.load().workloads] == ["prod-search-agent"]


def test_a_faulty_policy_builds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(_write(tmp_path, "version: 2\n")), str(tmp_path / "python")]) == 1
    assert not (tmp_path / "python").exists()
    assert "version" in capsys.readouterr().err


def test_the_projects_own_policy_holds_and_its_schema_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    compile_policy(ROOT / "layers" / "policy" / "policy.yaml")
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "layers" / "policy" / "policy.schema.json").read_text()


@pytest.mark.parametrize("kind", PASTED)
def test_a_credential_in_the_policy_is_refused_by_line_and_never_quoted(tmp_path: Path, kind: str) -> None:
    pasted = PASTED[kind].replace("\n", "\n    ")
    with pytest.raises(PolicyFault, match=r":7: policy: looks like a credential") as raised:
        compile_policy(_write(tmp_path, GOOD + f"    secret: |\n      {pasted}\n"))
    assert core(pasted) not in str(raised.value)


@pytest.mark.parametrize("by_event", ["true", "false", None])
def test_the_build_says_aloud_what_it_means_that_names_in_events_are_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], by_event: str | None
) -> None:
    field = f", by_event: {by_event}" if by_event else ""
    path = _write(tmp_path, GOOD + f"approvals: {{channel: C0GOVERNOR, approvers: [U0LEAD]{field}}}\n")
    assert main(["build", str(path), str(tmp_path / "out")]) == 0
    assert ("without any proof of who decides" in capsys.readouterr().err) == (by_event == "true")


def test_the_build_says_aloud_what_is_still_to_be_filled_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, GOOD.replace("U0SEARCH", "UFILLINTHEOWNER"))
    assert main(["build", str(path), str(tmp_path / "out")]) == 0
    assert "policy.yaml:5: workloads.prod-search-agent.owner.slack: is a blank" in capsys.readouterr().err
